import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openPrefectApi, type PrefectApi } from '@slipway/prefect/client';
import { readSettings } from '@slipway/prefect/settings';
import type { Log } from '../world.ts';
import type { Attempt } from './attempt.ts';

/** One request as a server of ours got it; `path` is below the API's URL. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly authorization: string | undefined;
}

export interface Reply {
  readonly status: number;
  readonly body?: unknown;
}

/** What writes to a server of ours came to. */
export interface Written {
  readonly received: readonly Received[];
  readonly failures: readonly string[];
  readonly logged: readonly string[];
}

/**
 * Lets code write to a server of ours, for what no real one can be made to do: refuse one write of several, or speak
 * for Prefect Cloud.
 *
 * @param reply what the server answers; undefined: 201 and an id.
 */
export async function written(
  write: (context: { api: PrefectApi; attempt: Attempt; log: Log; signal: AbortSignal }) => Promise<void>,
  reply: (request: Received, index: number) => Reply | undefined,
  env: Readonly<Record<string, string>> = {},
): Promise<Written> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      const one: Received = {
        method: request.method ?? '',
        path: (request.url ?? '').replace('/api', ''),
        body: text === '' ? undefined : JSON.parse(text),
        authorization: request.headers.authorization,
      };
      const csrf = one.path.startsWith('/csrf-token');
      if (!csrf) received.push(one);
      const answer = csrf
        ? { status: 422, body: { detail: 'CSRF protection is disabled.' } }
        : (reply(one, received.length) ?? created(one, received.length));
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(answer.status === 204 ? undefined : JSON.stringify(answer.body ?? { detail: 'no' }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`;
  const logged: string[] = [];
  const log: Log = {
    info: (line) => logged.push(line),
    debug: () => undefined,
    warning: () => undefined,
    group: (_title, body) => body(),
    mask: () => undefined,
    redact: (line) => line,
  };
  const settings = readSettings({
    PREFECT_API_URL: url,
    PREFECT_CLIENT_MAX_RETRIES: '0',
    ...env,
    ...cloudAt(url, env),
  });
  const clock = { now: Date.now, sleep: async () => undefined };
  const api = openPrefectApi(settings, { clock, random: Math.random, log, product: 'test' });
  const failures: string[] = [];
  const attempt: Attempt = async (what, _where, work) => {
    try {
      return await work();
    } catch (error) {
      failures.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };
  try {
    await write({ api, attempt, log, signal: AbortSignal.timeout(10_000) });
    return { received, failures, logged };
  } finally {
    await api.close();
    server.closeAllConnections();
    server.close();
  }
}

/** With a key, our server is Prefect Cloud. */
function cloudAt(url: string, env: Readonly<Record<string, string>>): Record<string, string> {
  return env.PREFECT_API_KEY === undefined ? {} : { PREFECT_CLOUD_API_URL: url };
}

function created({ method, body }: Received, index: number): Reply {
  if (method === 'DELETE' || method === 'PUT') return { status: 204 };
  return { status: 201, body: { id: `id-${index}`, trigger: {}, ...(typeof body === 'object' ? body : {}) } };
}
