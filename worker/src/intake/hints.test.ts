import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { readSettings } from '@slipway/prefect/settings';
import type { SocketEnd } from '@slipway/prefect/socket';
import { afterEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { type TestWorld, testWorld } from '../testing/world.ts';
import { isRefusal, listenForHints } from './hints.ts';

const scheduled = (run: string) =>
  JSON.stringify({
    type: 'event',
    event: { event: 'prefect.flow-run.Scheduled', resource: { 'prefect.resource.id': `prefect.flow-run.${run}` } },
  });

let server: Server | undefined;
let open: Socket[] = [];
afterEach(() => {
  for (const socket of open) socket.destroy();
  server?.close();
  open = [];
});

interface Behaviour {
  /** What happens to a subscription, by how many came before it. */
  readonly subscribed?: (socket: WebSocket, index: number) => void;
  /** How an upgrade is refused. */
  readonly refusal?: string;
}

/** A server of events that does what no real one can be brought to do. */
async function events({ subscribed, refusal }: Behaviour) {
  const filters: unknown[] = [];
  let upgrades = 0;
  const sockets = new WebSocketServer({ noServer: true });
  server = createServer();
  server.on('upgrade', (request, socket: Socket, head) => {
    open.push(socket);
    upgrades += 1;
    if (refusal !== undefined) {
      socket.end(`HTTP/1.1 ${refusal}\r\nconnection: close\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (accepted) => {
      accepted.once('message', () => {
        accepted.send('{"type":"auth_success"}');
        accepted.once('message', (data) => {
          filters.push(JSON.parse(String(data)));
          subscribed?.(accepted, filters.length - 1);
        });
      });
    });
  });
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/api`, filters, upgrades: () => upgrades };
}

interface Listening {
  readonly world: TestWorld;
  /** What was heard, in order. */
  readonly heard: string[];
  /** Resolves at the first run that is heard of. */
  readonly first: Promise<void>;
  readonly stop: () => Promise<void>;
}

/** @param sleeps how often the listener may wait before it is stopped. */
function listen(
  url: string,
  poolId: () => string = () => 'p',
  sleeps = Number.POSITIVE_INFINITY,
): Listening & { ended: Promise<void> } {
  const world = testWorld();
  const heard: string[] = [];
  const { promise: first, resolve } = Promise.withResolvers<void>();
  const hinted = {
    listening: () => heard.push('listening'),
    ready: (run: string) => {
      heard.push(`ready ${run}`);
      resolve();
    },
    taken: (run: string) => heard.push(`taken ${run}`),
  };
  const stop = new AbortController();
  const settings = readSettings({ PREFECT_API_URL: url });
  const { clock } = world;
  const sleep: typeof clock.sleep = async (ms, signal) => {
    // The watch over the pool's id waits in real time: the world's own would spin.
    if (ms === 60_000) await new Promise((resolve) => setTimeout(resolve, 20));
    await clock.sleep(ms, signal);
    if (world.slept.filter((each) => each !== 60_000).length >= sleeps) stop.abort(new Error('enough'));
  };
  const options = {
    settings,
    product: 'test/1',
    poolId,
    serves: () => true,
    hinted,
    world: { ...world, clock: { ...clock, sleep } },
  };
  const ended = listenForHints(options, stop.signal);
  return {
    world,
    heard,
    first,
    ended,
    stop: async () => {
      stop.abort(new Error('stopped'));
      await ended;
    },
  };
}

describe('the subscription', () => {
  it('hears of a run that becomes ready', async () => {
    const { url, filters } = await events({ subscribed: (socket) => socket.send(scheduled('a')) });
    const { heard, first, stop } = listen(url);
    await first;
    expect(heard).toEqual(['listening', 'ready a']);
    expect(filters).toMatchObject([{ filter: { related: { id: ['prefect.work-pool.p'] } } }]);
    await stop();
  });

  it('is opened again when it ends, and says so once', async () => {
    const { url, filters } = await events({
      subscribed: (socket, index) => (index < 3 ? socket.close(1011, 'transient') : socket.send(scheduled('a'))),
    });
    const { first, world, stop } = listen(url);
    await first;
    expect(filters).toHaveLength(4);
    expect(world.slept.filter((ms) => ms !== 60_000)).toEqual([500, 1_000, 2_000]);
    expect(world.logged.map(({ level }) => level)).toEqual(['info']);
    await stop();
  });

  it('that is refused is asked for again every half hour, and says so once', async () => {
    const { url, upgrades } = await events({ refusal: '403 Forbidden' });
    const { world, ended } = listen(url, undefined, 3);
    await ended;
    expect(upgrades()).toBe(3);
    expect(world.slept).toEqual([1_800_000, 1_800_000, 1_800_000]);
    expect(world.logged.map(({ level }) => level)).toEqual(['info']);
    expect(world.logged[0]?.text).toContain('refused with status 403');
  });

  it('is made anew for a pool that was made anew', async () => {
    let id = 'old';
    const { url, filters } = await events({
      subscribed: (socket, index) => {
        if (index === 0) id = 'new';
        else socket.send(scheduled('a'));
      },
    });
    const { first, stop } = listen(url, () => id);
    await first;
    expect(filters).toMatchObject([
      { filter: { related: { id: ['prefect.work-pool.old'] } } },
      { filter: { related: { id: ['prefect.work-pool.new'] } } },
    ]);
    await stop();
  });
});

describe('an end of the subscription', () => {
  it.each<[SocketEnd, boolean]>([
    [{ kind: 'refused', status: 401 }, true],
    [{ kind: 'refused', status: 403 }, true],
    [{ kind: 'refused', status: 404 }, true],
    [{ kind: 'refused', status: 429 }, false],
    [{ kind: 'refused', status: 503 }, false],
    [{ kind: 'denied', reason: 'no' }, true],
    [{ kind: 'closed', code: 1008, reason: '' }, true],
    [{ kind: 'closed', code: 1002, reason: 'Invalid filter' }, true],
    [{ kind: 'closed', code: 1011, reason: '' }, false],
    [{ kind: 'closed', code: 1000, reason: '' }, false],
    [{ kind: 'closed', code: 1012, reason: 'service restart' }, false],
    [{ kind: 'lost', code: 'ECONNRESET' }, false],
  ])('%j will be the same next time: %s', (end, refusal) => {
    expect(isRefusal(end)).toBe(refusal);
  });
});
