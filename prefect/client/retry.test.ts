import { describe, expect, it } from 'vitest';
import { delayBeforeRetry, type Outcome, retryAfterMs } from './retry.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const policy = { maxRetries: 5, retryJitterFactor: 0.2, retryExtraCodes: [] };
const answer = (status: number, retryAfter: string | null = null, maintenance = false): Outcome => ({
  kind: 'answer',
  status,
  retryAfter,
  maintenance,
  csrfRejected: false,
});
const failure = (code: string | undefined, answeredBefore: boolean): Outcome => ({
  kind: 'failure',
  code,
  answeredBefore,
});
const delay = (outcome: Outcome, tries = 1, random = 0.5, more: Partial<typeof policy> = {}): number | undefined =>
  delayBeforeRetry(outcome, { made: tries, counted: tries }, { ...policy, ...more }, () => random, NOW);

describe('Retry-After', () => {
  it.each([
    ['7', 7000],
    [' 7 ', 7000],
    ['0.25', 250],
    ['.5', 500],
    ['0', 0],
    ['-3', 0],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Thursday, 01-Jan-26 00:00:30 GMT', 30_000],
    ['Thu Jan  1 00:00:30 2026', 30_000],
    ['Wed, 31 Dec 2025 23:59:00 GMT', 0],
    ['99999999999', 2 ** 31 - 1],
    ['Fri, 01 Jan 2999 00:00:00 GMT', 2 ** 31 - 1],
    ['try 5', undefined],
    ['nan', undefined],
    ['inf', undefined],
    ['0x10', undefined],
    ['', undefined],
    [null, undefined],
  ])('%j is %j ms', (header, ms) => {
    expect(retryAfterMs(header, NOW)).toBe(ms);
  });
});

describe('the wait before the next try', () => {
  it.each([1, 2, 3, 4, 5])('doubles: after try %i', (tries) => {
    expect(delay(answer(503), tries)).toBe(1000 * 2 ** tries);
    expect(delay(answer(503), tries, 0)).toBeCloseTo(800 * 2 ** tries);
    expect(delay(answer(503), tries, 1)).toBeCloseTo(1200 * 2 ** tries);
  });

  it.each([
    [0, 10_000],
    [0.5, 11_000],
    [1, 12_000],
  ])('is never shorter than Retry-After (random %d)', (random, ms) => {
    expect(delay(answer(429, '10'), 1, random)).toBeCloseTo(ms);
  });

  it('has no jitter when that is switched off', () => {
    expect(delay(answer(503), 1, 1, { retryJitterFactor: 0 })).toBe(2000);
    expect(delay(answer(429, '10'), 1, 1, { retryJitterFactor: 0 })).toBe(10_000);
  });

  it('takes the usual wait for a Retry-After that says nothing', () => {
    expect(delay(answer(429, 'soon'))).toBe(2000);
  });

  it('grows to a minute at most, with however many retries', () => {
    expect(delay(answer(503), 20, 0.5, { maxRetries: 99 })).toBe(64_000);
  });

  it('is a second at least in maintenance, which no number of tries ends', () => {
    expect(delay(answer(503, '0', true), 1000)).toBe(1000);
  });
});

describe('what is tried again', () => {
  it.each([
    ['ECONNRESET', false, 2000],
    ['UND_ERR_SOCKET', false, 2000],
    ['UND_ERR_CONNECT_TIMEOUT', false, 2000],
    ['HPE_INVALID_CONSTANT', false, 2000],
    ['TIMEOUT', false, 2000],
    ['EPIPE', true, 2000],
    ['ECONNREFUSED', true, 2000],
    ['ENOTFOUND', true, 2000],
    ['ECONNREFUSED', false, 0],
    ['ENOTFOUND', false, 0],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', true, undefined],
    ['ERR_TLS_CERT_ALTNAME_INVALID', true, undefined],
    ['CERT_HAS_EXPIRED', true, undefined],
    ['UND_ERR_ABORTED', true, undefined],
    [undefined, false, undefined],
    [undefined, true, 2000],
  ])('%s, answered before: %s', (code, answeredBefore, ms) => {
    expect(delay(failure(code, answeredBefore))).toBe(ms);
  });

  it.each([
    [1, 0],
    [2, 500],
    [3, 1000],
    [4, undefined],
  ])('a first contact, quickly and briefly: after try %i', (tries, ms) => {
    expect(delay(failure('ECONNREFUSED', false), tries)).toBe(ms);
  });

  it('nothing for a caller that looks again itself', () => {
    expect(delay(failure('ECONNREFUSED', false), 1, 0.5, { maxRetries: 0 })).toBeUndefined();
    expect(delay(failure('ECONNRESET', true), 1, 0.5, { maxRetries: 0 })).toBeUndefined();
  });
});
