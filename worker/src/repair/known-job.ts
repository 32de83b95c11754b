import type { FlowRunRecord } from '@slipway/prefect/client';
import { CLOCKS_MS, hasFailed, hasSucceeded } from '../decide/decide.ts';
import { pidOf } from '../infrastructure-pid.ts';
import type { JobFact } from '../observe/facts.ts';

type PendingRun = Pick<FlowRunRecord, 'id' | 'state' | 'infrastructure_pid'>;

/**
 * True when nothing has to be done about a Pending run: the Job that it names is there, may still do something, and was
 * made under the state the run is in. A Job of an earlier claim does not count: the run may have ended since and have been
 * made Pending again.
 *
 * @param jobs Jobs of this run that are known.
 */
export function hasItsJob(run: PendingRun, jobs: readonly JobFact[]): boolean {
  const since = Date.parse(run.state?.timestamp ?? '');
  return jobs.some(
    (job) =>
      job.flowRunId === run.id &&
      pidOf(job) === run.infrastructure_pid &&
      job.createdAt >= since - CLOCKS_MS &&
      !job.deleting &&
      !hasFailed(job) &&
      !hasSucceeded(job),
  );
}
