import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { testWorld } from '../testing/world.ts';
import { Pace } from './pace.ts';
import type { Heard } from './verdict.ts';

/** An error that says of the server what it is told to. */
class Said extends Error {
  readonly heard: Heard | undefined;
  constructor(verdict: Heard['verdict'] | undefined, retryAfterMs = 0) {
    super(verdict);
    this.heard = verdict && { verdict, retryAfterMs };
  }
}

function scene() {
  const world = testWorld();
  const stop = new AbortController();
  const cuts: string[] = [];
  const pace = new Pace({
    places: (window) => window / 8,
    // The clock of this world passes by sleeping alone; the patience is not what is tested here.
    patienceMs: Number.POSITIVE_INFINITY,
    heard: (error) => (error instanceof Said ? error.heard : undefined),
    used: () => 32,
    onCut: (verdict, window) => cuts.push(`${verdict} ${window}`),
    clock: {
      now: world.clock.now,
      sleep: (ms, signal) =>
        ms === Number.POSITIVE_INFINITY ? new Promise(() => undefined) : world.clock.sleep(ms, signal),
    },
    random: world.random,
    signal: stop.signal,
  });
  const send = () => {
    const answer = Promise.withResolvers<string>();
    const sent = pace.pass(async () => {
      started += 1;
      return await answer.promise;
    });
    return { ...answer, sent };
  };
  let started = 0;
  return { pace, world, stop, cuts, send, started: () => started };
}

describe('a pace', () => {
  /** Requests of which the first three are answered: by then as many go as there are places, which are four. */
  async function underWay(send: ReturnType<typeof scene>['send'], count: number) {
    const all = Array.from({ length: count }, send);
    for (const answered of all.slice(0, 3)) {
      await turn();
      answered.resolve('');
    }
    await turn();
    return all.slice(3);
  }

  it('has so many requests under way as its window has places', async () => {
    const { send, started } = scene();
    await underWay(send, 13);
    expect(started()).toBe(3 + 4);
  });

  it('lets fewer go when the server asks for less, and tells of it', async () => {
    const { pace, send, started, cuts, world } = scene();
    const all = await underWay(send, 13);
    world.pass(10);
    all[0]?.reject(new Said('throttled'));
    await expect(all[0]?.sent).rejects.toThrow('throttled');
    await turn();
    expect(pace.window).toBe(16);
    expect(cuts).toEqual(['throttled 16']);
    // Three are still under way, for which there are two places: the next goes when two more are answered.
    all[1]?.resolve('');
    await turn();
    expect(started()).toBe(3 + 4);
    all[2]?.resolve('');
    await turn();
    expect(started()).toBe(3 + 5);
  });

  it('sends nothing before a Retry-After is over, and a little longer by chance', async () => {
    const { send, world } = scene();
    const first = send();
    await turn();
    first.reject(new Said('throttled', 10_000));
    await expect(first.sent).rejects.toThrow();
    const began = world.clock.now();
    const second = send();
    await turn();
    await turn();
    second.resolve('made');
    expect(await second.sent).toBe('made');
    expect(world.clock.now() - began).toBe(11_000);
  });

  it('ends a pause when the worker has to stop', async () => {
    const { send, stop, started } = scene();
    const first = send();
    await turn();
    first.reject(new Said('throttled', 10_000));
    await expect(first.sent).rejects.toThrow();
    stop.abort(new Error('the grace is over'));
    await expect(send().sent).rejects.toThrow('the grace is over');
    expect(started()).toBe(1);
  });

  it('learns nothing from an error that is our own', async () => {
    const { pace, send, cuts } = scene();
    const first = send();
    await turn();
    first.reject(new Said(undefined));
    await expect(first.sent).rejects.toThrow();
    expect(pace.window).toBe(32);
    expect(cuts).toEqual([]);
  });
});
