import { describe, expect, it } from 'vitest';
import { type JobOptions, jobObject, type PodOptions, podObject, waitingStatus } from '../testing/objects.ts';
import { readJob, readPod } from './facts.ts';
import { RunStore } from './store.ts';

function store() {
  let now = 1_000;
  const changed: string[] = [];
  const value = new RunStore(
    () => now,
    (run) => changed.push(run),
  );
  const job = (kind: 'set' | 'deleted', options: JobOptions) => {
    const fact = readJob(jobObject(options));
    if (fact !== undefined) value.apply({ kind, fact });
  };
  const pod = (kind: 'set' | 'deleted', options: PodOptions) => {
    const fact = readPod(podObject(options));
    if (fact !== undefined) value.apply({ kind, fact });
  };
  const pass = () => {
    now += 1_000;
  };
  return { value, changed, job, pod, pass };
}

describe('what is known of a run', () => {
  it('is put together from its Jobs and Pods, and each change is told', () => {
    const { value, changed, job, pod } = store();
    job('set', { run: 'a' });
    pod('set', { run: 'a' });
    job('set', { run: 'b', uid: 'u2' });
    expect(value.record('a')).toMatchObject({ jobs: [{ uid: 'u1' }], pods: [{ uid: 'p1' }], deletedJobs: [] });
    expect(value.record('nobody')).toEqual({ jobs: [], pods: [], deletedJobs: [], stuckSince: new Map() });
    expect(changed).toEqual(['a', 'a', 'b']);
  });

  it('remembers a Job that went without success until it is dealt with', () => {
    const { value, job } = store();
    job('set', {});
    job('deleted', { status: { active: 1 } });
    expect(value.record('run')).toMatchObject({ jobs: [], deletedJobs: [{ uid: 'u1' }] });
    value.forgetDeleted('run');
    expect(value.record('run').deletedJobs).toEqual([]);
  });

  it('does not remember a Job that succeeded first', () => {
    const { value, job } = store();
    job('deleted', { status: { succeeded: 1 } });
    expect(value.record('run').deletedJobs).toEqual([]);
  });

  it('remembers a bounded number of runs with deleted Jobs', () => {
    const { value, job } = store();
    for (let index = 0; index < 1_100; index += 1) job('deleted', { run: `r${index}`, uid: `u${index}` });
    expect(value.record('r0').deletedJobs).toEqual([]);
    expect(value.record('r1099').deletedJobs).toHaveLength(1);
  });
});

describe('a Pod that is stuck', () => {
  it('is so since it was first seen so, whatever the kubelet calls it', () => {
    const { value, pod, pass } = store();
    pod('set', { status: waitingStatus('ErrImagePull') });
    pass();
    pod('set', { status: waitingStatus('ImagePullBackOff') });
    expect(value.record('run').stuckSince).toEqual(new Map([['p1', 1_000]]));
  });

  it('begins anew after it has come further', () => {
    const { value, pod, pass } = store();
    pod('set', { status: waitingStatus('ErrImagePull') });
    pod('set', { status: waitingStatus('ContainerCreating') });
    expect(value.record('run').stuckSince.size).toBe(0);
    pass();
    pod('set', { status: waitingStatus('ErrImagePull') });
    expect(value.record('run').stuckSince.get('p1')).toBe(2_000);
    pod('deleted', {});
    expect(value.record('run')).toMatchObject({ pods: [], stuckSince: new Map() });
  });
});

describe('live Jobs', () => {
  it('are those of the pool that have not ended', () => {
    const { value, job } = store();
    job('set', { uid: 'a' });
    job('set', { uid: 'b', status: {} });
    job('set', { uid: 'c', status: { succeeded: 1 } });
    job('set', { uid: 'd', status: { failed: 1 } });
    job('set', { uid: 'e', pool: 'other' });
    expect(value.liveJobs('pool')).toBe(2);
  });
});
