/**
 * Looks at runs whose objects have changed, and says what became of them.
 *
 * Failure model. What asks for a look may be old, wrong or missing, so a run is only ever crashed after its Jobs and then
 * its state were read again, live (anchors/worker.md §0.7: uncertainty never crashes a run). What could not be read is
 * looked at again later. Several replicas judge the same; the server takes the first Crashed and refuses the rest.
 */
import { randomUUID } from 'node:crypto';
import {
  type FlowRunRecord,
  type PrefectApi,
  readFlowRunStates,
  readFlowRuns,
  setFlowRunState,
} from '@slipway/prefect/client';
import { fullJitter } from '../backoff.ts';
import { batched } from '../batched.ts';
import { presentClaim } from '../claim/present-claim.ts';
import { flowRunId as asFlowRunId, jobNameSuffix } from '../ids.ts';
import { deleteJob } from '../k8s/api.ts';
import type { KubernetesConnection } from '../k8s/connection.ts';
import type { CrashLogs } from '../observe/crash-logs.ts';
import type { PodFact } from '../observe/facts.ts';
import { type Namespaces, readLiveRun } from '../observe/live.ts';
import type { Metrics } from '../ops/metrics.ts';
import { LEVEL, type RunLog } from '../report/run-log.ts';
import type { World } from '../world.ts';
import { type Action, type DecidePolicy, decide, isOver, type RunRecord, type RunSituation } from './decide.ts';

export interface JudgeOptions {
  readonly api: PrefectApi;
  readonly kubernetes: KubernetesConnection;
  /** Where a run's Jobs are looked for. */
  readonly namespaces: () => Namespaces;
  readonly record: (flowRunId: string) => RunRecord;
  /** Called when nothing more is to be said of a run for now. */
  readonly settled: (flowRunId: string) => void;
  readonly policy: DecidePolicy;
  readonly crashLogs: Pick<CrashLogs, 'read'>;
  readonly runLog: RunLog;
  readonly metrics: Pick<Metrics, 'crashed'>;
  readonly world: World;
}

const RETRY = { firstMs: 1_000, mostMs: 60_000 };
/** Runs looked at together. */
const AT_A_TIME = 8;
/** Runs asked for in one request. */
const BATCH = 200;
/** How long the loop sleeps when nothing is planned. */
const IDLE_MS = 60_000;

export class Judge {
  readonly #options: JudgeOptions;
  /** Runs to look at, each with the time from which on. */
  readonly #due = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  #wake: () => void = () => undefined;

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  /** Has a run looked at, at once or at a time in milliseconds. */
  lookAt(flowRunId: string, atMs = 0): void {
    const planned = this.#due.get(flowRunId);
    if (planned !== undefined && planned <= atMs) return;
    this.#due.set(flowRunId, atMs);
    this.#wake();
  }

  /** Looks at what it is asked to until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options.world;
    while (!signal.aborted) {
      const now = clock.now();
      const ready = [...this.#due].filter(([, at]) => at <= now).map(([flowRunId]) => flowRunId);
      for (const flowRunId of ready) this.#due.delete(flowRunId);
      // Most changes ask for nothing; the rest is asked for in one request.
      const open = ready.filter((flowRunId) => this.#asksForMore(flowRunId));
      for (let at = 0; at < open.length; at += BATCH) await this.#judge(open.slice(at, at + BATCH), signal);
      if (ready.length === 0) await this.#nextDue(signal);
    }
  }

  async #nextDue(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options.world;
    const next = Math.min(...this.#due.values(), clock.now() + IDLE_MS);
    const woken = new AbortController();
    // With a reason, since without one an error is made each time, stack and all.
    this.#wake = () => woken.abort('woken');
    await clock.sleep(Math.max(0, next - clock.now()), AbortSignal.any([signal, woken.signal])).catch(() => undefined);
    this.#wake = () => undefined;
  }

  /** By the copies alone: true when the servers have to be asked about the run. */
  #asksForMore(flowRunId: string): boolean {
    const { policy, world, record } = this.#options;
    const action = decide(record(flowRunId), undefined, world.clock.now(), policy);
    if (action.kind === 'recheck') this.lookAt(flowRunId, action.atMs);
    return action.kind === 'crash';
  }

  async #judge(flowRunIds: readonly string[], signal: AbortSignal): Promise<void> {
    const { api, world } = this.#options;
    const { clock } = world;
    const read = batched((ids) => readFlowRuns(api, { ids }, signal), { clock, batch: BATCH, kept: BATCH });
    const waiting = [...flowRunIds];
    const next = async (): Promise<void> => {
      for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) await this.#judgeRun(id, read, signal);
    };
    // All ask before the first goes on, so that one request answers all.
    const answers = flowRunIds.map((id) => read(id, 0).catch(() => undefined));
    await Promise.all([...answers, ...Array.from({ length: AT_A_TIME }, next)]);
  }

  async #judgeRun(
    flowRunId: string,
    read: (id: string, since: number) => Promise<FlowRunRecord | undefined>,
    signal: AbortSignal,
  ): Promise<void> {
    const { world, settled } = this.#options;
    try {
      const state = (await read(flowRunId, 0))?.state_type ?? undefined;
      // Deleted on the server, or ended: nobody waits for a word about it.
      const { action, pods } = state === undefined || isOver(state) ? NOTHING : await this.#confirm(flowRunId, signal);
      if (action.kind === 'recheck') this.lookAt(flowRunId, action.atMs);
      if (action.kind === 'crash') await this.#crash(flowRunId, action, pods, signal);
      if (action.kind !== 'recheck') settled(flowRunId);
      this.#failures.delete(flowRunId);
    } catch (error) {
      if (signal.aborted) return;
      const failures = (this.#failures.get(flowRunId) ?? 0) + 1;
      this.#failures.set(flowRunId, failures);
      const reason = error instanceof Error ? error.message : String(error);
      world.log.warning(`Looking at flow run ${flowRunId}: ${reason}; again later`, { flowRun: flowRunId });
      this.lookAt(flowRunId, world.clock.now() + fullJitter(failures, RETRY, world.random));
    }
  }

  /** The same decision once more, on the run's Jobs and then its states as they are now. */
  async #confirm(flowRunId: string, signal: AbortSignal): Promise<Confirmed> {
    const { api, kubernetes, namespaces, policy, record, world } = this.#options;
    const live = await readLiveRun(flowRunId, namespaces(), kubernetes, signal);
    const states = await readFlowRunStates(api, flowRunId, signal);
    const state = states.at(-1)?.type;
    if (state === undefined) return NOTHING;
    const claim = presentClaim(states);
    const suffix = claim && jobNameSuffix(asFlowRunId(flowRunId), claim.claimId);
    const situation: RunSituation = {
      state,
      ...(claim === undefined || suffix === undefined ? {} : { claim: { jobNameSuffix: suffix, since: claim.since } }),
    };
    const { deletedJobs, stuckSince } = record(flowRunId);
    const action = decide({ ...live, deletedJobs, stuckSince }, situation, world.clock.now(), policy);
    // A flow that has started tells its log itself.
    return { action, pods: state === 'PENDING' ? live.pods : [] };
  }

  async #crash(
    flowRunId: string,
    action: Extract<Action, { kind: 'crash' }>,
    pods: readonly PodFact[],
    signal: AbortSignal,
  ): Promise<void> {
    const { api, kubernetes, crashLogs, runLog, world, metrics } = this.#options;
    const { message, deleteJob: job } = action;
    // Read before, since a Job with a short time to live takes its pods along; told when the run has crashed by it.
    const lastLines = await crashLogs.read(pods, signal);
    const proposal = { type: 'CRASHED', name: 'Crashed', message, transitionId: randomUUID() } as const;
    const { status } = await setFlowRunState(api, flowRunId, proposal, { signal });
    if (status === 'ACCEPT') {
      metrics.crashed.inc();
      world.log.info(`Flow run ${flowRunId} is Crashed: ${message}`, { flowRun: flowRunId });
      runLog.tellAll(flowRunId, LEVEL.error, [message, ...lastLines], 'prefect.flow_runs.observer');
    } else world.log.debug(`Flow run ${flowRunId} is not Crashed: the server says ${status}`, { flowRun: flowRunId });
    // A pod that comes right after all would run a flow that was given up; ABORT means that the run has ended otherwise.
    const over = status === 'ACCEPT' || status === 'ABORT';
    if (job !== undefined && over) await deleteJob(kubernetes, job.namespace, job.name, job.uid, signal);
  }
}

/** A decision, and the pods whose last lines go with a crash. */
interface Confirmed {
  readonly action: Action;
  readonly pods: readonly PodFact[];
}

const NOTHING: Confirmed = { action: { kind: 'none' }, pods: [] };
