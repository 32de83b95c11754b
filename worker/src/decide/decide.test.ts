import type { StateType } from '@slipway/prefect/states';
import { describe, expect, it } from 'vitest';
import { type JobFact, type PodFact, readJob, readPod } from '../observe/facts.ts';
import {
  type JobOptions,
  jobObject,
  type PodOptions,
  podObject,
  terminatedStatus,
  waitingStatus,
} from '../testing/objects.ts';
import { type Action, decide, isOver, type RunRecord, type RunSituation } from './decide.ts';

const NOW = Date.parse('2026-11-24T13:00:00Z');
const POLICY = { imagePullGraceMs: 120_000 };

const job = (options: JobOptions = {}): JobFact => {
  const fact = readJob(jobObject(options));
  if (fact === undefined) throw new Error('no Job of a run');
  return fact;
};
const pod = (options: PodOptions = {}): PodFact => {
  const fact = readPod(podObject(options));
  if (fact === undefined) throw new Error('no Pod of a run');
  return fact;
};
const record = (more: Partial<RunRecord>): RunRecord => ({
  jobs: [],
  pods: [],
  deletedJobs: [],
  stuckSince: new Map(),
  ...more,
});
const judge = (more: Partial<RunRecord>, situation?: RunSituation): Action =>
  decide(record(more), situation, NOW, POLICY);

const failed = {
  failed: 1,
  conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'm' }],
};
const running: RunSituation = { state: 'RUNNING' };
const pending: RunSituation = { state: 'PENDING', claim: { jobNameSuffix: 'aaaaaaaaaa', since: NOW - 60_000 } };

describe('a Job that failed', () => {
  it('crashes its run, with the reason after Prefect’s own words', () => {
    expect(judge({ jobs: [job({ status: failed })], pods: [pod({ status: terminatedStatus(3) })] }, running)).toEqual({
      kind: 'crash',
      message:
        'No active or succeeded pods found for any job: container prefect-job of pod job-p1 ended with exit code 3.',
      deleteJob: undefined,
    });
  });

  it('is known by its condition, or by more failed pods than it may have', () => {
    for (const status of [failed, { failed: 1 }]) expect(judge({ jobs: [job({ status })] }).kind).toBe('crash');
    const patient = { ...job({ status: { failed: 3 } }), backoffLimit: 3 };
    expect(judge({ jobs: [patient] }).kind).toBe('none');
    expect(judge({ jobs: [{ ...patient, failed: 4 }] }).kind).toBe('crash');
  });

  it.each<StateType>([
    'COMPLETED',
    'FAILED',
    'CANCELLED',
    'CRASHED',
    'SCHEDULED',
    'PAUSED',
    'CANCELLING',
  ])('says nothing about a run that is %s', (state) => {
    expect(isOver(state)).toBe(true);
    expect(judge({ jobs: [job({ status: failed })] }, { state })).toEqual({ kind: 'none' });
  });

  it.each<StateType>(['PENDING', 'RUNNING'])('counts for a run that is %s', (state) => {
    expect(isOver(state)).toBe(false);
    expect(judge({ jobs: [job({ status: failed })] }, { state }).kind).toBe('crash');
  });
});

describe('of several Jobs', () => {
  const old = (options: JobOptions) => job({ uid: 'old', name: 'old', createdAt: '2026-11-24T11:00:00Z', ...options });

  it.each<[string, JobFact[], Action['kind']]>([
    ['one that is active counts', [old({ status: failed }), job({})], 'none'],
    ['one that has only just been made counts', [old({ status: failed }), job({ status: {} })], 'none'],
    ['an active older one counts too', [old({}), job({ status: failed })], 'none'],
    ['the newest counts: it succeeded', [old({ status: failed }), job({ status: { succeeded: 1 } })], 'none'],
    ['the newest counts: it failed', [old({ status: { succeeded: 1 } }), job({ status: failed })], 'crash'],
    [
      'of the same second the one that succeeded',
      [job({ uid: 'a', status: failed }), job({ uid: 'b', status: { succeeded: 1 } })],
      'none',
    ],
  ])('%s', (_about, jobs, kind) => {
    expect(judge({ jobs }, running).kind).toBe(kind);
    expect(judge({ jobs: jobs.toReversed() }, running).kind).toBe(kind);
  });
});

describe('a Job that is gone', () => {
  it('crashes its run, in Prefect’s own words', () => {
    expect(judge({ deletedJobs: [job()] }, running)).toEqual({
      kind: 'crash',
      message: "Kubernetes job was deleted: 'job' is gone and had not succeeded.",
      deleteJob: undefined,
    });
  });

  it('says why it had failed, if it had', () => {
    expect(judge({ deletedJobs: [job({ status: failed })] }, running)).toMatchObject({
      message: 'No active or succeeded pods found for any job: BackoffLimitExceeded: m.',
    });
  });

  it('says nothing while another is there, or while it is only being deleted', () => {
    expect(judge({ deletedJobs: [job({ uid: 'gone' })], jobs: [job({})] }, running).kind).toBe('none');
    expect(judge({ jobs: [job({ deleting: true })] }, running).kind).toBe('none');
  });

  it('of a run nothing is known about says nothing', () => {
    expect(judge({}, running)).toEqual({ kind: 'none' });
  });
});

describe('a run that is Pending for another time', () => {
  it.each<[string, JobOptions, Action['kind']]>([
    ['a Job of this claim', { name: 'my-run-aaaaaaaaaa' }, 'crash'],
    ['a Job of the claim before', { name: 'my-run-0123456789' }, 'none'],
    [
      'another worker’s Job, made after the claim',
      { name: 'my-run-x7k2p', createdAt: '2026-11-24T12:59:30Z' },
      'crash',
    ],
    ['another worker’s Job, made before', { name: 'my-run-x7k2p', createdAt: '2026-11-24T12:58:00Z' }, 'none'],
  ])('%s that failed or is gone: %s', (_about, options, kind) => {
    expect(judge({ jobs: [job({ ...options, status: failed })] }, pending).kind).toBe(kind);
    expect(judge({ deletedJobs: [job(options)] }, pending).kind).toBe(kind);
  });
});

describe('a Pod that cannot start', () => {
  const stuck = (reason: string, sinceMs?: number): Partial<RunRecord> => ({
    jobs: [job()],
    pods: [pod({ status: waitingStatus(reason, 'no such image') })],
    stuckSince: sinceMs === undefined ? new Map() : new Map([['p1', sinceMs]]),
  });

  it('is given its grace', () => {
    expect(judge(stuck('ImagePullBackOff', NOW - 1_000))).toEqual({ kind: 'recheck', atMs: NOW + 119_000 });
    expect(judge(stuck('ErrImagePull'))).toEqual({ kind: 'recheck', atMs: NOW + 120_000 });
  });

  it('then crashes its run with the kubelet’s words, and its Job is deleted', () => {
    expect(judge(stuck('ImagePullBackOff', NOW - 120_000), pending)).toMatchObject({
      kind: 'crash',
      message: expect.stringContaining(
        'Kubernetes pod cannot start: container prefect-job of pod job-p1: ImagePullBackOff: no such image.',
      ),
      deleteJob: { uid: 'u1' },
    });
  });

  it.each(['InvalidImageName', 'ErrImageNeverPull'])('is not waited for when it never will: %s', (reason) => {
    expect(judge(stuck(reason)).kind).toBe('crash');
  });

  it.each(['ContainerCreating', 'PodInitializing', ''])('is not one that waits for %j', (reason) => {
    expect(judge(stuck(reason, 0)).kind).toBe('none');
  });

  it('says nothing about a run that is running', () => {
    expect(judge(stuck('ImagePullBackOff', 0), running).kind).toBe('none');
  });

  it('says nothing when its Job is being deleted, or has tried before', () => {
    const record = stuck('ImagePullBackOff', 0);
    expect(judge({ ...record, jobs: [job({ deleting: true })] }).kind).toBe('none');
    expect(judge({ ...record, pods: [...(record.pods ?? []), pod({ uid: 'p2' })] }).kind).toBe('none');
  });
});
