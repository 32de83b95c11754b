import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach } from 'vitest';
import { readSettings } from '../../settings/index.ts';
import { openPrefectApi, type PrefectApi } from '../api.ts';

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** What a server says: an answer, a broken connection, or nothing at all. */
export type Answer = { status: number; body?: string; headers?: Record<string, string> } | 'reset' | 'silence';

export const POOL = JSON.stringify({ id: '1', name: 'k', type: 'kubernetes', base_job_template: {} });
export const FLOW = '{"id":"1","name":"f"}';
const NO_CSRF: Answer = { status: 422, body: '{"detail":"CSRF protection is disabled."}' };

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** Ends with the test. @param address of this machine, 127.0.0.0/8. */
export async function listen<S extends Server>(server: S, address = '127.0.0.1'): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket.once('close', () => sockets.delete(socket))));
  open.push({
    close: () => {
      // The server itself forgets connections that were upgraded or made a tunnel.
      for (const socket of sockets) socket.destroy();
      return new Promise((done) => server.close(done));
    },
  });
  await new Promise<void>((done) => server.listen(0, address, done));
  return (server.address() as AddressInfo).port;
}

/** A client with a clock that does not wait; what it would have waited and logged is kept. */
export function client(url: string, env: Record<string, string> = {}) {
  const slept: number[] = [];
  const logged: string[] = [];
  const clock = { time: 1_000_000 };
  const api: PrefectApi = openPrefectApi(readSettings({ PREFECT_API_URL: url, ...env }), {
    clock: { now: () => clock.time, sleep: async (ms) => void slept.push(ms) },
    random: () => 0.5,
    log: { debug: (text) => void logged.push(text), warning: (text) => void logged.push(text) },
    product: 'test',
  });
  open.push(api);
  return { api, slept, logged, clock, signal: AbortSignal.timeout(10_000) };
}

/** Answers as a test says, and keeps what it was asked. */
export function answering(
  answer: (request: Seen, index: number) => Answer,
  csrf: (request: Seen) => Answer = () => NO_CSRF,
): { readonly listener: RequestListener; readonly seen: Seen[] } {
  const seen: Seen[] = [];
  const listener: RequestListener = (request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
      const token = one.url.includes('/csrf-token');
      if (!token) seen.push(one);
      const said = token ? csrf(one) : answer(one, seen.length);
      if (said === 'reset') request.socket.resetAndDestroy();
      else if (said !== 'silence')
        response.writeHead(said.status, { 'content-type': 'application/json', ...said.headers }).end(said.body ?? '');
    });
  };
  return { listener, seen };
}

/** A server that says what a test wants, since no real one can be made to reset, throttle or lie at will. */
export async function serve(
  answer: (request: Seen, index: number) => Answer,
  env: Record<string, string> = {},
  csrf?: (request: Seen) => Answer,
) {
  const { listener, seen } = answering(answer, csrf);
  const server = createServer(listener);
  const port = await listen(server);
  return { ...client(`http://127.0.0.1:${port}/api`, env), seen, server, port };
}
