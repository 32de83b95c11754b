import { PrefectApiError, PrefectUnreachableError } from '@slipway/prefect/client';
import { fullJitter } from '../backoff.ts';
import type { World } from '../world.ts';

const RETRY = { firstMs: 500, mostMs: 15_000 };

/** Failures that say nothing about what was asked: no answer, 408, 429, any 5xx. */
export function isPassing(error: unknown): boolean {
  if (error instanceof PrefectUnreachableError) return true;
  return error instanceof PrefectApiError && (error.status >= 500 || error.status === 429 || error.status === 408);
}

/**
 * Repeats a request to the Prefect API until it is answered.
 *
 * @param ask whatever may be asked twice: a read, or a proposal with a transition id.
 * @throws what is no passing failure, and the signal's reason when aborted.
 */
export async function untilAnswered<T>(ask: () => Promise<T>, world: World, signal: AbortSignal): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    signal.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!isPassing(error)) throw error;
      await world.clock.sleep(fullJitter(failures, RETRY, world.random), signal);
    }
  }
}
