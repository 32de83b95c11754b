import type { Clock } from '../world.ts';

export interface RetryOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** Tries in all, the first included. */
  readonly attempts: number;
  /** Milliseconds the server asked to wait, `'again'` for our own pace, undefined when trying again is no use. */
  readonly delayOf: (error: unknown) => number | 'again' | undefined;
  readonly onRetry?: (error: unknown, waitMs: number) => void;
}

const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 60_000;

/**
 * Runs something that may fail for a moment: again after about 2, 4, 8 … s (a quarter of it random, so that many
 * jobs do not come back together), or after what the server asked for, one minute at most.
 *
 * @throws the last error, or at once one that `delayOf` does not want tried again.
 */
export async function retrying<T>(attempt: (number: number) => Promise<T>, options: RetryOptions): Promise<T> {
  for (let number = 1; ; number += 1) {
    try {
      return await attempt(number);
    } catch (error) {
      const delay = options.signal.aborted ? undefined : options.delayOf(error);
      if (delay === undefined || number >= options.attempts) throw error;
      const pace = FIRST_WAIT_MS * 2 ** (number - 1) * (0.875 + options.random() / 4);
      const waitMs = Math.min(LONGEST_WAIT_MS, Math.round(delay === 'again' ? pace : Math.max(delay, 0)));
      options.onRetry?.(error, waitMs);
      await options.clock.sleep(waitMs, options.signal);
    }
  }
}
