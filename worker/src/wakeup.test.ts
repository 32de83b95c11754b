import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Wakeup } from './wakeup.ts';

describe('a wakeup', () => {
  it('wakes all that wait, and leaves nothing on their signals', async () => {
    const wakeup = new Wakeup();
    const { signal } = new AbortController();
    const waiting = Promise.all([wakeup.next(signal), wakeup.next(signal)]);
    wakeup.wake();
    await waiting;
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('lets go who is told to stop', async () => {
    const wakeup = new Wakeup();
    const stop = new AbortController();
    const waiting = wakeup.next(stop.signal);
    stop.abort();
    await waiting;
    await wakeup.next(stop.signal);
  });

  it('is not remembered by who comes later', async () => {
    const wakeup = new Wakeup();
    wakeup.wake();
    let woken = false;
    const waiting = wakeup.next(new AbortController().signal).then(() => {
      woken = true;
    });
    await new Promise((done) => setImmediate(done));
    expect(woken).toBe(false);
    wakeup.wake();
    await waiting;
  });
});
