import { isFinal, type StateType } from '@slipway/prefect/states';
import type { JobFact, PodFact } from '../observe/facts.ts';
import { failureReason, stuckReason } from './diagnosis.ts';

/** All that is known of one flow run in the cluster. */
export interface RunRecord {
  readonly jobs: readonly JobFact[];
  readonly pods: readonly PodFact[];
  /** Jobs that are gone and had not succeeded when they were last seen. */
  readonly deletedJobs: readonly JobFact[];
}

export interface DecidePolicy {
  /** How long a Pod that cannot start is given to come right. */
  readonly imagePullGraceMs: number;
}

/** What has to be done about a run. */
export type Action =
  | { readonly kind: 'none' }
  /** Look again then, though nothing may change. */
  | { readonly kind: 'recheck'; readonly atMs: number }
  /** To be confirmed with live reads first. `job`: to be deleted as well, since its Pod could still start. */
  | { readonly kind: 'crash'; readonly message: string; readonly deleteJob: JobFact | undefined };

const NONE: Action = { kind: 'none' };

/** States in which the worker has nothing to say: the run has ended, waits to be scheduled, or is being cancelled. */
export function isOver(state: StateType): boolean {
  return isFinal(state) || state === 'SCHEDULED' || state === 'PAUSED' || state === 'CANCELLING';
}

/**
 * What became of a run, from what the cluster shows (contracts/worker.md §5.4; anchors/worker.md §0.7: uncertainty never
 * crashes a run). Pure; the caller confirms a crash with live reads before it says so.
 *
 * @param state the run's state on the server, undefined when it is not known yet: then only Jobs that have certainly
 *   failed are worth asking for.
 */
export function decide(record: RunRecord, state: StateType | undefined, nowMs: number, policy: DecidePolicy): Action {
  if (state !== undefined && isOver(state)) return NONE;
  const alive = record.jobs.filter((job) => !hasFailed(job));
  // A Job that succeeded has reported its run's state itself; one that is active may still do so.
  if (alive.some((job) => hasSucceeded(job))) return NONE;
  const active = alive.filter((job) => !job.deleting);
  if (active.length > 0) return judgePods(active, record.pods, state, nowMs, policy);
  const failed = record.jobs.find(hasFailed);
  if (failed !== undefined) {
    const message = `Kubernetes job '${failed.name}' failed: ${failureReason(failed, record.pods)} No active or succeeded pods found for any job.`;
    return { kind: 'crash', message, deleteJob: undefined };
  }
  const gone = record.deletedJobs.at(-1);
  if (gone !== undefined && alive.length === 0) {
    return {
      kind: 'crash',
      message: `Kubernetes job was deleted: '${gone.name}' is gone and had not succeeded.`,
      deleteJob: undefined,
    };
  }
  return NONE;
}

/** Failed for good: Kubernetes says so, or it has used up its tries. */
export function hasFailed(job: JobFact): boolean {
  return job.ended?.type === 'Failed' || job.failed > job.backoffLimit;
}

export function hasSucceeded(job: JobFact): boolean {
  return job.ended?.type === 'Complete' || job.succeeded > 0;
}

/** A run whose Pod cannot start would stay Pending for ever; only Pods that never started are judged. */
function judgePods(
  jobs: readonly JobFact[],
  pods: readonly PodFact[],
  state: StateType | undefined,
  nowMs: number,
  policy: DecidePolicy,
): Action {
  if (state !== undefined && state !== 'PENDING') return NONE;
  for (const job of jobs) {
    const [pod, ...others] = pods.filter((one) => one.jobName === job.name);
    const reason = pod === undefined || others.length > 0 ? undefined : stuckReason(pod);
    if (pod === undefined || reason === undefined) continue;
    const atMs = pod.createdAt + policy.imagePullGraceMs;
    if (nowMs < atMs) return { kind: 'recheck', atMs };
    return { kind: 'crash', message: `Kubernetes job '${job.name}' cannot start: ${reason}`, deleteJob: job };
  }
  return NONE;
}
