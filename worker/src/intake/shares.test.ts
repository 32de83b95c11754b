import type { ScheduledRun } from '@slipway/prefect/client';
import { describe, expect, it } from 'vitest';
import type { Question } from './poll.ts';
import { QueueShares } from './shares.ts';

const NOW = Date.UTC(2026, 10, 24, 12);

/** A Prefect server with these due runs, `queue: how many`, in the order of their priority. */
function server(due: Record<string, number>) {
  const waiting = new Map(
    Object.entries(due).map(([queue, count]) => [
      queue,
      Array.from({ length: count }, (_, index) => `${queue}-${index}`),
    ]),
  );
  const asked: { readonly queues: readonly string[]; readonly limit: number }[] = [];
  const run = (queue: string, id: string): ScheduledRun => ({
    work_pool_id: 'p',
    work_queue_id: `id-${queue}`,
    flow_run: {
      id,
      name: id,
      flow_id: 'f',
      tags: [],
      parameters: {},
      run_count: 0,
      total_run_time: 0,
      next_scheduled_start_time: new Date(NOW - 1).toISOString(),
    },
  });
  return {
    asked,
    queues: () => [...waiting.keys()].map((name) => ({ id: `id-${name}`, name })),
    poll: (limit: number, queues: readonly string[] = []) =>
      [...waiting]
        .filter(([queue]) => queues.length === 0 || queues.includes(queue))
        .flatMap(([queue, ids]) => ids.map((id) => run(queue, id)))
        .slice(0, limit),
    start(ids: readonly string[]) {
      for (const [queue, left] of waiting)
        waiting.set(
          queue,
          left.filter((id) => !ids.includes(id)),
        );
    },
  };
}

interface Scene {
  readonly due: Record<string, number>;
  readonly free: number;
  readonly polls: number;
  readonly served?: readonly string[];
  readonly readQueues?: () => Promise<never>;
  readonly ask?: () => Promise<never>;
}

/** The queues of the runs that start, poll by poll, and how often queues were asked by name. */
async function started({ due, free, polls, served = [], ...faults }: Scene) {
  const prefect = server(due);
  let read = 0;
  const shares = new QueueShares({
    serves: (name) => served.length === 0 || served.includes(name),
    readQueues: async () => {
      read += 1;
      return faults.readQueues === undefined ? prefect.queues() : await faults.readQueues();
    },
    clock: { now: () => NOW },
  });
  const starts: Record<string, number>[] = [];
  for (let index = 0; index < polls; index += 1) {
    const question: Question = { askedAt: NOW, startUntil: NOW, lookUntil: NOW, free, limit: free };
    const ask = async (queues: readonly string[], limit: number) => {
      prefect.asked.push({ queues, limit });
      return faults.ask === undefined ? prefect.poll(limit, queues) : await faults.ask();
    };
    const signal = new AbortController().signal;
    const found = await shares.complete(prefect.poll(free, served), question, () => false, ask, signal);
    const ids = found.slice(0, free).map((run) => run.flow_run.id);
    prefect.start(ids);
    starts.push(
      Object.fromEntries(
        Object.entries(Object.groupBy(ids, (id) => id.replace(/-\d+$/, ''))).map(([queue, list = []]) => [
          queue,
          list.length,
        ]),
      ),
    );
  }
  return { starts, asked: prefect.asked, read };
}

describe('the places of a worker', () => {
  it('go by priority as long as there is room for all', async () => {
    const { starts, asked, read } = await started({ due: { a: 4, b: 3 }, free: 8, polls: 1 });
    expect(starts).toEqual([{ a: 4, b: 3 }]);
    expect([asked, read]).toEqual([[], 0]);
  });

  it('go to other queues for an eighth while one has more runs than there is room for', async () => {
    const { starts } = await started({ due: { flood: 1_000, few: 5 }, free: 16, polls: 4 });
    expect(starts).toEqual([{ flood: 14, few: 2 }, { flood: 14, few: 2 }, { flood: 15, few: 1 }, { flood: 16 }]);
  });

  it('are saved up when they become free one by one', async () => {
    const { starts, asked } = await started({ due: { flood: 100, few: 5 }, free: 1, polls: 16 });
    expect(starts.flatMap((one, index) => ('few' in one ? [index] : []))).toEqual([7, 15]);
    expect(asked).toHaveLength(2);
  });

  it('go to every queue in turn behind a flood, also behind a second one', async () => {
    const { starts } = await started({ due: { flood: 1_000, second: 1_000, few: 3 }, free: 8, polls: 6 });
    expect(starts.map((one) => Object.keys(one).filter((queue) => queue !== 'flood'))).toEqual([
      ['second'],
      ['few'],
      ['second'],
      ['few'],
      ['second'],
      ['few'],
    ]);
  });

  it('leave a queue of higher priority in front', async () => {
    const { starts } = await started({ due: { urgent: 6, flood: 1_000, few: 1 }, free: 8, polls: 2 });
    expect(starts).toEqual([{ urgent: 6, flood: 1, few: 1 }, { flood: 8 }]);
  });

  it('go to no queue that is not served', async () => {
    const { starts, asked } = await started({ due: { flood: 100, few: 5 }, served: ['flood'], free: 8, polls: 3 });
    expect(starts).toEqual([{ flood: 8 }, { flood: 8 }, { flood: 8 }]);
    expect(asked).toEqual([]);
  });

  it.each([
    ['the queues cannot be read', { readQueues: () => Promise.reject(new Error('503')) }],
    ['a queue is gone', { ask: () => Promise.reject(new Error('404')) }],
  ])('go by priority when %s', async (_what, faults) => {
    const { starts } = await started({ due: { flood: 100, few: 5 }, free: 8, polls: 2, ...faults });
    expect(starts).toEqual([{ flood: 8 }, { flood: 8 }]);
  });
});
