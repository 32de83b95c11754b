import { Agent, createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What becomes of a request instead of an answer by the registry. */
export type Fault =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  /** The connection breaks after the beginning of the body. */
  | { readonly kind: 'reset' }
  /** The body is taken and nothing is answered. */
  | { readonly kind: 'silence' };

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  /** Docker or BuildKit, not our own look at the registry. */
  readonly byBuilder: boolean;
}

export interface FaultProxy {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  close(): Promise<void>;
}

/**
 * Stands before a registry and does to some requests what a registry in trouble does.
 *
 * @param decide undefined: the request goes on; `authorization`: with that header in place of its own.
 */
export async function startFaultProxy(
  registry: string,
  decide: (request: SeenRequest) => Fault | { readonly kind: 'pass'; readonly authorization: string } | undefined,
): Promise<FaultProxy> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, outgoing) => {
    const fate = decide(seenOf(incoming));
    if (fate?.kind === 'reset') {
      incoming.once('data', () => incoming.socket.resetAndDestroy());
      incoming.once('end', () => incoming.socket.resetAndDestroy());
    } else if (fate?.kind === 'silence') {
      incoming.resume();
    } else if (fate?.kind === 'answer') {
      incoming.resume();
      outgoing.writeHead(fate.status, fate.headers).end(fate.body);
    } else {
      const headers = { ...incoming.headers, ...(fate === undefined ? {} : { authorization: fate.authorization }) };
      const onward = httpRequest(
        new URL(incoming.url ?? '/', `http://${registry}`),
        { method: incoming.method, headers, agent },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        },
      );
      onward.on('error', () => outgoing.destroy());
      incoming.pipe(onward);
    }
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      agent.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function seenOf({ method = 'GET', url = '/', headers }: IncomingMessage): SeenRequest {
  return {
    method,
    path: url,
    authorization: headers.authorization,
    byBuilder: /buildkit|docker/i.test(headers['user-agent'] ?? ''),
  };
}
