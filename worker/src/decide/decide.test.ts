import type { StateType } from '@slipway/prefect/states';
import { describe, expect, it } from 'vitest';
import type { ContainerFact, JobFact, PodFact } from '../observe/facts.ts';
import { decide, type RunRecord } from './decide.ts';

const NOW = 1_000_000;
const policy = { imagePullGraceMs: 60_000 };

function job(more: Partial<JobFact> = {}): JobFact {
  return {
    kind: 'job',
    uid: 'u1',
    name: 'quick-fox-0123456789',
    namespace: 'default',
    flowRunId: 'r',
    backoffLimit: 0,
    active: 1,
    failed: 0,
    succeeded: 0,
    ended: undefined,
    deleting: false,
    ...more,
  };
}

function pod(more: Partial<PodFact> = {}, container: Partial<ContainerFact> = {}): PodFact {
  return {
    kind: 'pod',
    uid: 'p1',
    name: 'quick-fox-abc',
    namespace: 'default',
    flowRunId: 'r',
    jobName: 'quick-fox-0123456789',
    createdAt: NOW - 10_000,
    phase: 'Pending',
    reason: '',
    message: '',
    unschedulable: undefined,
    containers: [{ name: 'prefect-job', waiting: undefined, terminated: undefined, ...container }],
    ...more,
  };
}

const failedJob = job({
  active: 0,
  failed: 1,
  ended: { type: 'Failed', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' },
});
const record = (more: Partial<RunRecord>): RunRecord => ({ jobs: [], pods: [], deletedJobs: [], ...more });
const pulling = { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "nope"' } };

const judge = (known: Partial<RunRecord>, state: StateType | undefined = 'RUNNING', now = NOW) =>
  decide(record(known), state, now, policy);

describe('a run', () => {
  it.each<[string, Partial<RunRecord>, StateType]>([
    ['whose Job is active', { jobs: [job()] }, 'RUNNING'],
    ['whose Job has succeeded', { jobs: [job({ active: 0, succeeded: 1 })] }, 'RUNNING'],
    ['without any Job', {}, 'PENDING'],
    ['that has ended', { jobs: [failedJob] }, 'COMPLETED'],
    ['that has failed by itself', { jobs: [failedJob] }, 'FAILED'],
    ['that waits to be tried again', { jobs: [failedJob] }, 'SCHEDULED'],
    ['that is paused', { jobs: [failedJob] }, 'PAUSED'],
    ['that is being cancelled', { jobs: [failedJob] }, 'CANCELLING'],
    ['that another Job of it is running for', { jobs: [failedJob, job({ uid: 'u2', name: 'second' })] }, 'RUNNING'],
    ['that another Job of it has done', { jobs: [failedJob, job({ uid: 'u2', active: 0, succeeded: 1 })] }, 'RUNNING'],
    ['whose Job may still try again', { jobs: [job({ failed: 1, backoffLimit: 3 })] }, 'RUNNING'],
    ['whose former Job was deleted while a new one runs', { jobs: [job()], deletedJobs: [failedJob] }, 'PENDING'],
    ['that runs although a container waits', { jobs: [job()], pods: [pod({}, pulling)] }, 'RUNNING'],
  ])('%s is left alone', (_name, known, state) => {
    expect(judge(known, state)).toEqual({ kind: 'none' });
  });

  it.each<[string, Partial<RunRecord>, StateType, string[]]>([
    [
      'ran out of memory',
      { jobs: [failedJob], pods: [pod({}, { terminated: { reason: 'OOMKilled', message: '', exitCode: 137 } })] },
      'RUNNING',
      ['OOMKilled', 'exit code 137', 'Raise the memory limit', 'No active or succeeded pods found for any job'],
    ],
    [
      'ended with an exit code',
      { jobs: [failedJob], pods: [pod({}, { terminated: { reason: 'Error', message: '', exitCode: 3 } })] },
      'PENDING',
      ['container prefect-job of pod quick-fox-abc ended with exit code 3'],
    ],
    [
      'was evicted',
      { jobs: [failedJob], pods: [pod({ phase: 'Failed', reason: 'Evicted', message: 'The node was low on memory' })] },
      'RUNNING',
      ['Evicted: The node was low on memory'],
    ],
    [
      'ran past its deadline, before its tries were used up',
      {
        jobs: [
          job({
            backoffLimit: 6,
            ended: { type: 'Failed', reason: 'DeadlineExceeded', message: 'Job was active longer' },
          }),
        ],
      },
      'RUNNING',
      ['DeadlineExceeded: Job was active longer', 'activeDeadlineSeconds'],
    ],
    ['left no pod behind', { jobs: [failedJob] }, 'RUNNING', ['BackoffLimitExceeded']],
    ['was deleted', { deletedJobs: [job()] }, 'RUNNING', ['Kubernetes job was deleted', 'quick-fox-0123456789']],
  ])('whose Job %s crashes with the reason', (_name, known, state, texts) => {
    const action = judge(known, state);
    expect(action).toMatchObject({ kind: 'crash', deleteJob: undefined });
    for (const text of texts) expect(action.kind === 'crash' && action.message).toContain(text);
  });

  it('whose image cannot be pulled is given its grace first', () => {
    const known = { jobs: [job()], pods: [pod({}, pulling)] };
    expect(judge(known, 'PENDING')).toEqual({ kind: 'recheck', atMs: NOW + 50_000 });
  });

  it('whose image cannot be pulled crashes with the kubelet’s words after its grace, and its Job goes', () => {
    const known = { jobs: [job()], pods: [pod({}, pulling)] };
    const action = judge(known, 'PENDING', NOW + 50_000);
    expect(action).toMatchObject({ kind: 'crash', deleteJob: { uid: 'u1' } });
    expect(action.kind === 'crash' && action.message).toContain('ImagePullBackOff: Back-off pulling image "nope"');
  });

  it('whose state is not known yet is worth asking for only when its Job has failed', () => {
    expect(decide(record({ jobs: [job()] }), undefined, NOW, policy).kind).toBe('none');
    expect(decide(record({ jobs: [failedJob] }), undefined, NOW, policy).kind).toBe('crash');
  });
});
