import {
  createServer,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
} from 'node:http';
import { createServer as createSecureServer, Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** What went over the wire since the last `take`. */
export interface Traffic {
  /** All requests, those that were answered with an error or repeated included. */
  readonly requests: number;
  /** Requests that create, change or delete something: neither reads nor filters. */
  readonly writes: number;
  /** Answers 503: a SQLite server says so when two writers meet, and is asked again. */
  readonly busy: number;
  /** Connections opened to the proxy, those of WebSockets included. */
  readonly connections: number;
  /** Bytes of both directions, without what TLS adds. */
  readonly bytes: number;
  /** How often each method and kind of path was asked: `POST /deployments/`. */
  readonly kinds: ReadonlyMap<string, number>;
}

/** A request on its way, as it is told to whoever measures. */
export interface Passing {
  readonly kind: string;
  /** Undefined while it has not been answered: each request is told twice. */
  readonly status: number | undefined;
}

export interface CountingProxy {
  readonly url: string;
  readonly port: number;
  /** @returns what has passed since the last call. */
  take(): Traffic;
  close(): Promise<void>;
}

export interface CountingOptions {
  /** What kind of request it is, by method and path with query; requests of a kind are counted together. */
  readonly kindOf: (method: string, url: string) => string;
  /** Told of each request as it comes and as it is answered. */
  readonly tell?: (passing: Passing) => void;
  /** The proxy's own certificate, as PEM: it is then spoken to by TLS. */
  readonly certificate?: { readonly certificate: string; readonly key: string };
  /** The certificate of the server to trust, as PEM. */
  readonly ca?: string;
}

/**
 * Passes everything on to a server, WebSockets to one without TLS included, and counts. Callers are told no time for
 * which a connection may be kept, since neither server says one.
 */
export async function startCountingProxy(target: string, options: CountingOptions): Promise<CountingProxy> {
  const { kindOf, tell = () => undefined, certificate, ca } = options;
  const secure = target.startsWith('https:');
  const agent = secure
    ? new HttpsAgent({ keepAlive: true, ...(ca === undefined ? {} : { ca }) })
    : new HttpAgent({ keepAlive: true });
  const send = secure ? httpsRequest : httpRequest;
  let counted = { kinds: new Map<string, number>(), busy: 0, connections: 0, bytes: 0 };
  const sockets = new Set<Socket>();

  function count(method: string, url: string): string {
    const kind = kindOf(method, url);
    counted.kinds.set(kind, (counted.kinds.get(kind) ?? 0) + 1);
    tell({ kind, status: undefined });
    return kind;
  }
  function countBytes(chunk: Buffer): void {
    counted.bytes += chunk.length;
  }

  const passOn: RequestListener = (incoming, outgoing) => {
    const { method = 'GET', url = '/', headers } = incoming;
    const kind = count(method, url);
    counted.bytes += headLength(incoming);
    const onward = send(new URL(url, target), { method, headers, agent }, (answer) => {
      const status = answer.statusCode ?? 502;
      if (status === 503) counted.busy += 1;
      counted.bytes += headLength(answer);
      // Said explicitly, or Node adds how long it keeps a connection.
      outgoing.writeHead(status, { connection: 'keep-alive', ...answer.headers });
      outgoing.flushHeaders();
      answer.on('data', countBytes);
      answer.once('error', () => outgoing.destroy());
      answer.pipe(outgoing);
      tell({ kind, status });
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.once('close', () => {
      // Who asked has left: a watch has to end behind the proxy too.
      if (!outgoing.writableFinished) onward.destroy();
    });
    incoming.on('data', countBytes);
    incoming.pipe(onward);
  };

  function passUpgrade(incoming: IncomingMessage, socket: Socket, head: Buffer): void {
    const { hostname, port } = new URL(target);
    count('WS', incoming.url ?? '/');
    const onward = connect(Number(port), hostname);
    for (const [from, to] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      sockets.add(from);
      from.once('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on('error', () => to.destroy());
    }
    onward.write(headOf(incoming));
    onward.write(head);
    counted.bytes += headLength(incoming);
    for (const each of [socket, onward]) each.on('data', countBytes);
    socket.pipe(onward).pipe(socket);
  }

  const server =
    certificate === undefined
      ? createServer(passOn)
      : createSecureServer({ cert: certificate.certificate, key: certificate.key }, passOn);
  // Longer than either server keeps one: which connections are opened anew is up to the caller and the server behind.
  server.keepAliveTimeout = 90_000;
  server.on(certificate === undefined ? 'connection' : 'secureConnection', () => {
    counted.connections += 1;
  });
  if (!secure) server.on('upgrade', passUpgrade);
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    take() {
      const { kinds, busy, connections, bytes } = counted;
      counted = { kinds: new Map(), busy: 0, connections: 0, bytes: 0 };
      const sum = (counts: (readonly [string, number])[]): number => counts.reduce((all, [, each]) => all + each, 0);
      return {
        requests: sum([...kinds]),
        writes: sum([...kinds].filter(([kind]) => isWrite(kind))),
        busy,
        connections,
        bytes,
        kinds,
      };
    },
    async close() {
      server.closeAllConnections();
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
      agent.destroy();
    },
  };
}

function isWrite(kind: string): boolean {
  return !/^(GET|WATCH|WS) /.test(kind) && !kind.endsWith('/filter');
}

function headOf({ method, url, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/1.1`];
  for (let at = 0; at < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** The length of a request's or answer's head, about. */
function headLength({ url = '', rawHeaders }: IncomingMessage): number {
  return rawHeaders.reduce((sum, part) => sum + part.length + 2, url.length + 16);
}
