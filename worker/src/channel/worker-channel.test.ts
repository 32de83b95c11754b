import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { WorkPoolRecord } from '@slipway/prefect/client';
import { readSettings } from '@slipway/prefect/settings';
import { openPrefectSocket } from '@slipway/prefect/socket';
import { afterEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { cleanupFrame, ID, readyFrame, resultFrame, snapshotFrame } from '../testing/frames.ts';
import { testWorld } from '../testing/world.ts';
import { operationFrame } from './frames.ts';
import { WorkerChannel } from './worker-channel.ts';

/** What a server does with one channel once its credentials are taken; given every frame that comes. */
type Talk = (frame: { type: string; payload: Record<string, unknown> }, socket: WebSocket) => void;
/** A channel for the server, or the status its upgrade is refused with. */
type Answer = Talk | number;

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** A server that speaks the channel's protocol as a test wants; the last answer is for all that come later. */
async function channelServer(answers: readonly Answer[]) {
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  const connections: Socket[] = [];
  let upgrades = 0;
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    connections.push(socket);
    const answer = answers[Math.min(upgrades, answers.length - 1)];
    upgrades += 1;
    if (typeof answer !== 'function') {
      socket.end(`HTTP/1.1 ${answer} No\r\nconnection: close\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (accepted) => {
      accepted.on('message', (data) => {
        const frame = JSON.parse(String(data));
        if (frame.type === 'auth') accepted.send('{"type":"auth_success"}');
        else answer(frame, accepted);
      });
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const port = (server.address() as AddressInfo).port;
  open.push(() => {
    for (const socket of connections) socket.destroy();
    return new Promise((done) => server.close(done));
  });
  return { url: `http://127.0.0.1:${port}/api`, upgrades: () => upgrades, connections };
}

const ready: Talk = ({ type }, socket) => {
  if (type === 'worker.hello.v1') socket.send(readyFrame());
};
/** Is ready, and then does something. */
const readyAnd =
  (more: (socket: WebSocket) => void, frame = readyFrame()): Talk =>
  ({ type }, socket) => {
    if (type !== 'worker.hello.v1') return;
    socket.send(frame);
    more(socket);
  };

/** A channel to a server, running; what the pool was said to be, and what was handed out. */
function start(url: string, wait: 'real' | 'none' = 'none') {
  const real = testWorld();
  const world =
    wait === 'none'
      ? real
      : {
          ...real,
          clock: {
            now: Date.now,
            sleep: (ms: number, signal: AbortSignal) =>
              new Promise<void>((done, failed) => {
                setTimeout(done, ms).unref();
                signal.addEventListener('abort', () => failed(signal.reason), { once: true });
              }),
          },
        };
  const settings = readSettings({ PREFECT_API_URL: url, PREFECT_API_REQUEST_TIMEOUT: '1' });
  const pools: WorkPoolRecord[] = [];
  const health: boolean[] = [];
  const cleanup: unknown[] = [];
  const channel: WorkerChannel = new WorkerChannel({
    open: (signal) => openPrefectSocket({ settings, path: '/work_pools/k/workers/connect', product: 'test', signal }),
    hello: {
      consumerId: ID,
      workerName: 'w',
      heartbeatIntervalSeconds: 30,
      queueNames: [],
      createPool: true,
      template: {},
      metadata: { integrations: [] },
    },
    poolIs: (pool) => void pools.push(pool),
    changed: () => void health.push(channel.healthy),
    world,
  });
  const stop = new AbortController();
  const work = {
    connected: (room: number) => void cleanup.push(room),
    submit: (message: { message_id: string }, sentAt: number) => void cleanup.push([message.message_id, sentAt]),
    answered: (result: { status: string }) => void cleanup.push(result.status),
  };
  const running = channel.run(work, stop.signal);
  const end = async () => {
    stop.abort(new Error('enough'));
    await running;
  };
  open.push(end);
  const until = async (what: () => boolean) => {
    for (let turns = 0; !what(); turns += 1) {
      if (turns > 500) throw new Error(`not within five seconds: ${what} (${JSON.stringify(real.logged.slice(-5))})`);
      await new Promise((done) => setTimeout(done, 10));
    }
  };
  return { channel, pools, health, cleanup, logged: real.logged, slept: real.slept, end, until };
}

/** Check 60 of contracts/worker.md §9. */
describe('the worker channel', () => {
  it('is healthy once the server is ready, and gives the pool as it is', async () => {
    const { url } = await channelServer([ready]);
    const { channel, pools, health, cleanup } = start(url, 'real');
    await channel.tried;
    expect(channel.healthy).toBe(true);
    expect(pools).toMatchObject([{ name: 'k', base_job_template: { job_configuration: {} } }]);
    expect(health).toEqual([true]);
    expect(cleanup).toEqual([1]);
  });

  it('gives a later pool in the order of its numbers alone, within one channel', async () => {
    const numbers = [3, 2, 3, 4];
    const { url, connections } = await channelServer([
      readyAnd((socket) => {
        for (const number of numbers) socket.send(snapshotFrame(number, { description: String(number) }));
      }),
      readyAnd((socket) => socket.send(snapshotFrame(2, { description: 'again' }))),
      ready,
    ]);
    const { pools, until } = start(url);
    await until(() => pools.length >= 3);
    connections[0]?.destroy();
    await until(() => pools.length >= 5);
    expect(pools.map(({ description }) => description ?? 'first').slice(0, 5)).toEqual([
      'first',
      '3',
      '4',
      'first',
      'again',
    ]);
  });

  it('beats at the interval that the server says, and tells what we bring until that was taken', async () => {
    const frames: { type: string; payload: Record<string, unknown> }[] = [];
    const talk: Talk = (frame, socket) => {
      frames.push(frame);
      ready(frame, socket);
      if (frame.type === 'worker.heartbeat.v1') socket.close(1011, 'transient_server_error');
    };
    const { url } = await channelServer([
      (frame, socket) => {
        frames.push(frame);
        socket.close(1011, 'transient_server_error');
      },
      talk,
    ]);
    const { slept, until } = start(url);
    await until(() => frames.length >= 6);
    const hellos = frames.filter(({ type }) => type === 'worker.hello.v1');
    expect(hellos.slice(0, 3).map(({ payload }) => payload.worker_metadata)).toEqual([
      { integrations: [] },
      { integrations: [] },
      null,
    ]);
    expect(frames[2]).toMatchObject({
      type: 'worker.heartbeat.v1',
      payload: { consumer_id: ID, worker_name: 'w', heartbeat_interval_seconds: 30 },
    });
    expect(slept).toContain(30_000);
  });

  it.each([
    ['the endpoint is not known', 404],
    ['the server closes it for a reason that stays', readyAnd((socket) => socket.close(1008, 'authorization_failed'))],
    ['hello is not taken', (_frame: unknown, socket: WebSocket) => socket.close(1008, 'unsupported_version')],
    ['hello is answered with something else', (_frame: unknown, socket: WebSocket) => socket.send(snapshotFrame(2))],
    [
      'hello is answered for another',
      readyAnd(() => undefined, readyFrame({ consumer_id: ID.replace('0001', '0002') })),
    ],
    ['the server sends no frame', readyAnd((socket) => socket.send('{}'))],
    ['the server is ready twice', readyAnd((socket) => socket.send(readyFrame()))],
    [
      'cleanup comes that was not accepted',
      readyAnd(
        (socket) => socket.send(cleanupFrame()),
        readyFrame({
          accepted_capabilities: ['worker_heartbeat.v1', 'work_pool_snapshot.v1'],
          effective_max_cleanup_concurrency: 0,
        }),
      ),
    ],
  ] as const)('is over for good when %s', async (_what, answer) => {
    const { url, upgrades } = await channelServer([answer as Answer]);
    const { channel, logged, until } = start(url);
    await until(() => logged.some(({ level, text }) => level === 'info' && text.includes('go by REST')));
    await new Promise((done) => setTimeout(done, 50));
    expect([channel.healthy, upgrades()]).toEqual([false, 1]);
  });

  it.each([
    ['the server cannot', 503],
    ['the server fails', (_frame: unknown, socket: WebSocket) => socket.close(1011, 'heartbeat_persistence_failed')],
    ['the connection breaks', (_frame: unknown, socket: WebSocket) => socket.terminate()],
  ] as const)('is tried again, each time later, when %s, and is healthy then', async (_what, answer) => {
    const { url } = await channelServer([...Array(4).fill(answer), ready]);
    const { channel, slept, until, end } = start(url);
    await until(() => channel.healthy);
    await end();
    // Half of the cap: chance gives one half here.
    expect(slept.filter((ms) => ms < 30_000).slice(0, 4)).toEqual([500, 1_000, 2_000, 4_000]);
  });

  it('is tried again, each time later, when it was open and broke at once', async () => {
    const { url } = await channelServer([
      readyAnd((socket) => socket.terminate()),
      readyAnd((socket) => socket.terminate()),
      ready,
    ]);
    const { channel, logged, until, health } = start(url, 'real');
    await until(() => health.length === 5 && channel.healthy);
    const pauses = logged.flatMap(({ text }) => /trying again in (.*)$/.exec(text)?.[1] ?? []);
    expect(pauses).toEqual(['0.5 s', '1.0 s']);
  });

  it('is tried again, ever more rarely, where none ever was', async () => {
    const { url } = await channelServer([503]);
    const { slept, until, channel } = start(url);
    await channel.tried;
    await until(() => slept.length >= 12);
    expect(slept.slice(4, 12)).toEqual([8_000, 16_000, 32_000, 64_000, 128_000, 150_000, 150_000, 150_000]);
  });

  it('hands on what is handed out, and sends what is said of it over the channel of the moment', async () => {
    const frames: string[] = [];
    const talk: Talk = (frame, socket) => {
      frames.push(frame.type);
      if (frame.type === 'worker.hello.v1') {
        socket.send(readyFrame());
        socket.send(cleanupFrame());
      } else if (frame.type.startsWith('cleanup.')) socket.send(resultFrame({}));
    };
    const { url, connections } = await channelServer([talk, 503, talk]);
    const { channel, cleanup, until } = start(url, 'real');
    await until(() => cleanup.length >= 2);
    connections[0]?.destroy();
    await until(() => !channel.healthy);
    const frame = operationFrame('ack', { message_id: ID, reservation_token: 't' }, 0);
    await channel.send(frame, AbortSignal.timeout(15_000));
    await until(() => cleanup.includes('accepted'));
    expect(cleanup.slice(0, 2)).toEqual([1, [ID, Date.parse('2026-11-26T12:00:00.5Z')]]);
    expect(frames.filter((type) => type.startsWith('cleanup.'))).toEqual(['cleanup.ack.v1']);
  });

  it('does not send what was given up meanwhile', async () => {
    const { url } = await channelServer([404]);
    const { channel } = start(url);
    const frame = operationFrame('ack', { message_id: ID, reservation_token: 't' }, 0);
    await expect(channel.send(frame, AbortSignal.timeout(50))).rejects.toThrow();
  });

  it('closes when the worker ends', async () => {
    const { url, connections } = await channelServer([ready]);
    const { channel, end } = start(url, 'real');
    await channel.tried;
    await end();
    expect(channel.healthy).toBe(false);
    expect(connections[0]?.destroyed).toBe(true);
  });
});
