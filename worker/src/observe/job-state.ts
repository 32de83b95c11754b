import type { JobRecord } from './records.ts';

/** The condition that says why a Job failed, or undefined. `FailureTarget` comes first, while pods still end. */
export function failureCondition(job: JobRecord): JobRecord['conditions'][number] | undefined {
  return (
    job.conditions.find((each) => each.type === 'Failed') ?? job.conditions.find((each) => each.type === 'FailureTarget')
  );
}

/** Failed for good: Kubernetes says so, or more pods failed than may (contracts/worker.md §5.4). */
export function isFailed(job: JobRecord): boolean {
  return failureCondition(job) !== undefined || job.failed > job.backoffLimit;
}

export function isSucceeded(job: JobRecord): boolean {
  return job.succeeded > 0 || job.conditions.some((each) => each.type === 'Complete' || each.type === 'SuccessCriteriaMet');
}

/** Nothing of it runs or will run. */
export function isFinished(job: JobRecord): boolean {
  return isSucceeded(job) || isFailed(job);
}
