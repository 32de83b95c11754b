import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What went over the wire since the last `take`. */
export interface Traffic {
  /** All requests, those that were answered with an error or repeated included. */
  readonly requests: number;
  /** Requests that create, change or delete something: neither reads nor filters. */
  readonly writes: number;
  /** Answers 503: a SQLite server says so when two writers meet, and is asked again. */
  readonly busy: number;
  /** How often each method and kind of path was asked: `POST /deployments/`. */
  readonly kinds: ReadonlyMap<string, number>;
}

export interface CountingProxy {
  readonly url: string;
  /** @returns what has passed since the last call. */
  take(): Traffic;
  close(): Promise<void>;
}

/** Passes everything on to a server and counts the requests. */
export async function startCountingProxy(target: string): Promise<CountingProxy> {
  const agent = new Agent({ keepAlive: true });
  let kinds = new Map<string, number>();
  let busy = 0;
  const server = createServer((incoming, outgoing) => {
    const kind = `${incoming.method} ${kindOf(incoming.url ?? '/')}`;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    const onward = request(
      new URL(incoming.url ?? '/', target),
      { method: incoming.method, headers: incoming.headers, agent },
      (answer) => {
        if (answer.statusCode === 503) busy += 1;
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    take() {
      const [taken, refused] = [kinds, busy];
      kinds = new Map();
      busy = 0;
      const sum = (counts: (readonly [string, number])[]): number => counts.reduce((all, [, count]) => all + count, 0);
      return {
        requests: sum([...taken]),
        writes: sum([...taken].filter(([kind]) => isWrite(kind))),
        busy: refused,
        kinds: taken,
      };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      agent.destroy();
    },
  };
}

function isWrite(kind: string): boolean {
  return !kind.startsWith('GET ') && !kind.endsWith('/filter');
}

/** A path without ids, names and query. */
function kindOf(url: string): string {
  return url
    .replace(/\?.*$/, '')
    .replace(/^\/api/, '')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, ':id')
    .replace(/\/name\/.*$/, '/name/:name')
    .replace(/^\/work_pools\/(?!filter$|$)[^/]+/, '/work_pools/:name');
}
