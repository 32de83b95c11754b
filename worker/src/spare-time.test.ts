import { describe, expect, it } from 'vitest';
import { openSpareTime } from './spare-time.ts';
import { manualClock } from './testing/manual-clock.ts';

const PATIENCE_MS = 30_000;

function place() {
  const clock = manualClock(0);
  const stop = new AbortController();
  let inHand = Promise.withResolvers<void>();
  inHand.resolve();
  const inSpareTime = openSpareTime({
    idle: () => inHand.promise,
    atOnce: 2,
    patienceMs: PATIENCE_MS,
    clock,
    signal: stop.signal,
  });
  const begun: string[] = [];
  return {
    clock,
    stop,
    begun,
    busy: () => {
      inHand = Promise.withResolvers<void>();
    },
    idle: () => inHand.resolve(),
    /** Asks for a piece of work; @returns its end, and how to end it. */
    ask: (name: string) => {
      const piece = Promise.withResolvers<string>();
      const ended = inSpareTime(() => {
        begun.push(name);
        return piece.promise;
      });
      return { ended, end: () => piece.resolve(`${name} is done`) };
    },
  };
}

describe('work in spare time', () => {
  it('is done at once when nothing is in hand, and says how it went', async () => {
    const { clock, ask } = place();
    const { ended, end } = ask('one');
    end();
    await clock.pass(0);
    expect(await ended).toBe('one is done');
  });

  it('waits until nothing is in hand', async () => {
    const { clock, begun, busy, idle, ask } = place();
    busy();
    ask('one');
    await clock.pass(PATIENCE_MS - 1);
    expect(begun).toEqual([]);
    idle();
    await clock.pass(0);
    expect(begun).toEqual(['one']);
  });

  it('is done in a worker that always has something in hand, when its patience is over', async () => {
    const { clock, begun, busy, ask } = place();
    busy();
    ask('one');
    await clock.pass(1_000);
    ask('two');
    await clock.pass(PATIENCE_MS - 1_000);
    expect(begun).toEqual(['one']);
    await clock.pass(1_000);
    expect(begun).toEqual(['one', 'two']);
  });

  it('is done little at a time, in the order of asking', async () => {
    const { clock, begun, ask } = place();
    const pieces = ['one', 'two', 'three', 'four'].map(ask);
    await clock.pass(0);
    expect(begun).toEqual(['one', 'two']);
    pieces[1]?.end();
    await clock.pass(0);
    expect(begun).toEqual(['one', 'two', 'three']);
  });

  it('waits for its turn no longer than for being idle: what has had its patience begins with its turn', async () => {
    const { clock, begun, busy, ask } = place();
    busy();
    const pieces = ['one', 'two', 'three'].map(ask);
    await clock.pass(PATIENCE_MS);
    expect(begun).toEqual(['one', 'two']);
    pieces[0]?.end();
    await clock.pass(0);
    expect(begun).toEqual(['one', 'two', 'three']);
  });

  it('is begun when the worker has to stop, to see for itself that it is too late', async () => {
    const { clock, stop, begun, busy, ask } = place();
    busy();
    ask('one');
    await clock.pass(0);
    stop.abort(new Error('the grace is over'));
    await clock.pass(0);
    expect(begun).toEqual(['one']);
  });
});
