/** Something of a library that takes no signal did not end in time. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';

  constructor(milliseconds: number) {
    super(`no answer within ${Math.round(milliseconds / 1000)} s`);
  }
}

/**
 * Runs something that may wait for ever: a cloud's library passes signals on to some of its requests only.
 *
 * @param body is given a signal for those parts that heed one; its result after the deadline is dropped.
 * @throws DeadlinePassed, or the signal's reason.
 */
export async function within<T>(
  milliseconds: number,
  signal: AbortSignal,
  body: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new DeadlinePassed(milliseconds)), milliseconds);
  const either = AbortSignal.any([signal, deadline.signal]);
  const ended = Promise.withResolvers<never>();
  const end = () => ended.reject(either.reason);
  either.addEventListener('abort', end, { once: true });
  try {
    return await Promise.race([body(either), ended.promise]);
  } catch (error) {
    // A library wraps the reason it was aborted for in words of its own.
    throw either.aborted ? either.reason : error;
  } finally {
    clearTimeout(timer);
    either.removeEventListener('abort', end);
  }
}
