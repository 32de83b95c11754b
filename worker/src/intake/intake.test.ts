import { afterEach, describe, expect, it } from 'vitest';
import { servePrefect, type TestPrefect } from '../testing/prefect.ts';
import type { Reply } from '../testing/server.ts';
import { type TestWorld, testWorld } from '../testing/world.ts';
import { intake } from './intake.ts';
import { Slots } from './slots.ts';

let prefect: TestPrefect | undefined;
afterEach(async () => {
  await prefect?.close();
  prefect = undefined;
});

const run = (id: string) => ({
  work_queue_id: 'q',
  work_pool_id: 'p',
  flow_run: { id, name: `run-${id}`, flow_id: 'f', state_id: `state-${id}`, state_type: 'SCHEDULED' },
});
const found = (...ids: string[]): Reply => ({ status: 200, json: ids.map(run) });
const refused = (status: number): Reply => ({ status, json: { detail: 'no' } });

interface Options {
  readonly queueNames?: readonly string[];
  readonly prefetchMs?: number;
  readonly runOnce?: boolean;
  readonly limit?: number;
  /** Runs that are in hand already. */
  readonly inHand?: readonly string[];
  /** What is done with each run that comes: whether it stays in hand. */
  readonly take?: boolean;
  readonly polls: number;
}

/** Lets the intake poll so often; what came, what was asked, and how long it waited. */
async function taken(answers: readonly Reply[], options: Options) {
  const world: TestWorld = testWorld();
  const stop = new AbortController();
  prefect = await servePrefect(world, (_request, index) => {
    if (index + 1 >= options.polls && options.runOnce !== true) setTimeout(() => stop.abort(new Error('enough')), 50);
    return answers[Math.min(index, answers.length - 1)] ?? found();
  });
  const slots = new Slots(options.limit ?? 32, () => Number.POSITIVE_INFINITY);
  for (const id of options.inHand ?? []) slots.take(id, new Promise(() => undefined));
  const due: string[] = [];
  const { queueNames = [], prefetchMs = 10_000, runOnce = false } = options;
  const pool = { name: 'k', createIfNotFound: true, baseJobTemplate: undefined, anyType: false };
  let polled = 0;
  const sink = { polls: { inc: () => undefined } };
  const coming = intake(
    {
      config: { pool, queueNames: [...queueNames], pollIntervalMs: 10_000, prefetchMs, runOnce },
      api: prefect.api,
      slots,
      metrics: sink as never,
      world,
      polled: () => {
        polled += 1;
      },
    },
    stop.signal,
  );
  for await (const one of coming) {
    due.push(one.id);
    if (options.take === true) slots.take(one.id, new Promise(() => undefined));
  }
  return { due, bodies: prefect.bodies(), asked: prefect.asked(), world, polled };
}

/** Checks 46 to 49 and 55 of contracts/worker.md §9. */
describe('the intake', () => {
  it('asks for what is due within the prefetch, of its queues alone, no more than there is room for', async () => {
    const { bodies, asked } = await taken([found()], {
      polls: 1,
      queueNames: ['high', 'low'],
      prefetchMs: 20_000,
      limit: 5,
      inHand: ['a', 'b'],
      runOnce: true,
    });
    expect(asked).toEqual(['POST /work_pools/k/get_scheduled_flow_runs']);
    expect(bodies).toEqual([
      { work_queue_names: ['high', 'low'], scheduled_before: '2026-11-24T12:00:20.000Z', limit: 3 },
    ]);
  });

  it('may ask for what is due now and no sooner', async () => {
    const { bodies } = await taken([found()], { polls: 1, prefetchMs: 0, runOnce: true });
    expect(bodies).toMatchObject([{ scheduled_before: '2026-11-24T12:00:00.000Z' }]);
  });

  it('keeps the server’s order, in which the priority of a queue comes before lateness', async () => {
    expect((await taken([found('c', 'a', 'b')], { polls: 1, runOnce: true })).due).toEqual(['c', 'a', 'b']);
  });

  it('does not take a run twice that is still in hand', async () => {
    const { due } = await taken([found('a', 'b')], { polls: 3, take: true });
    expect(due).toEqual(['a', 'b']);
  });

  it('takes a run again that is in hand no more', async () => {
    expect((await taken([found('a'), found('a'), found()], { polls: 3 })).due).toEqual(['a', 'a']);
  });

  it('asks again at once when the answer was as long as there was room, and waits for room when there is none', async () => {
    const { due, bodies, world } = await taken([found('a', 'b'), found()], { polls: 1, limit: 2, take: true });
    expect(due).toEqual(['a', 'b']);
    expect(bodies).toHaveLength(1);
    expect(world.slept).toEqual([]);
  });

  it('waits about its interval between polls', async () => {
    const { world, polled } = await taken([found()], { polls: 3 });
    expect(polled).toBeGreaterThanOrEqual(3);
    expect(new Set(world.slept)).toEqual(new Set([10_000]));
  });

  it('polls once with --run-once', async () => {
    const { asked, world } = await taken([found('a')], { polls: 1, runOnce: true });
    expect(asked).toHaveLength(1);
    expect(world.slept).toEqual([]);
  });
});

describe('a poll that fails', () => {
  it.each([500, 502, 422])('with %i is tried again, later', async (status) => {
    const { due, world } = await taken([refused(status), found('a'), found()], { polls: 3 });
    expect(due).toEqual(['a']);
    expect(world.logged.filter(({ level }) => level === 'warning')).toHaveLength(1);
    expect(world.slept[0]).toBeLessThanOrEqual(1_000);
  });

  it.each([401, 403])('with %i is said once, and asked again after a minute', async (status) => {
    const { due, world } = await taken([refused(status), refused(status), found('a'), found()], { polls: 4 });
    expect(due).toEqual(['a']);
    expect(world.logged.filter(({ level }) => level === 'error').map(({ text }) => text)).toEqual([
      expect.stringContaining(`refuses the worker (${status}): check PREFECT_API_KEY`),
    ]);
    expect(world.slept.slice(0, 2)).toEqual([60_000, 60_000]);
  });

  it('for want of the pool or a queue names both, and goes on when they are there', async () => {
    const { due, world } = await taken([refused(404), found('a'), found()], { polls: 3, queueNames: ['high'] });
    expect(due).toEqual(['a']);
    expect(world.logged[0]?.text).toContain('no work pool k, or not every one of the queues high');
  });

  it('for want of a queue whose name looks like a pattern says that it is none', async () => {
    const { bodies, world } = await taken([refused(404), found()], { polls: 2, queueNames: ['high-*'] });
    expect(bodies[0]).toMatchObject({ work_queue_names: ['high-*'] });
    expect(world.logged[0]?.text).toContain(
      'queues high-*: nothing can be polled until there is. A queue’s name is taken',
    );
  });
});
