/**
 * Ends runs that are cancelled before their pod has started.
 *
 * Failure model. Nothing is remembered: what is Cancelling is asked for, often while a pod waits to start, else seldom, so
 * that a restart or a lost answer costs one interval. The Jobs go first, each by its uid, then the run is Cancelled; when
 * either fails the run is still Cancelling, and the next round does the rest. A pod that starts meanwhile is told that its
 * run is Cancelling and ends. Replicas do the same things twice, harmlessly.
 */
import { randomUUID } from 'node:crypto';
import { type FlowRunRecord, type PrefectApi, readFlowRuns, setFlowRunState } from '@slipway/prefect/client';
import { deleteJob } from '../k8s/api.ts';
import type { KubernetesConnection } from '../k8s/connection.ts';
import { type Namespaces, readLiveRun } from '../observe/live.ts';
import { LEVEL, type RunLog } from '../report/run-log.ts';
import type { World } from '../world.ts';
import { decideCancelling } from './decide-cancelling.ts';

export interface CancellerOptions {
  readonly api: PrefectApi;
  readonly kubernetes: KubernetesConnection;
  readonly pool: string;
  /** Where Jobs are looked for. */
  readonly namespaces: () => Namespaces;
  /** True while a Job waits for its pod to start: only then can a run be cancelled in time. */
  readonly anyWaiting: () => boolean;
  /** Resolves when a Job has come or gone; never rejects. */
  readonly jobsChanged: (signal: AbortSignal) => Promise<void>;
  /** Runs that are just being submitted are left until they are. */
  readonly inHand: (flowRunId: string) => boolean;
  /** How often is asked while nothing waits. */
  readonly pollMs: number;
  readonly runLog: RunLog;
  readonly world: World;
}

/** A run whose pod waits ends within this and what the servers take. */
const WAITING_POLL_MS = 2_500;
const MESSAGE = 'Flow run cancelled by worker while pending.';

/** Looks for cancelled runs until the signal is aborted. */
export async function cancelRuns(options: CancellerOptions, signal: AbortSignal): Promise<void> {
  const { clock, log, random } = options.world;
  let askedAt = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    if (options.anyWaiting() || clock.now() - askedAt >= options.pollMs) {
      askedAt = clock.now();
      try {
        await cancelOnce(options, signal);
      } catch (error) {
        if (signal.aborted) return;
        log.warning(`Looking for cancelled runs: ${error instanceof Error ? error.message : error}; again later`);
      }
    }
    await clock.sleep(WAITING_POLL_MS * (0.9 + 0.2 * random()), signal).catch(() => undefined);
    if (!options.anyWaiting()) await quiet(askedAt + options.pollMs - clock.now(), options, signal);
  }
}

/** While nothing waits the loop sleeps: a worker that has nothing to do costs next to nothing. */
async function quiet(ms: number, { jobsChanged, world }: CancellerOptions, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return;
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  await Promise.race([world.clock.sleep(ms, either).catch(() => undefined), jobsChanged(either)]);
  over.abort('over');
}

async function cancelOnce(options: CancellerOptions, signal: AbortSignal): Promise<void> {
  const cancelling = await readFlowRuns(
    options.api,
    { workPoolName: options.pool, stateTypes: ['CANCELLING'] },
    signal,
  );
  for (const run of cancelling) {
    if (!options.inHand(run.id)) await cancelRun(run, options, signal);
  }
}

async function cancelRun(run: FlowRunRecord, options: CancellerOptions, signal: AbortSignal): Promise<void> {
  const { api, kubernetes, namespaces, runLog, world } = options;
  const found = await readLiveRun(run.id, namespaces(), kubernetes, signal);
  const decided = decideCancelling(run, found, world.clock.now());
  if (decided.kind === 'leave') {
    world.log.debug(`Flow run ${run.name} is Cancelling: ${decided.why}`, { flowRun: run.id });
    return;
  }
  for (const job of decided.jobs) await deleteJob(kubernetes, job.namespace, job.name, job.uid, signal);
  const proposal = { type: 'CANCELLED', name: 'Cancelled', message: MESSAGE, transitionId: randomUUID() } as const;
  const { status } = await setFlowRunState(api, run.id, proposal, { signal });
  const deleted = decided.jobs.map(({ namespace, name }) => `${namespace}/${name}`).join(', ') || 'none';
  world.log.info(`Flow run ${run.name} is Cancelled (${status}); Jobs deleted: ${deleted}`, { flowRun: run.id });
  runLog.tell(run.id, LEVEL.info, MESSAGE);
}
