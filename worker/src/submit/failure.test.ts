import { describe, expect, it } from 'vitest';
import { KubernetesApiError, KubernetesUnreachableError } from '../k8s/errors.ts';
import { readFailure } from './failure.ts';

const answer = (status: number, reason: string, message: string, retryAfter?: string) =>
  new KubernetesApiError('POST /jobs', status, JSON.stringify({ reason, message }), retryAfter);

describe('what passes is tried again', () => {
  it.each([
    [429, 'TooManyRequests', 'slow down', '3', 3_000],
    [503, 'ServiceUnavailable', 'starting', undefined, 0],
    [504, 'Timeout', 'request timed out', '1', 1_000],
    [408, '', '', undefined, 0],
    [409, 'Conflict', 'Operation cannot be fulfilled on resourcequotas "q"', undefined, 0],
    [500, 'InternalError', 'Internal error occurred: failed calling webhook "w": connection refused', undefined, 0],
    [401, 'Unauthorized', 'Unauthorized', undefined, 5_000],
  ])('%i %s: %s', (status, reason, message, retryAfter, afterMs) => {
    expect(readFailure(answer(status, reason, message, retryAfter), 'flows')).toMatchObject({
      kind: 'passing',
      afterMs,
    });
  });

  it('no answer', () => {
    const error = new KubernetesUnreachableError('https://k', 'ECONNRESET', new Error('reset'));
    expect(readFailure(error, 'flows')).toMatchObject({
      kind: 'passing',
      reason: expect.stringContaining('ECONNRESET'),
    });
  });
});

describe('what the cluster says of this Job is told, with what to do', () => {
  it.each<[number, string, string, 'never' | 'soon' | 'long', string]>([
    [
      403,
      'Forbidden',
      'jobs.batch "x" is forbidden: exceeded quota: q, requested: count/jobs.batch=1, used: 5, limited: 5',
      'soon',
      'Unable to create Kubernetes job: Forbidden: jobs.batch "x" is forbidden: exceeded quota: q, requested: count/jobs.batch=1, used: 5, limited: 5. Hint: namespace flows is at its resource quota',
    ],
    [
      403,
      'Forbidden',
      'jobs.batch is forbidden: User "sa" cannot create resource "jobs" in API group "batch" in the namespace "flows"',
      'never',
      'Hint: check the Role of the worker’s service account: it needs the verb create on jobs (API group batch) in namespace flows.',
    ],
    [
      403,
      'Forbidden',
      'unable to create new content in namespace flows because it is being terminated',
      'never',
      'Hint: namespace flows is being deleted',
    ],
    [
      400,
      'BadRequest',
      'admission webhook "policy.example" denied the request: no hostNetwork.',
      'never',
      'Unable to create Kubernetes job: Bad Request: admission webhook "policy.example" denied the request: no hostNetwork. Hint: an admission webhook',
    ],
    [404, 'NotFound', 'namespaces "flows" not found', 'never', 'Hint: namespace flows does not exist'],
    [
      422,
      'Invalid',
      'Job.batch "x" is invalid: spec.template.spec.containers[0].image: Required value',
      'never',
      'Unable to create Kubernetes job: Unprocessable Entity: Job.batch "x" is invalid: spec.template.spec.containers[0].image: Required value. Hint: correct these fields',
    ],
    [
      400,
      'BadRequest',
      'the namespace of the provided object does not match the namespace sent on the request',
      'never',
      'Hint: the job manifest names a namespace of its own: write {{ namespace }} there',
    ],
    [400, 'BadRequest', 'Job in version "v1" cannot be handled as a Job', 'never', 'Hint: correct these fields'],
    [500, 'InternalError', 'etcdserver: leader changed', 'long', 'Hint: look at the API server’s log'],
  ])('%i %s: %s', (status, reason, message, again, text) => {
    const failure = readFailure(answer(status, reason, message), 'flows');
    expect(failure).toMatchObject({ kind: 'refused', again, message: expect.stringContaining(text) });
  });
});

it('a defect is no failure of the cluster', () => {
  expect(() => readFailure(new TypeError('x is undefined'), 'flows')).toThrow('x is undefined');
});
