/**
 * Takes up submissions that were interrupted: runs that are Pending and have no Job.
 *
 * Failure model. A worker may die, or lose its connection, at any moment between the claim and the create. Such a run
 * would stay Pending for ever. Every replica looks for them now and then; since the Job's name is derived from the run
 * and its claim, two that take up the same run make one Job. A run is left alone while it is
 * young, while a Job of it exists, and while it looks like another kind of worker's that may still be at it. Each run is
 * looked at on its own: servers that fail one request of ten do not keep a sweep of many runs from most of them.
 *
 * A pool whose runs wait for nodes has many old Pending runs, all of them with a Job. So a run whose Job is known to the
 * observer costs no request; where the observer does not look, the Jobs of a namespace are listed once a sweep when many
 * runs ask for it. What neither shows is looked at as before: it may be that the copy lags or the list failed.
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
import type { InterruptedRun } from '../claim/model.ts';
import { presentClaim } from '../claim/present-claim.ts';
import { restoring, undoneState } from '../claim/reopened.ts';
import { isAtWorkOn } from '../decide/decide.ts';
import { flowRunId, jobNameSuffix } from '../ids.ts';
import { pidOf, readPid } from '../infrastructure-pid.ts';
import type { KubernetesConnection } from '../k8s/connection.ts';
import type { JobFact } from '../observe/facts.ts';
import { type Namespaces, readAllJobs, readLiveJobs } from '../observe/live.ts';
import { WORKER_LABEL } from '../submit/run-labels.ts';
import type { World } from '../world.ts';
import { hasItsJob } from './known-job.ts';

export interface RepairOptions {
  readonly api: PrefectApi;
  readonly kubernetes: KubernetesConnection;
  readonly pool: string;
  /** Where Jobs are looked for. */
  readonly namespaces: () => Namespaces;
  /** The Jobs of a run in a namespace by a copy that is kept of them, or undefined when there is none. */
  readonly knownJobs: (flowRunId: string, namespace: string) => readonly JobFact[] | undefined;
  readonly policy: { readonly intervalMs: number; readonly orphanAfterMs: number };
  readonly inHand: (flowRunId: string) => boolean;
  readonly world: World;
}

/** Python's worker creates its Job within its own retries; after this it has certainly given up. */
const OTHER_WORKERS_MS = 15 * 60_000;
/** So many runs without a copy of their Jobs make it worth to list all Jobs of their namespace. */
const LIST_FROM = 5;
const SUBMITTING = new Set(['Pending', 'Submitting']);

/** Interrupted submissions, at once and then at every interval, until the signal is aborted. */
export async function* interrupted(options: RepairOptions, signal: AbortSignal): AsyncGenerator<InterruptedRun> {
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
async function* sweep(options: RepairOptions, signal: AbortSignal): AsyncGenerator<InterruptedRun> {
  const { api, pool, world } = options;
  const pending = await readFlowRuns(api, { workPoolName: pool, stateTypes: ['PENDING'] }, signal);
  const old = pending.filter((run) => isOrphan(run, world.clock.now(), options));
  let missed = 0;
  let reason = '';
  for await (const run of withoutKnownJob(old, options, signal)) {
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

/** The runs that are not known to have their Job, with one list a namespace at most. */
async function* withoutKnownJob(
  runs: readonly FlowRunRecord[],
  { knownJobs, kubernetes }: RepairOptions,
  signal: AbortSignal,
): AsyncGenerator<FlowRunRecord> {
  const unknown: { readonly run: FlowRunRecord; readonly namespace: string }[] = [];
  for (const run of runs) {
    const namespace = readPid(run.infrastructure_pid)?.namespace;
    const jobs = namespace === undefined ? [] : knownJobs(run.id, namespace);
    if (namespace !== undefined && jobs === undefined) unknown.push({ run, namespace });
    else if (!hasItsJob(run, jobs ?? [])) yield run;
  }
  for (const [namespace, group] of Map.groupBy(unknown, (one) => one.namespace)) {
    const listed = group.length < LIST_FROM ? [] : await readAllJobs(namespace, kubernetes, signal).catch(() => []);
    const jobs = Map.groupBy(listed, (job) => job.flowRunId);
    for (const { run } of group) if (!hasItsJob(run, jobs.get(run.id) ?? [])) yield run;
  }
}

/** By what the server says of it alone; whether a Job exists is asked next. */
export function isOrphan(
  run: Pick<FlowRunRecord, 'id' | 'state' | 'labels'>,
  nowMs: number,
  { policy, inHand }: Pick<RepairOptions, 'policy' | 'inHand'>,
): boolean {
  const { state, labels } = run;
  if (state?.type !== 'PENDING' || !SUBMITTING.has(state.name ?? '') || inHand(run.id)) return false;
  const age = nowMs - Date.parse(state.timestamp ?? '');
  const others = labels?.['prefect.worker.name'] !== undefined && labels[WORKER_LABEL] === undefined;
  return age > (others ? OTHER_WORKERS_MS : policy.orphanAfterMs);
}

/** The run as it was due, or undefined when the Job of its present claim exists, or it was no claim at all. */
async function dueAgain(
  run: FlowRunRecord,
  options: RepairOptions,
  signal: AbortSignal,
): Promise<InterruptedRun | undefined> {
  const { api, kubernetes, namespaces, world } = options;
  const jobs = await readLiveJobs(run.id, namespaces(), kubernetes, signal);
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
  const job = jobs.find(({ name }) => name.endsWith(`-${jobNameSuffix(id, claim.claimId)}`));
  if (job !== undefined) {
    // Its maker was interrupted right before or after: without its pid the run could not be cancelled later.
    const pid = pidOf(job);
    if (run.infrastructure_pid !== pid) await updateFlowRun(api, run.id, { infrastructure_pid: pid }, signal);
    return undefined;
  }
  // Another worker's Job, of this claim or still at work.
  if (jobs.some((other) => isAtWorkOn(other, claim.since))) return undefined;
  const { scheduledState, claimId, since } = claim;
  return { id, scheduledState, run, polledAt: world.clock.now(), interrupted: { claimId, since } };
}
