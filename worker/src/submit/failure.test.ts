import { describe, expect, it } from 'vitest';
import { KubernetesApiError, KubernetesUnreachableError } from '../k8s/errors.ts';
import { readFailure } from './failure.ts';

function status(code: number, reason: string, message: string): KubernetesApiError {
  const body = JSON.stringify({ kind: 'Status', reason, message });
  return new KubernetesApiError('POST /apis/batch/v1/namespaces/flows/jobs', code, body, undefined);
}

describe('a Job that was not created', () => {
  it.each<[string, Error]>([
    ['because of throttling', status(429, 'TooManyRequests', 'slow down')],
    ['because the server restarts', status(503, 'ServiceUnavailable', 'apiserver is shutting down')],
    [
      'because a webhook cannot be reached',
      status(500, 'InternalError', 'failed calling webhook "x": connection refused'),
    ],
    ['because the credentials were just renewed', status(401, 'Unauthorized', 'Unauthorized')],
    ['because no answer came', new KubernetesUnreachableError('https://k', 'ECONNRESET', undefined)],
  ])('%s is tried again', (_name, error) => {
    expect(readFailure(error, 'flows').kind).toBe('passing');
  });

  it.each<[string, Error, boolean, string]>([
    ['a quota', status(403, 'Forbidden', 'exceeded quota: pods=0'), true, 'namespace flows is at its resource quota'],
    ['a missing right', status(403, 'Forbidden', 'jobs.batch is forbidden'), false, 'needs the verb create on jobs'],
    [
      'a missing namespace',
      status(404, 'NotFound', 'namespaces "flows" not found'),
      false,
      'namespace flows does not exist',
    ],
    ['an invalid manifest', status(422, 'Invalid', 'spec.template: Invalid value'), false, 'base job template'],
    [
      'a webhook',
      status(400, 'BadRequest', 'admission webhook "p" denied the request: no'),
      false,
      'admission webhook refuses',
    ],
  ])('because of %s says what to do', (_name, error, again, hint) => {
    const failure = readFailure(error, 'flows');
    expect(failure).toMatchObject({ kind: 'refused', again });
    const message = failure.kind === 'refused' ? failure.message : '';
    expect(message).toMatch(/^Unable to create Kubernetes job: /);
    expect(message).toContain(hint);
  });

  it('for a reason that is no answer of the cluster’s is a defect', () => {
    expect(() => readFailure(new TypeError('x'), 'flows')).toThrow(TypeError);
  });
});
