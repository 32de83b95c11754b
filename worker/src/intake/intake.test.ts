import { afterEach, describe, expect, it } from 'vitest';
import { servePrefect, type TestPrefect } from '../testing/prefect.ts';
import type { Reply } from '../testing/server.ts';
import { type TestWorld, testWorld } from '../testing/world.ts';
import { Hinted } from './hinted.ts';
import { intake } from './intake.ts';
import { ServedQueues } from './served-queues.ts';
import { QueueShares } from './shares.ts';
import { Slots } from './slots.ts';

let prefect: TestPrefect | undefined;
afterEach(async () => {
  await prefect?.close();
  prefect = undefined;
});

/** @param due when it is due: the world's clock begins at noon. */
const run = (id: string, due = '2026-11-24T11:59:00.000000Z') => ({
  work_queue_id: 'q',
  work_pool_id: 'p',
  flow_run: {
    id,
    name: `run-${id}`,
    flow_id: 'f',
    state_id: `state-${id}`,
    state_type: 'SCHEDULED',
    next_scheduled_start_time: due,
  },
});
const found = (...ids: string[]): Reply => ({ status: 200, json: ids.map((id) => run(id)) });
const later = (due: string, ...ids: string[]): Reply => ({ status: 200, json: ids.map((id) => run(id, due)) });
const refused = (status: number): Reply => ({ status, json: { detail: 'no' } });

interface Options {
  readonly queueNames?: readonly string[];
  readonly prefetchMs?: number;
  readonly runOnce?: boolean;
  readonly limit?: number;
  /** Runs that are in hand already. */
  readonly inHand?: readonly string[];
  /** Whether the work on those ends soon. */
  readonly ending?: boolean;
  /** What is done with each run that comes: whether it stays in hand. */
  readonly take?: boolean;
  readonly poolIsLimited?: boolean;
  /** The pool's queues at each reading. */
  readonly there?: readonly (readonly string[])[];
  /** The intake is stopped after so many turns without a poll. */
  readonly turns?: number;
  /** Told of each poll that is asked, before it is answered. */
  readonly asked?: (hinted: Hinted, index: number, world: TestWorld) => void;
  readonly polls: number;
}

/** When the clock of a test's world begins. */
const NOON = Date.UTC(2026, 10, 24, 12);

/** Lets the intake poll so often; what came, what was asked, and how long it waited. */
async function taken(answers: readonly Reply[], options: Options) {
  const world: TestWorld = testWorld();
  const stop = new AbortController();
  const hinted = new Hinted(world);
  const pollsAt: number[] = [];
  prefect = await servePrefect(world, (_request, index) => {
    pollsAt.push(world.clock.now() - NOON);
    options.asked?.(hinted, index, world);
    if (index + 1 >= options.polls && options.runOnce !== true) setTimeout(() => stop.abort(new Error('enough')), 50);
    return answers[Math.min(index, answers.length - 1)] ?? found();
  });
  const slots = new Slots(options.limit ?? 32, () => Number.POSITIVE_INFINITY);
  for (const id of options.inHand ?? [])
    slots.take(id, new Promise((ended) => (options.ending === true ? setTimeout(ended, 20) : undefined)));
  const due: string[] = [];
  const { queueNames = [], prefetchMs = 10_000, runOnce = false } = options;
  const pool = { name: 'k', createIfNotFound: true, baseJobTemplate: undefined, anyType: false };
  let polled = 0;
  let reads = 0;
  const readQueues = async () => {
    const names = options.there?.[Math.min(reads, options.there.length - 1)] ?? [];
    reads += 1;
    return names.map((name) => ({ name }));
  };
  const sink = { polls: { inc: () => undefined } };
  const coming = intake(
    {
      config: { pool, queueNames: [...queueNames], pollIntervalMs: 10_000, prefetchMs, runOnce },
      api: prefect.api,
      slots,
      hinted,
      queues: new ServedQueues({ wanted: queueNames, readQueues, world }),
      shares: new QueueShares({ serves: () => true, readQueues: async () => [], clock: world.clock }),
      poolIsLimited: () => options.poolIsLimited === true,
      metrics: sink as never,
      world,
      polled: () => {
        polled += 1;
        if (polled === options.turns) stop.abort(new Error('enough'));
      },
    },
    stop.signal,
  );
  for await (const one of coming) {
    due.push(one.id);
    if (options.take === true) slots.take(one.id, new Promise(() => undefined));
  }
  return {
    due,
    bodies: prefect.bodies().slice(0, options.polls),
    asked: prefect.asked(),
    world,
    polled,
    pollsAt: pollsAt.slice(0, options.polls),
  };
}

/** Checks 46 to 49 and 55 of contracts/worker.md §9. */
describe('the intake', () => {
  it('asks for what is due within the prefetch, of its queues alone, no more than there is room for beside what is in hand', async () => {
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
      { work_queue_names: ['high', 'low'], scheduled_before: '2026-11-24T12:00:20.000Z', limit: 5 },
    ]);
  });

  it('looks as far ahead as the next poll may come', async () => {
    const { bodies } = await taken([found()], { polls: 1 });
    expect(bodies[0]).toMatchObject({ scheduled_before: '2026-11-24T12:00:23.500Z' });
  });

  it('asks no further than what is due where the pool is limited', async () => {
    const { bodies } = await taken([found()], { polls: 1, poolIsLimited: true });
    expect(bodies[0]).toMatchObject({ scheduled_before: '2026-11-24T12:00:10.000Z' });
  });

  it('starts a run of later at its moment, as the server then says, and not before', async () => {
    const due = '2026-11-24T12:00:13.000000Z';
    const { due: started, pollsAt } = await taken([later(due, 'a'), later(due, 'a'), found()], {
      polls: 3,
      take: true,
    });
    expect(started).toEqual(['a']);
    expect(pollsAt).toEqual([0, 3_000, 13_000]);
  });

  it('does not start a run of later that the server does not give any more', async () => {
    const { due, pollsAt } = await taken([later('2026-11-24T12:00:13.000000Z', 'cancelled'), found()], { polls: 2 });
    expect(due).toEqual([]);
    expect(pollsAt).toEqual([0, 3_000]);
  });

  it('asks for what is due alone when runs of later have filled the answer', async () => {
    const { due, bodies, pollsAt } = await taken(
      [later('2026-11-24T12:00:13.000000Z', 'high-1', 'high-2'), found('low'), found()],
      { polls: 3, limit: 2, take: true },
    );
    expect(due).toEqual(['low']);
    expect(bodies.slice(0, 2)).toMatchObject([
      { scheduled_before: '2026-11-24T12:00:23.500Z' },
      { scheduled_before: '2026-11-24T12:00:10.000Z' },
    ]);
    expect(pollsAt).toEqual([0, 0, 3_000]);
  });

  it('comes soon for a run that was heard of, also while it polled, and once for many', async () => {
    const { pollsAt, due } = await taken([found(), found('a', 'b'), found()], {
      polls: 3,
      take: true,
      asked: (hinted, index) => {
        if (index === 0) for (const id of ['a', 'b']) hinted.ready(id);
      },
    });
    expect(due).toEqual(['a', 'b']);
    expect(pollsAt).toEqual([0, 500, 10_500]);
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

  it('asks again at once when the answer was as long as there was room and half of it is free', async () => {
    const { pollsAt } = await taken([found('a', 'b'), found()], { polls: 2, limit: 2 });
    expect(pollsAt).toEqual([0, 0]);
  });

  it('asks for nothing while there is no room, so that its queues stay ready', async () => {
    const { due, bodies, pollsAt } = await taken([found('a', 'b'), found()], { polls: 3, limit: 2, take: true });
    expect(due).toEqual(['a', 'b']);
    expect(bodies).toMatchObject([{ limit: 2 }, { limit: 0 }, { limit: 0 }]);
    expect(pollsAt).toEqual([0, 10_000, 20_000]);
  });

  it('waits for room with --run-once', async () => {
    const { bodies } = await taken([found()], { polls: 1, limit: 1, inHand: ['a'], ending: true, runOnce: true });
    expect(bodies).toMatchObject([{ limit: 1 }]);
  });

  it('waits about its interval between polls', async () => {
    const { world, polled } = await taken([found()], { polls: 3 });
    expect(polled).toBeGreaterThanOrEqual(3);
    expect(new Set(world.slept)).toEqual(new Set([10_000]));
  });

  it('polls no queue, and not all of them, while its patterns find none', async () => {
    const { asked, polled, world } = await taken([found('a')], {
      polls: 0,
      queueNames: ['high-*'],
      there: [[]],
      turns: 3,
    });
    expect(asked).toEqual([]);
    expect(polled).toBeGreaterThanOrEqual(3);
    expect(world.logged[0]?.text).toContain('no queue');
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

  it('for want of a queue that a pattern had found goes on with the others, soon', async () => {
    const { due, bodies, world } = await taken([refused(404), found('a'), found()], {
      polls: 3,
      queueNames: ['high-*'],
      there: [['high-1', 'high-2'], ['high-2']],
    });
    expect(due).toEqual(['a']);
    expect(bodies).toMatchObject([
      { work_queue_names: ['high-1', 'high-2'] },
      { work_queue_names: ['high-2'] },
      { work_queue_names: ['high-2'] },
    ]);
    expect(world.slept[0]).toBe(1_000);
    expect(world.logged.filter(({ level }) => level !== 'info')).toEqual([]);
  });
});
