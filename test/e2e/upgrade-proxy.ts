import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** A way to a Prefect API that passes requests on and decides about WebSockets. */
export interface UpgradeProxy {
  readonly url: string;
  /** `METHOD /path` of each request since the last call, below the API's URL; a WebSocket as `UPGRADE /path`. */
  taken(): string[];
  /** From now on: WebSockets are passed on, or refused with this status. Those that are open are cut. */
  upgrades(answer: 'pass' | number): void;
  close(): Promise<void>;
}

export async function openUpgradeProxy(apiUrl: string): Promise<UpgradeProxy> {
  const { hostname, port, pathname } = new URL(apiUrl);
  let answer: 'pass' | number = 'pass';
  let seen: string[] = [];
  const open = new Set<Socket>();
  const note = (method: string | undefined, url: string | undefined) =>
    seen.push(`${method} ${(url ?? '').replace(pathname, '')}`);
  const server = createServer((incoming, outgoing) => {
    note(incoming.method, incoming.url);
    const options = { host: hostname, port, path: incoming.url, method: incoming.method, headers: incoming.headers };
    const onward = httpRequest(options, (came) => {
      outgoing.writeHead(came.statusCode ?? 502, came.headers);
      came.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  server.on('upgrade', (incoming, socket: Socket, head: Buffer) => {
    note('UPGRADE', incoming.url);
    if (answer !== 'pass') {
      socket.end(`HTTP/1.1 ${answer} No\r\nconnection: close\r\n\r\n`);
      return;
    }
    const there = connect(Number(port), hostname);
    const lines = [`GET ${incoming.url} HTTP/1.1`];
    for (let index = 0; index < incoming.rawHeaders.length; index += 2) {
      lines.push(`${incoming.rawHeaders[index]}: ${incoming.rawHeaders[index + 1]}`);
    }
    there.write(`${lines.join('\r\n')}\r\n\r\n`);
    there.write(head);
    socket.pipe(there).pipe(socket);
    for (const [one, other] of [
      [socket, there],
      [there, socket],
    ] as const) {
      open.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`,
    taken() {
      const taken = seen;
      seen = [];
      return taken;
    },
    upgrades(next) {
      answer = next;
      for (const socket of open) socket.destroy();
    },
    async close() {
      for (const socket of open) socket.destroy();
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
