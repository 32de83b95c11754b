import type { Clock } from '../world.ts';

/** A clock that stands until it is moved; what sleeps is woken in order. */
export interface ManualClock extends Clock {
  /** Moves on by so much, and lets all that becomes of it happen. */
  pass(ms: number): Promise<void>;
}

export function manualClock(startMs: number): ManualClock {
  let now = startMs;
  let sleeping: { readonly at: number; readonly wake: () => void }[] = [];
  const settle = () => new Promise<void>((done) => setImmediate(done));
  return {
    now: () => now,
    sleep(ms, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      if (signal.aborted) reject(signal.reason);
      const sleeper = { at: now + ms, wake: resolve };
      sleeping.push(sleeper);
      signal.addEventListener(
        'abort',
        () => {
          sleeping = sleeping.filter((other) => other !== sleeper);
          reject(signal.reason);
        },
        { once: true },
      );
      return promise;
    },
    async pass(ms) {
      const until = now + ms;
      await settle();
      for (;;) {
        const [next] = sleeping.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        sleeping = sleeping.filter((other) => other !== next);
        now = Math.max(now, next.at);
        next.wake();
        await settle();
      }
      now = until;
      await settle();
    },
  };
}
