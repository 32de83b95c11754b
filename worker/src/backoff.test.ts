import { describe, expect, it } from 'vitest';
import { fullJitter } from './backoff.ts';

const policy = { firstMs: 500, mostMs: 15_000 };

describe('the pause after failures', () => {
  it.each([
    [1, 500],
    [2, 1_000],
    [3, 2_000],
    [5, 8_000],
    [6, 15_000],
    [1_000, 15_000],
  ])('grows to a cap: after %i at most %i ms', (failures, most) => {
    expect(fullJitter(failures, policy, () => 1)).toBe(most);
  });

  it('can be nothing, so that those that failed together do not come back together', () => {
    expect(fullJitter(4, policy, () => 0)).toBe(0);
  });

  it('is at least what the server asked for', () => {
    expect(fullJitter(1, policy, () => 0, 7_000)).toBe(7_000);
  });
});
