import { describe, expect, it } from 'vitest';
import { jobObject, podObject, terminatedStatus, waitingStatus } from '../testing/objects.ts';
import { readJob, readPod } from './facts.ts';

describe('what is kept of a Job', () => {
  it('is what decisions need', () => {
    const status = {
      failed: 1,
      conditions: [
        { type: 'FailureTarget', status: 'True', reason: 'BackoffLimitExceeded' },
        { type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'limit' },
      ],
    };
    expect(readJob(jobObject({ status, deleting: true }))).toEqual({
      kind: 'job',
      uid: 'u1',
      version: '1',
      name: 'job',
      namespace: 'default',
      flowRunId: 'run',
      pool: 'pool',
      createdAt: Date.parse('2026-11-24T12:00:00Z'),
      backoffLimit: 0,
      active: 0,
      failed: 1,
      succeeded: 0,
      ended: { type: 'Failed', reason: 'BackoffLimitExceeded', message: 'limit' },
      deleting: true,
    });
  });

  it('counts a condition only when it holds', () => {
    const status = {
      conditions: [
        { type: 'Failed', status: 'False' },
        { type: 'Complete', status: 'True' },
      ],
    };
    expect(readJob(jobObject({ status }))?.ended).toEqual({ type: 'Complete', reason: '', message: '' });
  });

  it('takes Kubernetes’ own backoffLimit where there is none', () => {
    expect(readJob({ ...jobObject(), spec: {}, status: null })).toMatchObject({ backoffLimit: 6, failed: 0 });
  });
});

describe('what is kept of a Pod', () => {
  it('is where its containers stand, init containers first', () => {
    const init = { name: 'init', state: { terminated: { exitCode: 0, reason: 'Completed' } } };
    const pod = readPod(podObject({ status: { ...waitingStatus('ErrImagePull'), initContainerStatuses: [init] } }));
    expect(pod).toMatchObject({ jobName: 'job', phase: 'Pending', createdAt: Date.parse('2026-11-24T12:00:01Z') });
    expect(
      pod?.containers.map(({ name, waiting, terminated }) => [name, waiting?.reason, terminated?.exitCode]),
    ).toEqual([
      ['init', undefined, 0],
      ['prefect-job', 'ErrImagePull', undefined],
    ]);
  });

  it('knows how a container ended', () => {
    expect(readPod(podObject({ status: terminatedStatus(137, 'OOMKilled') }))?.containers[0]?.terminated).toEqual({
      exitCode: 137,
      reason: 'OOMKilled',
      message: '',
    });
  });
});

describe('other objects', () => {
  it('of no flow run are passed over', () => {
    const metadata = { uid: 'u', name: 'n', namespace: 'default', resourceVersion: '1' };
    expect(readJob({ metadata, spec: {} })).toBeUndefined();
    expect(readPod({ metadata })).toBeUndefined();
  });

  it.each([null, 'text', {}, { metadata: { name: 'x' } }])('that are none at all are refused: %j', (object) => {
    expect(() => readJob(object)).toThrow();
    expect(() => readPod(object)).toThrow();
  });
});
