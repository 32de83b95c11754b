/**
 * Finds out what became of runs: every change of a Job or Pod has its run looked at again.
 *
 * Failure model. The copies of Jobs and Pods may be old and events are missed, so a run is only ever crashed after its
 * state and its Jobs were read again, live (uncertainty never crashes a run). What could not be read is looked at again
 * later. Several replicas see the same; the server takes the first Crashed and refuses the rest.
 */
import { randomUUID } from 'node:crypto';
import { type PrefectApi, PrefectApiError, readFlowRun, setFlowRunState } from '@slipway/prefect/client';
import { fullJitter } from '../backoff.ts';
import { type Action, type DecidePolicy, decide, hasFailed, hasSucceeded } from '../decide/decide.ts';
import { deleteJob } from '../k8s/api.ts';
import type { KubernetesConnection } from '../k8s/connection.ts';
import type { Metrics } from '../ops/metrics.ts';
import { LEVEL, type RunLog } from '../report/run-log.ts';
import { FLOW_RUN_LABEL } from '../submit/submit.ts';
import type { World } from '../world.ts';
import { type JobFact, type PodFact, readJob, readPod } from './facts.ts';
import { type Namespaces, readLiveRun } from './live.ts';
import { Reflector } from './reflector.ts';
import { RunStore } from './store.ts';

export interface ObserverOptions {
  readonly api: PrefectApi;
  readonly kubernetes: KubernetesConnection;
  readonly namespaces: Namespaces;
  readonly labelFilters: Readonly<Record<string, string>>;
  readonly policy: DecidePolicy;
  readonly runLog: RunLog;
  readonly metrics: () => Metrics;
  readonly world: World;
  /** Told when a Job has appeared, changed or gone: there may be room for another. */
  readonly jobsChanged: () => void;
}

const RETRY = { firstMs: 1_000, mostMs: 60_000 };
/** Runs looked at together. */
const AT_A_TIME = 8;

export class Observer {
  readonly store: RunStore;
  readonly #options: ObserverOptions;
  readonly #reflectors: readonly (Reflector<JobFact> | Reflector<PodFact>)[];
  /** Runs to look at, each with the time from which on. */
  readonly #due = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  #wake: () => void = () => undefined;

  constructor(options: ObserverOptions) {
    this.#options = options;
    const { kubernetes, namespaces, world } = options;
    this.store = new RunStore((flowRunId) => this.#lookAt(flowRunId, world.clock.now()));
    const labelSelector = [
      FLOW_RUN_LABEL,
      ...Object.entries(options.labelFilters).map(([key, value]) => `${key}=${value}`),
    ].join(',');
    this.#reflectors = namespaces.flatMap((namespace) => [
      new Reflector({
        kubernetes,
        resource: 'jobs',
        namespace,
        labelSelector,
        read: readJob,
        world,
        onChange: (change) => {
          this.store.apply(change);
          options.jobsChanged();
        },
      }),
      new Reflector({
        kubernetes,
        resource: 'pods',
        namespace,
        labelSelector,
        read: readPod,
        world,
        onChange: (change) => this.store.apply(change),
      }),
    ]);
  }

  /** True once every copy has been filled. */
  get synced(): boolean {
    return this.#reflectors.every((reflector) => reflector.syncedAt !== undefined);
  }

  /** When the oldest of the copies was last known to be true, in milliseconds. */
  get syncedAt(): number {
    return Math.min(...this.#reflectors.map((reflector) => reflector.syncedAt ?? 0));
  }

  /** Jobs of flow runs that have not ended. */
  get liveJobs(): number {
    return this.store.liveJobs((job) => !hasFailed(job) && !hasSucceeded(job));
  }

  /** Watches and judges until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#reflectors.map((reflector) => reflector.run(signal)), this.#judge(signal)]);
  }

  #lookAt(flowRunId: string, atMs: number): void {
    const planned = this.#due.get(flowRunId);
    if (planned === undefined || planned > atMs) this.#due.set(flowRunId, atMs);
    this.#wake();
  }

  async #judge(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const now = this.#options.world.clock.now();
      const ready = [...this.#due].filter(([, at]) => at <= now).slice(0, AT_A_TIME);
      for (const [flowRunId] of ready) this.#due.delete(flowRunId);
      await Promise.all(ready.map(([flowRunId]) => this.#judgeRun(flowRunId, signal)));
      if (ready.length === 0) await this.#nextDue(signal);
    }
  }

  async #nextDue(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options.world;
    const next = Math.min(...this.#due.values(), clock.now() + 60_000);
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await clock.sleep(Math.max(0, next - clock.now()), AbortSignal.any([signal, woken.signal])).catch(() => undefined);
    this.#wake = () => undefined;
  }

  async #judgeRun(flowRunId: string, signal: AbortSignal): Promise<void> {
    const { policy, world } = this.#options;
    const action = decide(this.store.record(flowRunId), undefined, world.clock.now(), policy);
    try {
      await this.#carryOut(flowRunId, action, signal);
      this.#failures.delete(flowRunId);
    } catch (error) {
      if (signal.aborted) return;
      const failures = (this.#failures.get(flowRunId) ?? 0) + 1;
      this.#failures.set(flowRunId, failures);
      world.log.warning(
        `Looking at flow run ${flowRunId}: ${error instanceof Error ? error.message : error}; again later`,
      );
      this.#lookAt(flowRunId, world.clock.now() + fullJitter(failures, RETRY, world.random));
    }
  }

  async #carryOut(flowRunId: string, action: Action, signal: AbortSignal): Promise<void> {
    if (action.kind === 'none') return;
    if (action.kind === 'recheck') {
      this.#lookAt(flowRunId, action.atMs);
      return;
    }
    const confirmed = await this.#confirm(flowRunId, signal);
    if (confirmed.kind === 'recheck') this.#lookAt(flowRunId, confirmed.atMs);
    if (confirmed.kind === 'crash') await this.#crash(flowRunId, confirmed, signal);
    else if (confirmed.kind === 'none') this.store.forgetDeleted(flowRunId);
  }

  /** The same decision once more, on the run's state and its Jobs as they are now. */
  async #confirm(flowRunId: string, signal: AbortSignal): Promise<Action> {
    const { api, kubernetes, namespaces, policy, world } = this.#options;
    let run: Awaited<ReturnType<typeof readFlowRun>>;
    try {
      run = await readFlowRun(api, flowRunId, signal);
    } catch (error) {
      // Deleted on the server: nobody wants to know.
      if (error instanceof PrefectApiError && error.status === 404) return { kind: 'none' };
      throw error;
    }
    const state = run.state?.type;
    if (state === undefined) return { kind: 'none' };
    const live = await readLiveRun(flowRunId, namespaces, kubernetes, signal);
    const { deletedJobs } = this.store.record(flowRunId);
    return decide({ ...live, deletedJobs }, state, world.clock.now(), policy);
  }

  async #crash(flowRunId: string, action: Extract<Action, { kind: 'crash' }>, signal: AbortSignal): Promise<void> {
    const { api, kubernetes, runLog, world, metrics } = this.#options;
    const proposal = { type: 'CRASHED', name: 'Crashed', message: action.message, transitionId: randomUUID() } as const;
    const answer = await setFlowRunState(api, flowRunId, proposal, { signal });
    if (answer.status === 'ACCEPT') {
      metrics().crashed.inc();
      world.log.info(`Flow run ${flowRunId} is Crashed: ${action.message}`);
      runLog.tell(flowRunId, LEVEL.error, action.message);
    }
    const { deleteJob: job } = action;
    if (job !== undefined) await deleteJob(kubernetes, job.namespace, job.name, job.uid, signal);
    this.store.forgetDeleted(flowRunId);
  }
}
