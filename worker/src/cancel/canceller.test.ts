import { openPrefectApi } from '@slipway/prefect/client';
import { readSettings } from '@slipway/prefect/settings';
import { afterEach, describe, expect, it } from 'vitest';
import { RunLog } from '../report/run-log.ts';
import { connectTo, serve } from '../testing/server.ts';
import { testWorld } from '../testing/world.ts';
import { Wakeup } from '../wakeup.ts';
import { cancelRuns } from './canceller.ts';

const POLL_MS = 60_000;
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

/** The loop against a server where nothing is Cancelling; it ends after so many questions. */
async function scene(most: number, isWaiting: () => boolean, onAsked: (count: number) => void = () => undefined) {
  const world = testWorld();
  const begun = world.clock.now();
  const stop = new AbortController();
  const jobs = new Wakeup();
  const asked: number[] = [];
  const server = await serve(({ path }) => {
    if (!path.startsWith('/api/flow_runs/filter')) return { status: 404 };
    asked.push((world.clock.now() - begun) / 1000);
    onAsked(asked.length);
    if (asked.length === most) stop.abort('enough');
    return { status: 200, json: [] };
  });
  const kubernetes = connectTo(server);
  const api = openPrefectApi(readSettings({ PREFECT_API_URL: `${server.url}/api` }), { ...world, product: 'test' });
  opened.push(server, kubernetes, api);
  const options = {
    api,
    kubernetes,
    pool: 'p',
    namespaces: () => ['default'],
    anyWaiting: isWaiting,
    jobsChanged: (signal: AbortSignal) => jobs.next(signal),
    inHand: () => false,
    pollMs: POLL_MS,
    runLog: new RunLog(api, world),
    world,
  };
  return { run: () => cancelRuns(options, stop.signal), asked, world, jobs };
}

describe('looking for cancelled runs', () => {
  it('is done seldom while no Job waits for its pod, and sleeps in between', async () => {
    const { run, asked, world } = await scene(4, () => false);
    await run();
    expect(asked).toEqual([0, 60, 120, 180]);
    // Twice an interval: after the question, and for the rest.
    expect(world.slept.length).toBeLessThanOrEqual(7);
  });

  it('is done every few seconds while one waits', async () => {
    const { run, asked } = await scene(4, () => true);
    await run();
    expect(asked).toEqual([0, 2.5, 5, 7.5]);
  });

  it('begins as soon as a Job has come', async () => {
    let isWaiting = false;
    const { run, asked, world, jobs } = await scene(2, () => isWaiting);
    const { sleep } = world.clock;
    Object.assign(world.clock, {
      // The long sleep does not end by itself.
      sleep: (ms: number, signal: AbortSignal) =>
        ms < 10_000
          ? sleep(ms, signal)
          : new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => reject(signal.reason), { once: true });
              setImmediate(() => {
                isWaiting = true;
                jobs.wake();
              });
            }),
    });
    await run();
    expect(asked).toEqual([0, 2.5]);
  });
});
