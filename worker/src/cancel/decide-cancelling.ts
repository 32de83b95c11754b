import type { FlowRunRecord } from '@slipway/prefect/client';
import { hasFailed, hasSucceeded } from '../decide/decide.ts';
import type { JobFact, PodFact } from '../observe/facts.ts';
import { CLUSTER_LABEL, WORKER_LABEL } from '../submit/run-labels.ts';

/** What the worker does about a run that is Cancelling. */
export type Cancelling =
  /** Somebody else ends it, or nothing is certain: it is looked at again. */
  | { readonly kind: 'leave'; readonly why: string }
  /** Nothing of it has started: its Jobs, if any, go, and then it is Cancelled. */
  | { readonly kind: 'cancel'; readonly jobs: readonly JobFact[] };

/** How long a run without a Job is given: a replica may be creating it. */
const GRACE_MS = 10_000;

/**
 * Who ends a run that is Cancelling (contracts/worker.md §6): a pod that has started stops its flow and says so itself; one
 * that has not never will, and without the worker the run would wait for the server's 300 seconds. Pure.
 *
 * @param found its Jobs and Pods, read live from where this worker looks.
 */
export function decideCancelling(
  run: Pick<FlowRunRecord, 'state' | 'labels' | 'start_time'>,
  found: { readonly jobs: readonly JobFact[]; readonly pods: readonly PodFact[] },
  nowMs: number,
): Cancelling {
  if (run.labels?.[CLUSTER_LABEL] !== undefined) return leave('its Job is in another cluster');
  const alive = found.jobs.filter((job) => !hasFailed(job) && !hasSucceeded(job));
  const podsOf = (job: JobFact) => found.pods.filter(({ jobName }) => jobName === job.name);
  if (alive.some((job) => podsOf(job).some(({ phase }) => phase !== 'Pending'))) return leave('its pod has started');
  if (alive.length > 0) return { kind: 'cancel', jobs: alive };
  if (run.start_time) return leave('it has started, and no Job of it is left');
  if (isAnothers(run.labels)) return leave('another kind of worker has it, and its Job is not here');
  const since = Date.parse(run.state?.timestamp ?? '');
  if (!(nowMs - since > GRACE_MS)) return leave('its Job may be being created');
  return { kind: 'cancel', jobs: [] };
}

function leave(why: string): Cancelling {
  return { kind: 'leave', why };
}

function isAnothers(labels: FlowRunRecord['labels']): boolean {
  return labels?.['prefect.worker.name'] !== undefined && labels[WORKER_LABEL] === undefined;
}
