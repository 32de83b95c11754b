import {
  createServer as createHttpServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { text } from 'node:stream/consumers';
import type { Certificates } from './certificates.ts';
import type { Cloud, CloudAnswer, CloudRequest } from './cloud.ts';
import { matchesHost } from './dns.ts';

/** A request that a cloud was asked, with the status it was answered. */
export interface Seen {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  /** Empty when it went on to the registry. */
  readonly body: string;
  readonly status: number;
}

/** Looks at a request before its cloud does; an answer is given in the cloud's place, `reset` breaks the connection. */
export type Interception = (request: CloudRequest) => CloudAnswer | 'reset' | undefined;

export interface CloudServer {
  /** Plays other clouds from now on, and forgets what was seen and intercepted. */
  play(clouds: readonly Cloud[]): void;
  /** All requests since `play`, in the order they were answered. */
  readonly seen: readonly Seen[];
  /** Until the next `play`. */
  intercept(interception: Interception): void;
  close(): Promise<void>;
}

export interface CloudServerOptions {
  readonly certificates: Pick<Certificates, 'certificate' | 'key'>;
  /** `host:port` of the real registry that holds the images of all. */
  readonly registry: string;
  /** Unix sockets to listen on. */
  readonly sockets: { readonly tls: string; readonly plain: string };
}

/**
 * One server that plays every cloud, told apart by the Host header, and passes on to the real registry whoever a cloud
 * lets pass. What nobody plays is answered 421.
 */
export async function startCloudServer(options: CloudServerOptions): Promise<CloudServer> {
  const seen: Seen[] = [];
  let clouds: readonly Cloud[] = [];
  const interceptions: Interception[] = [];

  const handle = async (message: IncomingMessage, response: ServerResponse, scheme: 'https' | 'http') => {
    const { request, body } = requestOf(message, scheme);
    const note = (status: number): void => {
      const { method, host, url, headers } = request;
      seen.push({ method, host, path: url.pathname, query: url.searchParams, headers, body: body(), status });
    };
    for (const interception of interceptions) {
      const answer = interception(request);
      if (answer === undefined) continue;
      note(answer === 'reset' ? 0 : answer.status);
      if (answer === 'reset') message.socket.destroy();
      else send(message, response, answer);
      return;
    }
    const cloud = clouds.find(({ hosts }) => matchesHost(request.host, hosts));
    const reply = (await cloud?.reply(request)) ?? { status: 421, body: `nobody plays ${request.host}` };
    if (reply === 'registry') {
      passOn(message, response, options.registry, note);
      return;
    }
    note(reply.status);
    send(message, response, reply);
  };
  const listener = (scheme: 'https' | 'http') => (message: IncomingMessage, response: ServerResponse) => {
    handle(message, response, scheme).catch((error: unknown) => {
      send(message, response, { status: 500, body: `the fake itself failed: ${String(error)}` });
    });
  };
  const { certificate: cert, key } = options.certificates;
  const servers: Server[] = [createTlsServer({ cert, key }, listener('https')), createHttpServer(listener('http'))];
  await Promise.all(
    [options.sockets.tls, options.sockets.plain].map(
      (socket, index) =>
        new Promise<void>((resolve, reject) => {
          servers[index]?.once('error', reject).listen(socket, resolve);
        }),
    ),
  );
  return {
    seen,
    intercept: (interception) => void interceptions.push(interception),
    play(other) {
      clouds = other;
      seen.length = 0;
      interceptions.length = 0;
    },
    async close() {
      for (const server of servers) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

function requestOf(message: IncomingMessage, scheme: string): { request: CloudRequest; body: () => string } {
  const host = (message.headers.host ?? '').replace(/\.?(?::\d+)?$/, '').toLowerCase();
  const headers = Object.fromEntries(
    Object.entries(message.headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  );
  let read = '';
  const request: CloudRequest = {
    method: message.method ?? 'GET',
    host,
    url: new URL(message.url ?? '/', `${scheme}://${host || 'unknown'}`),
    headers,
    async text() {
      if (read === '') read = await text(message);
      return read;
    },
  };
  return { request, body: () => read };
}

function send(message: IncomingMessage, response: ServerResponse, answer: CloudAnswer): void {
  // A body that nobody reads would hold the connection.
  message.resume();
  const body = answer.body ?? '';
  response.writeHead(answer.status, { 'content-length': Buffer.byteLength(body), ...answer.headers });
  response.end(message.method === 'HEAD' ? undefined : body);
}

function passOn(
  message: IncomingMessage,
  response: ServerResponse,
  registry: string,
  note: (status: number) => void,
): void {
  const { authorization: _authorization, ...headers } = message.headers;
  const onward = httpRequest(
    `http://${registry}${message.url}`,
    { method: message.method ?? 'GET', headers: { ...headers, 'x-forwarded-proto': 'https' } },
    (answer) => {
      note(answer.statusCode ?? 0);
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  onward.on('error', () => response.destroy());
  message.on('error', () => onward.destroy());
  message.pipe(onward);
}
