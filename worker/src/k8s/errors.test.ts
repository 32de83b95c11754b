import { describe, expect, it } from 'vitest';
import { KubernetesApiError, KubernetesUnreachableError } from './errors.ts';

describe('an answer of the API server', () => {
  it('is read by its Status', () => {
    const body = JSON.stringify({
      kind: 'Status',
      reason: 'Forbidden',
      message: 'jobs.batch is forbidden',
      details: { retryAfterSeconds: 3 },
    });
    expect(new KubernetesApiError('POST /x', 403, body, undefined)).toMatchObject({
      status: 403,
      reason: 'Forbidden',
      detail: 'jobs.batch is forbidden',
      retryAfterMs: 3_000,
    });
  });

  it('may be a proxy’s page', () => {
    expect(new KubernetesApiError('GET /x', 502, '<html>Bad Gateway</html>', undefined)).toMatchObject({
      reason: '',
      detail: '<html>Bad Gateway</html>',
    });
  });

  it.each([
    ['2', 2_000],
    ['0.5', 500],
    ['Wed, 21 Oct 2026 07:28:00 GMT', 0],
    [undefined, 0],
  ])('asks to wait by Retry-After %s: %i ms', (header, ms) => {
    expect(new KubernetesApiError('GET /x', 429, '', header).retryAfterMs).toBe(ms);
  });
});

describe('no answer', () => {
  it.each([
    ['ECONNREFUSED', false],
    ['ENOTFOUND', false],
    ['UND_ERR_CONNECT_TIMEOUT', false],
    ['ECONNRESET', true],
    ['no answer in time', true],
    [undefined, true],
  ])('%s: may have arrived: %s', (code, mayHaveArrived) => {
    expect(new KubernetesUnreachableError('https://k', code, new Error('x')).mayHaveArrived).toBe(mayHaveArrived);
  });
});
