import { describe, expect, it } from 'vitest';
import { readJob, readPod } from '../observe/facts.ts';
import { jobObject, podObject, terminatedStatus, waitingStatus } from '../testing/objects.ts';
import { failureReason, stuckReason } from './diagnosis.ts';

const pods = (...statuses: object[]) =>
  statuses.flatMap((status, index) => readPod(podObject({ uid: `p${index}`, status })) ?? []);
const job = (reason?: string, message = 'm') => {
  const conditions = reason === undefined ? [] : [{ type: 'Failed', status: 'True', reason, message }];
  const fact = readJob(jobObject({ status: { failed: 1, conditions } }));
  if (fact === undefined) throw new Error('no Job of a run');
  return fact;
};

describe('why a Job failed', () => {
  it.each<[string, string | undefined, object[], string]>([
    [
      'an exit code',
      'BackoffLimitExceeded',
      [terminatedStatus(3)],
      'container prefect-job of pod job-p0 ended with exit code 3.',
    ],
    [
      'an exit code with the container’s last words',
      undefined,
      [terminatedStatus(1, 'Error', 'no module named x')],
      'container prefect-job of pod job-p0 ended with exit code 1: no module named x.',
    ],
    [
      'too much memory',
      'BackoffLimitExceeded',
      [terminatedStatus(137, 'OOMKilled')],
      'container prefect-job of pod job-p0 was ended (OOMKilled) with exit code 137. Raise the memory limit, or let the flow use less.',
    ],
    [
      'a command that does not exist',
      'BackoffLimitExceeded',
      [terminatedStatus(128, 'StartError', 'exec: "x": not found')],
      'container prefect-job of pod job-p0 was ended (StartError) with exit code 128: exec: "x": not found.',
    ],
    [
      'an eviction',
      'BackoffLimitExceeded',
      [{ phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' }],
      'pod job-p0: Evicted: The node was low on resource: memory. Look at the node’s pressure, and at the requests of the Job.',
    ],
    [
      'a deadline',
      'DeadlineExceeded',
      [],
      'DeadlineExceeded: m. Raise activeDeadlineSeconds of the Job, or let the flow run shorter.',
    ],
    [
      'a failure policy',
      'PodFailurePolicy',
      [terminatedStatus(42)],
      'PodFailurePolicy: m. container prefect-job of pod job-p0 ended with exit code 42.',
    ],
    ['only what Kubernetes says', 'BackoffLimitExceeded', [], 'BackoffLimitExceeded: m.'],
    ['nothing at all', undefined, [], 'its pod failed and is gone.'],
    [
      'an image that never came',
      'DeadlineExceeded',
      [waitingStatus('ImagePullBackOff', 'Back-off pulling image "x"')],
      'DeadlineExceeded: m. Raise activeDeadlineSeconds of the Job, or let the flow run shorter. container prefect-job of pod job-p0: ImagePullBackOff: Back-off pulling image "x". Check the image’s name and tag, and that the cluster may pull it (imagePullSecrets).',
    ],
  ])('%s', (_about, reason, statuses, text) => {
    expect(failureReason(job(reason), pods(...statuses))).toBe(text);
  });

  it('is told by its own pods alone', () => {
    const other = readPod(podObject({ job: 'another', status: terminatedStatus(9) }));
    expect(failureReason(job('BackoffLimitExceeded'), other === undefined ? [] : [other])).toBe(
      'BackoffLimitExceeded: m.',
    );
  });
});

describe('why a Pod does not start', () => {
  it.each([
    'ImagePullBackOff',
    'ErrImagePull',
    'InvalidImageName',
    'ErrImageNeverPull',
    'CreateContainerConfigError',
    'CreateContainerError',
    'RunContainerError',
  ])('%s, in the kubelet’s words', (reason) => {
    const [pod] = pods(waitingStatus(reason, 'words'));
    expect(pod && stuckReason(pod)).toContain(`container prefect-job of pod job-p0: ${reason}: words.`);
  });

  it.each([
    ['creating its container', waitingStatus('ContainerCreating')],
    [
      'waiting for a node',
      { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] },
    ],
    ['running', { phase: 'Running', containerStatuses: [{ name: 'prefect-job', state: { running: {} } }] }],
  ])('not while it is %s', (_about, status) => {
    const [pod] = pods(status);
    expect(pod && stuckReason(pod)).toBeUndefined();
  });
});
