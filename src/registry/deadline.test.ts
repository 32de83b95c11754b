import { describe, expect, it } from 'vitest';
import { DeadlinePassed, within } from './deadline.ts';

const never = () => new Promise<never>(() => undefined);

describe('within', () => {
  it('gives the result', async () => {
    expect(await within(1_000, new AbortController().signal, () => Promise.resolve(42))).toBe(42);
  });

  it('gives the error as it is', async () => {
    const error = new Error('refused');
    await expect(within(1_000, new AbortController().signal, () => Promise.reject(error))).rejects.toBe(error);
  });

  it('ends what takes no signal', async () => {
    await expect(within(5, new AbortController().signal, never)).rejects.toBeInstanceOf(DeadlinePassed);
  });

  it('aborts what takes one, and tells the deadline whatever that then throws', async () => {
    const heeding = (signal: AbortSignal) =>
      new Promise<never>((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new Error('aborted by somebody'))),
      );
    await expect(within(5, new AbortController().signal, heeding)).rejects.toBeInstanceOf(DeadlinePassed);
  });

  it('rejects with the reason when the job is cancelled', async () => {
    const job = new AbortController();
    const reason = new Error('cancelled');
    setTimeout(() => job.abort(reason), 5);
    await expect(within(60_000, job.signal, never)).rejects.toBe(reason);
  });

  it('does not begin in a job that is cancelled already', async () => {
    let begun = false;
    const body = () => {
      begun = true;
      return Promise.resolve();
    };
    await expect(within(1_000, AbortSignal.abort(new Error('cancelled')), body)).rejects.toThrow('cancelled');
    expect(begun).toBe(false);
  });
});
