import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Slots } from './slots.ts';

function work(): { promise: Promise<void>; end: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, end: resolve };
}

describe('slots', () => {
  it('are as many as the limit leaves', async () => {
    const slots = new Slots(2, () => Number.POSITIVE_INFINITY);
    const one = work();
    slots.take('a', one.promise);
    expect([slots.free, slots.has('a')]).toEqual([1, true]);
    one.end();
    await slots.idle();
    expect([slots.free, slots.has('a')]).toEqual([2, false]);
  });

  it('are as many as the cluster has room for', () => {
    expect(new Slots(32, () => 3).free).toBe(3);
    expect(new Slots(32, () => -1).free).toBe(0);
  });

  it('wake whoever waits when one becomes free', async () => {
    const slots = new Slots(1, () => Number.POSITIVE_INFINITY);
    const one = work();
    slots.take('a', one.promise);
    const changed = slots.change(new AbortController().signal);
    one.end();
    await changed;
    expect(slots.free).toBe(1);
  });

  it('do not keep anybody waiting who has to stop', async () => {
    const stop = new AbortController();
    const changed = new Slots(1, () => 0).change(stop.signal);
    stop.abort();
    await expect(changed).resolves.toBeUndefined();
  });

  it('leave nothing on the signal of who waited, however often', async () => {
    const slots = new Slots(1, () => 0);
    const { signal } = new AbortController();
    for (let index = 0; index < 3; index += 1) {
      const changed = slots.change(signal);
      slots.changed();
      await changed;
    }
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
