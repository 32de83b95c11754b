import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';

/** What the health server asks the worker. */
export interface HealthView {
  /** The process does its work and is not ending. */
  readonly ready: () => boolean;
  /** Milliseconds since the last poll that was answered, or since the start. */
  readonly sincePollMs: () => number;
  readonly pollIntervalMs: number;
  readonly registry: Registry;
}

/** Python's worker is called unresponsive after this many intervals (contracts/worker.md §3.7). */
const INTERVALS = 30;

/**
 * Serves `/health` (as Python's worker: 200 or 503 by the last poll), `/livez` (the process answers), `/readyz` and
 * `/metrics`. Port 0 takes a free one. The caller closes it.
 *
 * @throws when the port is taken.
 */
export async function serveHealth(
  address: { readonly host: string; readonly port: number },
  view: HealthView,
): Promise<Server> {
  const isPolling = (): boolean => view.sincePollMs() <= view.pollIntervalMs * INTERVALS;
  const answers: Readonly<Record<string, () => Promise<readonly [status: number, type: string, body: string]>>> = {
    '/livez': async () => [200, 'text/plain', 'ok'],
    '/readyz': async () => (view.ready() && isPolling() ? [200, 'text/plain', 'ok'] : [503, 'text/plain', 'not ready']),
    '/health': async () =>
      isPolling()
        ? [200, 'application/json', '{"message":"OK"}']
        : [503, 'application/json', '{"message":"Worker may be unresponsive at this time"}'],
    '/metrics': async () => [200, view.registry.contentType, await view.registry.metrics()],
  };
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/\?.*$/, '');
    const answer = answers[path];
    if (answer === undefined) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('not found');
      return;
    }
    answer().then(
      ([status, type, body]) => response.writeHead(status, { 'content-type': type }).end(body),
      (error: unknown) => response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error)),
    );
  });
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen(address.port, address.host, done);
  });
  return server;
}
