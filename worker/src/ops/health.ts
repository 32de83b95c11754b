import type { Registry } from 'prom-client';
import { ConfigError } from '../config/config-error.ts';
import { createServer } from '../node-http.ts';
import type { Log } from '../world.ts';

/** What the health server asks the worker. */
export interface HealthView {
  /** The process does its work and is not ending. */
  readonly ready: () => boolean;
  /** Milliseconds since the last poll that was answered, or since the start. */
  readonly sincePollMs: () => number;
  readonly pollIntervalMs: number;
  readonly registry: Pick<Registry, 'contentType' | 'metrics'>;
  readonly log: Log;
}

export interface HealthServer {
  /** Where it listens; undefined when there is none. */
  readonly port: number | undefined;
  close(): void;
}

/** Python's worker is called unresponsive after this many intervals (contracts/worker.md §3.7). */
const INTERVALS = 30;

/**
 * Serves `/health` (as Python's worker: 200 or 503 by the last poll), `/livez` (the process answers), `/readyz` (it polls
 * and sees what happens in the cluster) and `/metrics`. Port 0 takes a free one. The caller closes it.
 *
 * @param address undefined when nothing is to be served.
 * @throws ConfigError when the address cannot be listened on.
 */
export async function serveHealth(
  address: { readonly host: string; readonly port: number } | undefined,
  view: HealthView,
): Promise<HealthServer> {
  if (address === undefined) return { port: undefined, close: () => undefined };
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
  }).catch((cause: unknown) => {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new ConfigError(
      `Health cannot be served at ${address.host}:${address.port} (${code}).`,
      'Set PREFECT_WORKER_WEBSERVER_HOST and PREFECT_WORKER_WEBSERVER_PORT to a free address; port 0 takes a free one.',
    );
  });
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port;
  view.log.info(`Health and metrics at http://${address.host}:${port}`, { port });
  return {
    port,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
