import { FlowRunRecord } from '@slipway/prefect/client';
import { describe, expect, it } from 'vitest';
import { readJob, readPod } from '../observe/facts.ts';
import { jobObject, podObject, terminatedStatus, waitingStatus } from '../testing/objects.ts';
import { decideCancelling } from './decide-cancelling.ts';

const now = Date.parse('2026-11-24T12:00:30Z');
const run = (more: object = {}, since = '2026-11-24T12:00:00Z') =>
  FlowRunRecord.parse({
    id: 'run',
    name: 'bee',
    flow_id: 'f',
    state: { id: 's', type: 'CANCELLING', name: 'Cancelling', timestamp: since },
    ...more,
  });
const job = (options: object = {}) => [readJob(jobObject(options))].filter((one) => one !== undefined);
const pod = (status: object) => [readPod(podObject({ status }))].filter((one) => one !== undefined);
const ours = { 'slipway.worker.version': '1', 'prefect.worker.name': 'w' };

describe('a run that is Cancelling', () => {
  it.each([
    ['has a Job without a pod', {}, job(), [], ['job']],
    ['has a pod that waits for a node', {}, job(), pod({ phase: 'Pending' }), ['job']],
    ['has a pod that waits for its image', {}, job(), pod(waitingStatus('ImagePullBackOff')), ['job']],
    ['ran before and waits for its new pod', { start_time: '2026-11-24T11:00:00Z' }, job(), [], ['job']],
    ['has no Job', { labels: ours }, [], [], []],
    ['was never taken by a worker', {}, [], [], []],
    ['left a Job that failed before it began', {}, job({ status: { failed: 1 } }), pod(terminatedStatus(1)), []],
  ])('is cancelled when it %s', (_about, more, jobs, pods, names) => {
    const decided = decideCancelling(run(more), { jobs, pods }, now);
    expect(decided.kind === 'cancel' && decided.jobs.map(({ name }) => name)).toEqual(names);
  });

  it.each([
    ['its pod has started', {}, job(), pod({ phase: 'Running' })],
    ['its pod has started', {}, job(), pod(terminatedStatus(0))],
    ['it has started, and no Job of it is left', { start_time: '2026-11-24T11:59:00Z' }, [], []],
    ['another kind of worker has it, and its Job is not here', { labels: { 'prefect.worker.name': 'py' } }, [], []],
    ['its Job is in another cluster', { labels: { ...ours, 'slipway.worker.cluster': 'there' } }, job(), []],
  ])('is left when %s', (why, more, jobs, pods) => {
    expect(decideCancelling(run(more), { jobs, pods }, now)).toEqual({ kind: 'leave', why });
  });

  it('is left for a while when its Job may be being created', () => {
    expect(decideCancelling(run({}, '2026-11-24T12:00:25Z'), { jobs: [], pods: [] }, now)).toMatchObject({
      kind: 'leave',
    });
    expect(decideCancelling(run({ state: null }), { jobs: [], pods: [] }, now)).toMatchObject({ kind: 'leave' });
  });
});
