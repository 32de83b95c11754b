import { describe, expect, it } from 'vitest';
import type { Clock } from '../world.ts';
import { type RetryOptions, retrying } from './retry.ts';

describe('retrying', () => {
  it.each([
    ['at our own pace', 'again' as const, [2_000, 4_000, 8_000]],
    ['when the server says', 700, [700, 700, 700]],
    ['a minute later at most', 3_600_000, [60_000, 60_000, 60_000]],
    ['at once when the server says so', 0, [0, 0, 0]],
  ])('tries again %s', async (_when, delay, waits) => {
    const slept: number[] = [];
    const failing = retrying(
      () => Promise.reject(new Error('no')),
      options(slept, () => delay),
    );
    await expect(failing).rejects.toThrow('no');
    expect(slept).toEqual(waits);
  });

  it('returns what came in the end', async () => {
    const attempt = (number: number) => (number < 3 ? Promise.reject(new Error('no')) : Promise.resolve(number));
    expect(
      await retrying(
        attempt,
        options([], () => 'again'),
      ),
    ).toBe(3);
  });

  it('does not repeat what it is told not to', async () => {
    const slept: number[] = [];
    await expect(
      retrying(
        () => Promise.reject(new Error('no')),
        options(slept, () => undefined),
      ),
    ).rejects.toThrow('no');
    expect(slept).toEqual([]);
  });

  it('does not try again once the job is cancelled', async () => {
    const slept: number[] = [];
    const cancelled = { ...options(slept, () => 'again'), signal: AbortSignal.abort() };
    await expect(retrying(() => Promise.reject(new Error('no')), cancelled)).rejects.toThrow('no');
    expect(slept).toEqual([]);
  });

  function options(slept: number[], delayOf: RetryOptions['delayOf']): RetryOptions {
    const clock: Clock = { now: () => 0, sleep: (ms) => Promise.resolve(void slept.push(ms)) };
    return { clock, random: () => 0.5, signal: new AbortController().signal, attempts: 4, delayOf };
  }
});
