import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type KubernetesConnection, openConnection } from '../k8s/connection.ts';

/** One request as it came. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** What to answer: a status with JSON, or whatever the function does with the response. */
export type Reply =
  | { readonly status: number; readonly json?: unknown; readonly headers?: Readonly<Record<string, string>> }
  | ((response: ServerResponse) => void);

export interface TestServer {
  readonly url: string;
  readonly seen: readonly Seen[];
  close(): Promise<void>;
}

/**
 * A server on the loopback that answers as told: only for what no real server can be brought to do (410, broken lines,
 * resets, lost answers).
 *
 * @param answer is given each request and how many came before it.
 */
export async function serve(answer: (request: Seen, index: number) => Reply): Promise<TestServer> {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    let body = '';
    for await (const chunk of request) body += chunk;
    const one: Seen = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body,
    };
    seen.push(one);
    const reply = answer(one, seen.length - 1);
    if (typeof reply === 'function') reply(response);
    else {
      response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
      response.end(reply.json === undefined ? '' : JSON.stringify(reply.json));
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    seen,
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** A connection to a test server, as the worker has one to Kubernetes. */
export function connectTo(server: TestServer, deadlineMs = 2_000): KubernetesConnection {
  const access = {
    server: server.url,
    namespace: 'default',
    credentials: async () => ({ headers: { authorization: 'Bearer token' }, tls: {} }),
  };
  return openConnection(access, { clock: Date, userAgent: 'test', deadlineMs });
}

/** A Kubernetes `Status` object. */
export function status(code: number, reason: string, message: string): Reply {
  return { status: code, json: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message } };
}
