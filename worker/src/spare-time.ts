/**
 * Work for which nobody waits, done when nothing is in hand: in a burst, a Prefect server that writes the labels of one
 * run makes the next one wait for its Job.
 *
 * Failure model: a worker that always has something in hand does it all the same, `patienceMs` after it was asked for,
 * and little at a time, so that one piece that is not answered does not hold up the others. Waiting is cut by the signal;
 * the work is begun even then, and sees by its own signal that it is too late.
 */
import pLimit from 'p-limit';
import type { Clock } from './world.ts';

export type SpareTime = <T>(work: () => Promise<T>) => Promise<T>;

export interface SpareTimeOptions {
  /** Resolves as soon as nothing is in hand; never rejects. */
  readonly idle: () => Promise<void>;
  /** How much is done at one time. */
  readonly atOnce: number;
  readonly patienceMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** @returns what does a piece of work when there is time for it, in the order of asking, and says how it went. */
export function openSpareTime({ idle, atOnce, patienceMs, clock, signal }: SpareTimeOptions): SpareTime {
  const inTurn = pLimit(atOnce);
  return (work) => {
    const atLatest = clock.now() + patienceMs;
    return inTurn(async () => {
      const enough = new AbortController();
      const waited = clock
        .sleep(Math.max(0, atLatest - clock.now()), AbortSignal.any([signal, enough.signal]))
        .catch(() => undefined);
      await Promise.race([idle(), waited]);
      enough.abort();
      return work();
    });
  };
}
