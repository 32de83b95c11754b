export interface BackoffPolicy {
  readonly firstMs: number;
  readonly mostMs: number;
}

/**
 * Milliseconds to wait after `failures` failures in a row (from 1): uniform between nothing and an exponentially growing
 * cap, so that replicas that failed together do not come back together. What the server asked for is a floor.
 *
 * @param atLeastMs from `Retry-After`, when there was one.
 */
export function fullJitter(failures: number, policy: BackoffPolicy, random: () => number, atLeastMs = 0): number {
  const cap = Math.min(policy.mostMs, policy.firstMs * 2 ** Math.min(failures - 1, 20));
  return Math.max(atLeastMs, Math.round(random() * cap));
}
