import pLimit from 'p-limit';
import type { Clock } from '../world.ts';

export interface Turns {
  /** Requests under way at one time; asked again whenever one comes or goes. */
  readonly places: () => number;
  /** Nothing is sent before this moment, in milliseconds. */
  readonly pausedUntil: () => number;
  /** How long an unanswered request keeps its place, in milliseconds: a server that stalls for one must not stall all. */
  readonly patienceMs: number;
  readonly clock: Clock;
  /** Aborted when no more may be sent. */
  readonly signal: AbortSignal;
}

/**
 * Lets requests go a few at a time, in the order they come. All claims of a poll at once would be answered before
 * anything could be written about the first run; with few, runs flow through the steps one after another, and the first
 * Job of a burst does not wait for the last claim. The first request of a burst has the server to itself, and each that is
 * done makes room for one more: so the first run is a step ahead of the others all the way.
 *
 * @returns sends a request when its turn comes and settles as it does; rejects with the signal's reason, and sends
 *   nothing, when the signal is aborted before.
 */
export function inTurn({
  places,
  pausedUntil,
  patienceMs,
  clock,
  signal,
}: Turns): <T>(send: () => Promise<T>) => Promise<T> {
  const place = pLimit(1);
  let done = 0;
  const follow = () => {
    place.concurrency = Math.min(places(), 1 + done);
  };
  return async (send) => {
    if (place.activeCount + place.pendingCount === 0) done = 0;
    follow();
    // Wrapped, so that who waits for the turn does not wait for the answer.
    const { answer } = await new Promise<{ readonly answer: ReturnType<typeof send> }>((taken, refused) => {
      const turn = place(async () => {
        for (let ms = pausedUntil() - clock.now(); ms > 0; ms = pausedUntil() - clock.now()) {
          await clock.sleep(ms, signal);
        }
        signal.throwIfAborted();
        const answer = send();
        taken({ answer });
        const answered = new AbortController();
        const patience = clock.sleep(patienceMs, AbortSignal.any([signal, answered.signal])).catch(() => undefined);
        await Promise.race([answer.catch(() => undefined), patience]);
        answered.abort('answered');
        done += 1;
        follow();
      });
      turn.catch(refused);
    });
    return await answer;
  };
}
