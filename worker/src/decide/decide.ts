import { isFinal, type StateType } from '@slipway/prefect/states';
import type { JobFact, PodFact } from '../observe/facts.ts';
import { failureReason, neverPasses, stuckReason } from './diagnosis.ts';

/** All that is known of one flow run in the cluster. */
export interface RunRecord {
  readonly jobs: readonly JobFact[];
  readonly pods: readonly PodFact[];
  /** Jobs that are gone and had not succeeded when they were last seen. */
  readonly deletedJobs: readonly JobFact[];
  /** By uid of the Pod: since when, in milliseconds, it has been stuck. */
  readonly stuckSince: ReadonlyMap<string, number>;
}

/** What the server says of the run. */
export interface RunSituation {
  readonly state: StateType;
  /** Of a Pending run: the claim that made it so. */
  readonly claim?: {
    /** How the name of the Job of this claim ends, when one of our workers makes it. */
    readonly jobNameSuffix: string;
    /** When it became Pending, in milliseconds. */
    readonly since: number;
  };
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
  /** To be confirmed with live reads first. `deleteJob`: to be deleted as well, since its Pod could still start. */
  | { readonly kind: 'crash'; readonly message: string; readonly deleteJob: JobFact | undefined };

const NONE: Action = { kind: 'none' };

/** States in which the worker has nothing to say: the run has ended, waits to be scheduled, or is being cancelled. */
export function isOver(state: StateType): boolean {
  return isFinal(state) || state === 'SCHEDULED' || state === 'PAUSED' || state === 'CANCELLING';
}

/**
 * What became of a run, from what the cluster shows (contracts/worker.md §5.4; anchors/worker.md §0.7: uncertainty never
 * crashes a run). Pure; the caller confirms a crash with live reads before it says so. Of several Jobs, one that may
 * still do something counts, else the newest: a run that was rescheduled leaves finished Jobs behind.
 *
 * @param situation undefined when the server has not been asked yet: the answer then says whether to ask.
 */
export function decide(
  record: RunRecord,
  situation: RunSituation | undefined,
  nowMs: number,
  policy: DecidePolicy,
): Action {
  if (situation !== undefined && isOver(situation.state)) return NONE;
  const alive = record.jobs.filter((job) => !hasFailed(job) && !hasSucceeded(job));
  if (alive.length > 0) return judgePods(alive, record, situation, nowMs, policy);
  const newest = [...record.jobs, ...record.deletedJobs].reduce<JobFact | undefined>(
    (found, job) => (found === undefined || isNewer(job, found) ? job : found),
    undefined,
  );
  // A Job that succeeded has reported its run's state itself.
  if (newest === undefined || hasSucceeded(newest) || !isOfThisClaim(newest, situation)) return NONE;
  const message = hasFailed(newest)
    ? `No active or succeeded pods found for any job: ${failureReason(newest, record.pods)}`
    : `Kubernetes job was deleted: '${newest.name}' is gone and had not succeeded.`;
  return { kind: 'crash', message, deleteJob: undefined };
}

/** Failed for good: Kubernetes says so, or more pods failed than may (contracts/worker.md §5.4). */
export function hasFailed(job: JobFact): boolean {
  return job.ended?.type === 'Failed' || job.failed > job.backoffLimit;
}

export function hasSucceeded(job: JobFact): boolean {
  return job.ended?.type === 'Complete' || job.succeeded > 0;
}

/** Made since a claim of its run, or still at work: there may be no second one beside it. */
export function isAtWorkOn(job: JobFact, claimedSince: number): boolean {
  return job.createdAt >= claimedSince || (!hasFailed(job) && !hasSucceeded(job));
}

/** Kubernetes tells times in whole seconds: in doubt the one that succeeded is newer, so that nothing is crashed. */
function isNewer(job: JobFact, than: JobFact): boolean {
  if (job.createdAt !== than.createdAt) return job.createdAt > than.createdAt;
  return hasSucceeded(job);
}

/** The name of a Job that one of our workers derived. */
const DERIVED = /-[0-9a-f]{10}$/;
/** Whole seconds on one side, two clocks: a Job this much older than the claim can still be its own. */
export const CLOCKS_MS = 5_000;

/**
 * A run that was scheduled again is Pending before its new Job exists, and its old Job must not crash it then. Ours are
 * told apart by their names, other workers' by their age.
 */
function isOfThisClaim(job: JobFact, situation: RunSituation | undefined): boolean {
  const claim = situation?.claim;
  if (claim === undefined) return true;
  if (DERIVED.test(job.name)) return job.name.endsWith(`-${claim.jobNameSuffix}`);
  return job.createdAt >= claim.since - CLOCKS_MS;
}

/** A run whose Pod cannot start would stay Pending for ever; only Pods that never started are judged. */
function judgePods(
  jobs: readonly JobFact[],
  { pods, stuckSince }: RunRecord,
  situation: RunSituation | undefined,
  nowMs: number,
  policy: DecidePolicy,
): Action {
  if (situation !== undefined && situation.state !== 'PENDING') return NONE;
  for (const job of jobs) {
    const [pod, ...others] = pods.filter((one) => one.jobName === job.name);
    const reason = job.deleting || pod === undefined || others.length > 0 ? undefined : stuckReason(pod);
    if (pod === undefined || reason === undefined) continue;
    const graceMs = neverPasses(pod) ? 0 : policy.imagePullGraceMs;
    const atMs = (stuckSince.get(pod.uid) ?? nowMs) + graceMs;
    if (nowMs < atMs) return { kind: 'recheck', atMs };
    return { kind: 'crash', message: `Kubernetes pod cannot start: ${reason}`, deleteJob: job };
  }
  return NONE;
}
