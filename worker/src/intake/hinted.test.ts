import { beforeEach, describe, expect, it } from 'vitest';
import { type TestWorld, testWorld } from '../testing/world.ts';
import { Hinted } from './hinted.ts';

/** Half a second of chance: 110 ms. */
const DELAY_MS = 110;
let world: TestWorld;
let hinted: Hinted;
let begin: number;
beforeEach(() => {
  world = testWorld();
  hinted = new Hinted(world);
  begin = world.clock.now();
});
const pollAt = (lastPollAgoMs = 60_000) => {
  const at = hinted.pollAt(world.clock.now() - lastPollAgoMs);
  return at === undefined ? undefined : at - begin;
};
const poll = (...found: string[]) => hinted.answered(world.clock.now(), new Set(found));

describe('runs that were heard of', () => {
  it('ask for nothing as long as there are none', () => {
    expect(pollAt()).toBeUndefined();
  });

  it('ask for one poll together, a moment after the first', () => {
    hinted.ready('a');
    world.pass(50);
    hinted.ready('b');
    expect(pollAt()).toBe(DELAY_MS);
  });

  it.each([
    [0, 20],
    [1, 200],
  ])('are polled for after a delay that chance spreads: %f → %i ms', (chance, ms) => {
    const other = testWorld(chance);
    const lucky = new Hinted(other);
    lucky.ready('a');
    expect((lucky.pollAt(0) ?? 0) - other.clock.now()).toBe(ms);
  });

  it('do not make polls follow each other sooner than half a second', () => {
    hinted.ready('a');
    expect(pollAt(10)).toBe(490);
  });

  it('are answered for by the poll that finds them', () => {
    hinted.ready('a');
    poll('a', 'b');
    expect(pollAt()).toBeUndefined();
  });

  it('are answered for when another worker has taken them', () => {
    hinted.ready('a');
    hinted.taken('a');
    expect(pollAt()).toBeUndefined();
  });

  it('are asked for once more when a poll came too soon to find them, and then no more', () => {
    hinted.ready('later');
    world.pass(100);
    poll();
    expect(pollAt(0)).toBe(100 + 1_000);
    world.pass(1_000);
    poll();
    expect(pollAt()).toBeUndefined();
  });

  it('are polled for ever more rarely while polls find nothing of them', () => {
    const gaps: (number | undefined)[] = [];
    for (let index = 0; index < 5; index += 1) {
      hinted.ready(String(index));
      gaps.push((pollAt(0) ?? 0) - (world.clock.now() - begin));
      world.pass(300);
      poll();
    }
    expect(gaps).toEqual([500, 1_000, 2_000, 2_000, 2_000]);
    hinted.ready('found');
    poll('found');
    hinted.ready('next');
    expect(hinted.pollAt(world.clock.now())).toBe(world.clock.now() + 500);
  });

  it('may have been missed before anybody listened: one poll looks for them', () => {
    hinted.listening();
    expect(pollAt()).toBe(DELAY_MS);
    world.pass(100);
    poll();
    expect(pollAt()).toBeUndefined();
  });

  it('wake whoever waits for them', async () => {
    const heard = hinted.change(new AbortController().signal);
    hinted.ready('a');
    await expect(heard).resolves.toBeUndefined();
  });

  it('do not keep anybody waiting who has to stop', async () => {
    const stop = new AbortController();
    const heard = hinted.change(stop.signal);
    stop.abort();
    await expect(heard).resolves.toBeUndefined();
  });
});
