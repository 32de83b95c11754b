import { describe, expect, it } from 'vitest';
import { type JobFact, readJob } from '../observe/facts.ts';
import { type JobOptions, jobObject } from '../testing/objects.ts';
import { hasItsJob } from './known-job.ts';

const timestamp = '2026-11-24T12:00:00.500Z';
const pending = {
  id: 'run',
  infrastructure_pid: 'default:job',
  state: { id: 's', type: 'PENDING', name: 'Pending', timestamp },
} as const;
const job = (options: JobOptions = {}): JobFact => {
  const fact = readJob(jobObject(options));
  if (fact === undefined) throw new Error('no Job of a flow run');
  return fact;
};

describe('a Pending run', () => {
  it('whose Job is there is left alone', () => {
    expect(hasItsJob(pending, [job()])).toBe(true);
  });

  it.each<[string, Parameters<typeof hasItsJob>[0], JobFact[]]>([
    ['without a Job', pending, []],
    ['that names no Job', { ...pending, infrastructure_pid: null }, [job()]],
    ['that names another Job', { ...pending, infrastructure_pid: 'default:other' }, [job()]],
    ['whose Job is in another namespace', pending, [job({ namespace: 'flows' })]],
    ['whose Job is said to be another run’s', pending, [job({ run: 'other' })]],
    ['whose Job is older than its claim', pending, [job({ createdAt: '2026-11-24T11:59:50Z' })]],
    ['whose Job is being deleted', pending, [job({ deleting: true })]],
    ['whose Job has failed', pending, [job({ status: { failed: 1 } })]],
    ['whose Job has succeeded', pending, [job({ status: { succeeded: 1 } })]],
    ['of which nobody knows since when', { ...pending, state: { ...pending.state, timestamp: null } }, [job()]],
  ])('%s is looked at', (_name, run, jobs) => {
    expect(hasItsJob(run, jobs)).toBe(false);
  });
});
