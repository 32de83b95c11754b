/**
 * Takes up submissions that were interrupted: runs that are Pending and have no Job.
 *
 * Failure model. A worker may die, or lose its connection, at any moment between the claim and the create. Such a run
 * would stay Pending for ever. Every replica looks for them now and then; since the Job's name is derived from the run
 * and the Scheduled state it was polled under, two that take up the same run make one Job. A run is left alone while it is
 * young, while a Job of it exists, and while it looks like another kind of worker's that may still be at it. Each run is
 * looked at on its own: servers that fail one request of ten do not keep a sweep of many runs from most of them.
 */
import { randomUUID } from 'node:crypto';
import {
  type FlowRunRecord,
  type PrefectApi,
  readFlowRun,
  readFlowRunStates,
  readFlowRuns,
  setFlowRunState,
  updateFlowRun,
} from '@slipway/prefect/client';
import type { DueRun } from '../claim/model.ts';
import { presentClaim } from '../claim/present-claim.ts';
import { restoring, undoneState } from '../claim/reopened.ts';
import { isAtWorkOn } from '../decide/decide.ts';
import { flowRunId, jobNameSuffix } from '../ids.ts';
import type { KubernetesConnection } from '../k8s/connection.ts';
import { type Namespaces, readLiveRun } from '../observe/live.ts';
import { WORKER_LABEL } from '../submit/run-labels.ts';
import type { World } from '../world.ts';

export interface RepairOptions {
  readonly api: PrefectApi;
  readonly kubernetes: KubernetesConnection;
  readonly pool: string;
  /** Where Jobs are looked for. */
  readonly namespaces: () => Namespaces;
  readonly policy: { readonly intervalMs: number; readonly orphanAfterMs: number };
  readonly inHand: (flowRunId: string) => boolean;
  /** Whether the watch shows a Job of the run that is still at work, in the place that its `infrastructure_pid` names. */
  readonly jobIsWatched: (flowRunId: string, pid: string) => boolean;
  readonly world: World;
}

/** Python's worker creates its Job within its own retries; after this it has certainly given up. */
const OTHER_WORKERS_MS = 15 * 60_000;
const SUBMITTING = new Set(['Pending', 'Submitting']);

/** Interrupted submissions, at once and then at every interval, until the signal is aborted. */
export async function* interrupted(options: RepairOptions, signal: AbortSignal): AsyncGenerator<DueRun> {
  const { world, policy } = options;
  while (!signal.aborted) {
    try {
      yield* sweep(options, signal);
    } catch (error) {
      if (signal.aborted) return;
      world.log.warning(
        `Looking for interrupted submissions: ${error instanceof Error ? error.message : error}; again later`,
      );
    }
    await world.clock.sleep(policy.intervalMs * (0.75 + 0.5 * world.random()), signal).catch(() => undefined);
  }
}

/** Each run as soon as it is found. One that cannot be looked at holds up none of the others. */
async function* sweep(options: RepairOptions, signal: AbortSignal): AsyncGenerator<DueRun> {
  const { api, pool, world } = options;
  const pending = await readFlowRuns(api, { workPoolName: pool, stateTypes: ['PENDING'] }, signal);
  let missed = 0;
  let reason = '';
  for (const run of pending) {
    if (!isOrphan(run, world.clock.now(), options)) continue;
    try {
      const due = await dueAgain(run, options, signal);
      if (due !== undefined) yield due;
    } catch (error) {
      signal.throwIfAborted();
      missed += 1;
      reason = error instanceof Error ? error.message : String(error);
    }
  }
  if (missed > 0)
    world.log.warning(`Looking for interrupted submissions: ${missed} not seen to: ${reason}; again later`);
}

/** By what is known without a request; whether a Job exists is asked next. */
export function isOrphan(
  run: Pick<FlowRunRecord, 'id' | 'state' | 'labels' | 'infrastructure_pid'>,
  nowMs: number,
  { policy, inHand, jobIsWatched }: Pick<RepairOptions, 'policy' | 'inHand' | 'jobIsWatched'>,
): boolean {
  const { state, labels, infrastructure_pid: pid } = run;
  if (state?.type !== 'PENDING' || !SUBMITTING.has(state.name ?? '') || inHand(run.id)) return false;
  // Pods that wait for room keep their runs Pending by the thousand: none of them costs a request.
  if (pid && jobIsWatched(run.id, pid)) return false;
  const age = nowMs - Date.parse(state.timestamp ?? '');
  const others = labels?.['prefect.worker.name'] !== undefined && labels[WORKER_LABEL] === undefined;
  return age > (others ? OTHER_WORKERS_MS : policy.orphanAfterMs);
}

/** The run as it was due, or undefined when the Job of its present claim exists, or it was no claim at all. */
async function dueAgain(run: FlowRunRecord, options: RepairOptions, signal: AbortSignal): Promise<DueRun | undefined> {
  const { api, kubernetes, namespaces, world } = options;
  const { jobs } = await readLiveRun(run.id, namespaces(), kubernetes, signal);
  const states = await readFlowRunStates(api, run.id, signal);
  if ((await readFlowRun(api, run.id, signal)).state?.id !== run.state?.id) return undefined;
  const ended = undoneState(states);
  if (ended !== undefined) {
    world.log.warning(
      `Flow run ${run.name} had ended as ${ended.name ?? ended.type} and was made Pending again: restoring it`,
    );
    await setFlowRunState(api, run.id, restoring(ended, randomUUID()), { signal });
    return undefined;
  }
  const claim = presentClaim(states);
  if (claim === undefined) return undefined;
  const id = flowRunId(run.id);
  const job = jobs.find(({ name }) => name.endsWith(`-${jobNameSuffix(id, claim.scheduledState)}`));
  if (job !== undefined) {
    // Its maker was interrupted right before or after: without its pid the run could not be cancelled later.
    const pid = `${job.namespace}:${job.name}`;
    if (run.infrastructure_pid !== pid) await updateFlowRun(api, run.id, { infrastructure_pid: pid }, signal);
    return undefined;
  }
  // Another worker's Job, of this claim or still at work.
  if (jobs.some((other) => isAtWorkOn(other, claim.since))) return undefined;
  const { scheduledState, since } = claim;
  return { id, scheduledState, run, polledAt: world.clock.now(), interrupted: { since } };
}
