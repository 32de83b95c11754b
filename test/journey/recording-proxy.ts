import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A way to a server that notes what goes through. */
export interface RecordingProxy {
  /** The address to give instead of the server's, with the same path. */
  readonly url: string;
  /** `METHOD /path` of each request since the last call that was not answered 503, in order. */
  taken(): string[];
  close(): Promise<void>;
}

/**
 * Opens a plain HTTP proxy in front of one address, e.g. a Prefect API's.
 *
 * @param own answers what the server behind does not know, with JSON; undefined: that server is asked.
 */
export async function openRecordingProxy(
  target: string,
  own: (method: string, url: string, body: string) => object | undefined = () => undefined,
): Promise<RecordingProxy> {
  const { origin, pathname } = new URL(target);
  let seen: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const { method = 'GET', url = '/', headers } = request;
      const { host: _host, connection: _connection, 'content-length': _length, ...others } = headers;
      const sent = Object.entries(others).flatMap(([name, value]) =>
        typeof value === 'string' ? [[name, value] as [string, string]] : [],
      );
      const answered = own(method, url, Buffer.concat(chunks).toString());
      if (answered !== undefined) {
        seen.push(`${method} ${url}`);
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(answered));
        return;
      }
      const body = method === 'GET' || chunks.length === 0 ? null : Buffer.concat(chunks);
      try {
        const answer = await fetch(`${origin}${url}`, { method, headers: sent, body, redirect: 'manual' });
        // A SQLite server that is busy wrote nothing; the request comes again.
        if (answer.status !== 503) seen.push(`${method} ${url}`);
        const type = answer.headers.get('content-type');
        const retryAfter = answer.headers.get('retry-after');
        response.writeHead(answer.status, {
          ...(type === null ? {} : { 'content-type': type }),
          ...(retryAfter === null ? {} : { 'retry-after': retryAfter }),
        });
        response.end(Buffer.from(await answer.arrayBuffer()));
      } catch {
        response.destroy();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`,
    taken() {
      const taken = seen;
      seen = [];
      return taken;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
