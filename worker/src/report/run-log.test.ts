import { setImmediate as turn } from 'node:timers/promises';
import { openPrefectApi, type PrefectApi } from '@slipway/prefect/client';
import { readSettings } from '@slipway/prefect/settings';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Reply, serve, type TestServer } from '../testing/server.ts';
import { testWorld } from '../testing/world.ts';
import { LEVEL, RunLog } from './run-log.ts';

let server: TestServer;
let api: PrefectApi;
const signal = new AbortController().signal;

async function runLog(replies: readonly Reply[]) {
  let logs = 0;
  server = await serve(({ path }) => {
    if (path !== '/api/logs/') return { status: 404 };
    logs += 1;
    return replies[Math.min(logs, replies.length) - 1] ?? { status: 201 };
  });
  const world = testWorld();
  const settings = readSettings({ PREFECT_API_URL: `${server.url}/api`, PREFECT_CLIENT_MAX_RETRIES: '0' });
  api = openPrefectApi(settings, { ...world, product: 'test' });
  const sent = () => server.seen.filter(({ path }) => path === '/api/logs/').map(({ body }) => JSON.parse(body));
  return { log: new RunLog(api, world), world, sent };
}
afterEach(async () => {
  await api.close();
  await server.close();
});

describe('a run’s own log', () => {
  it('is sent in one lot, each line with its run, its level and who says it', async () => {
    const { log, sent } = await runLog([{ status: 201 }]);
    log.tell('a', LEVEL.info, 'hello');
    log.tell('b', LEVEL.error, 'crashed', 'prefect.flow_runs.observer');
    await log.flush(signal);
    expect(sent()).toEqual([
      [
        {
          name: 'prefect.flow_runs.worker',
          level: 20,
          message: 'hello',
          timestamp: '2026-11-24T12:00:00.000000Z',
          flow_run_id: 'a',
        },
        expect.objectContaining({ name: 'prefect.flow_runs.observer', level: 40, flow_run_id: 'b' }),
      ],
    ]);
  });

  it('has lines that are told together in their order', async () => {
    const { log, sent } = await runLog([{ status: 201 }]);
    const lines = Array.from({ length: 500 }, (_, index) => `line ${index}`);
    log.tellAll('a', LEVEL.error, lines, 'prefect.flow_runs.observer');
    await log.flush(signal);
    const told: { message: string; timestamp: string }[] = sent().flat();
    expect(told.toSorted((a, b) => (a.timestamp < b.timestamp ? -1 : 1)).map(({ message }) => message)).toEqual(lines);
    expect(new Set(told.map(({ timestamp }) => timestamp)).size).toBe(500);
  });

  it('is sent two seconds after its first line, and nothing wakes up before there is one', async () => {
    const { log, sent, world } = await runLog([{ status: 201 }]);
    const stop = new AbortController();
    const running = log.run(stop.signal);
    await turn();
    expect(world.slept).toEqual([]);
    log.tell('a', LEVEL.info, 'hello');
    log.tell('a', LEVEL.info, 'world');
    await vi.waitFor(() => expect(sent()).toHaveLength(1));
    expect(world.slept).toEqual([2_000]);
    expect(sent()[0]).toHaveLength(2);
    stop.abort('over');
    await running;
  });

  it('asks for nothing when there is nothing to say', async () => {
    const { log, sent } = await runLog([]);
    await log.flush(signal);
    expect(sent()).toEqual([]);
  });

  it('keeps for the next time what the server does not take in passing', async () => {
    const { log, sent } = await runLog([{ status: 503 }, { status: 201 }]);
    log.tell('a', LEVEL.info, 'one');
    await log.flush(signal);
    log.tell('a', LEVEL.info, 'two');
    await log.flush(signal);
    expect(sent().map((lines) => lines.map((line: { message: string }) => line.message))).toEqual([
      ['one'],
      ['one', 'two'],
    ]);
  });

  it('drops what the server refuses, and says so', async () => {
    const { log, sent, world } = await runLog([{ status: 422 }, { status: 201 }]);
    log.tell('a', LEVEL.info, 'one');
    await log.flush(signal);
    await log.flush(signal);
    expect(sent()).toHaveLength(1);
    expect(world.logged).toMatchObject([
      { level: 'warning', text: expect.stringContaining('1 log lines were refused') },
    ]);
  });

  it('loses its oldest lines rather than memory, and counts them', async () => {
    const { log, sent, world } = await runLog([{ status: 201 }]);
    for (let index = 0; index < 10_003; index += 1) log.tell('a', LEVEL.info, String(index));
    await log.flush(signal);
    expect(sent()[0][0].message).toBe('3');
    expect(world.logged.at(-1)?.text).toContain('3 log lines of runs were dropped');
  });
});
