import type { FlowRunRecord } from '@slipway/prefect/client';
import { CLOCKS_MS, hasFailed, hasSucceeded } from '../decide/decide.ts';
import type { JobFact } from '../observe/facts.ts';

type PendingRun = Pick<FlowRunRecord, 'id' | 'state' | 'infrastructure_pid'>;

/** The namespace of the Job that a run's `infrastructure_pid` (`namespace:name`) names, or undefined without one. */
export function namespaceOf(pid: string | null | undefined): string | undefined {
  const [namespace, name, ...rest] = pid?.split(':') ?? [];
  return namespace && name && rest.length === 0 ? namespace : undefined;
}

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
      `${job.namespace}:${job.name}` === run.infrastructure_pid &&
      job.createdAt >= since - CLOCKS_MS &&
      !job.deleting &&
      !hasFailed(job) &&
      !hasSucceeded(job),
  );
}
