import { PrefectApiError, PrefectUnreachableError } from '@slipway/prefect/client';
import { describe, expect, it } from 'vitest';
import { apiProblem } from './api-problem.ts';

const failed = (code: string): Error => Object.assign(new Error('x'), { code });

describe('what to do when the API does not answer', () => {
  it.each([
    ['ECONNREFUSED', 'Nothing listens there'],
    ['ENOTFOUND', 'The host name is not known here'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'PREFECT_API_SSL_CERT_FILE'],
    ['UND_ERR_ABORTED', 'NO_PROXY'],
    ['ETIMEDOUT', 'firewall'],
  ])('after %s', (code, remedy) => {
    expect(apiProblem(new PrefectUnreachableError('https://a/api', 1, failed(code)), undefined)?.remedy).toContain(
      remedy,
    );
  });

  it('after our own deadline', () => {
    const error = new PrefectUnreachableError(
      'https://a/api',
      1,
      AbortSignal.abort(new DOMException('', 'TimeoutError')).reason,
    );
    expect(apiProblem(error, undefined)?.remedy).toContain('PREFECT_API_REQUEST_TIMEOUT');
  });
});

describe('what to do about an answer of', () => {
  it.each([
    [307, 'PREFECT_API_URL'],
    [401, 'prefect-api-key'],
    [403, 'may not do this'],
    [404, 'ends in /api'],
    [422, 'correct it in prefect.yaml'],
    [500, 'server’s log'],
  ])('%i', (status, remedy) => {
    expect(apiProblem(new PrefectApiError(status, 'GET', '/flows', ''), 'https://a/api')?.remedy).toContain(remedy);
  });

  it('403 that is about CSRF, not about rights', () => {
    const error = new PrefectApiError(403, 'POST', '/flows/', 'Missing CSRF token.');
    expect(apiProblem(error, 'https://a/api')?.remedy).toContain('take PREFECT_CLIENT_CSRF_SUPPORT_ENABLED out');
  });
});
