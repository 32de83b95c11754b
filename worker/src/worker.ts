/**
 * The worker, top to bottom: due runs are claimed, made into Jobs and submitted, each on its own, so that one slow claim
 * never holds up the next; beside it every change in the cluster has its run looked at again, interrupted submissions
 * are taken up, and a channel to the server brings changes of the pool and what is to be cleaned up.
 *
 * Lifecycle: INITIALIZED → RUNNING → DRAINING → STOPPED, or FAILED when a loop that must not end has ended. Failure
 * model: no answer of either server ends a loop (each has its own), so a loop that ends is a defect, and the process goes
 * down loudly for its supervisor to start it anew. Two deadlines: `drain` stops the intake and lets what is in hand
 * finish; `stop`, some seconds before the grace is over, ends that too, after the answers that are under way (`cut`), and
 * runs whose Job cannot exist are handed back as Scheduled. A run whose Job may exist stays Pending: the repair sweep of
 * another worker, or of the next, finishes it under its name.
 */
import { openPrefectApi } from '@slipway/prefect/client';
import { cancelRuns } from './cancel/canceller.ts';
import { openChannel } from './channel/open-channel.ts';
import { claimRun, LAST_LOOK_MS, lookUp, readParts } from './claim/claim.ts';
import type { Claim, DueRun, NotClaimed } from './claim/model.ts';
import { openClaimServices } from './claim/open-claims.ts';
import type { WorkerConfig } from './config/config.ts';
import { ConfigError } from './config/config-error.ts';
import { openIntake } from './intake/open-intake.ts';
import { WorkPool } from './intake/pool.ts';
import { Slots } from './intake/slots.ts';
import { type ClusterAccess, findCluster } from './k8s/access.ts';
import { Clusters } from './k8s/clusters.ts';
import { openConnection } from './k8s/connection.ts';
import { chooseNamespaces } from './observe/live.ts';
import { Observer } from './observe/observer.ts';
import { serveHealth } from './ops/health.ts';
import { Loops } from './ops/loops.ts';
import { openMetrics } from './ops/metrics.ts';
import { openPaces } from './pace/paces.ts';
import { RecentSet } from './recent-set.ts';
import { interrupted } from './repair/repair.ts';
import { LEVEL, RunLog } from './report/run-log.ts';
import { openSpareTime } from './spare-time.ts';
import { HAND_BACK_MS, workOnRun } from './submit/in-hand.ts';
import { JobSecrets } from './submit/secrets.ts';
import type { StartServices } from './submit/start.ts';
import type { Stopping } from './submit/submit.ts';
import { WORKER_VERSION } from './version.ts';
import { Wakeup } from './wakeup.ts';
import type { World } from './world.ts';

export type WorkerState = 'INITIALIZED' | 'RUNNING' | 'DRAINING' | 'STOPPED' | 'FAILED';

/** Kept back from the grace: for the last answers, for handing back, for late writes and for logs. */
const CLOSING = { answersMs: 2_500, stateMs: LAST_LOOK_MS, handBackMs: HAND_BACK_MS, writesMs: 500, logsMs: 1_000 };
const CLOSING_MS = Object.values(CLOSING).reduce((sum, ms) => sum + ms);
/** For labels of runs: after the claims and Jobs of a burst, but not never in a worker that is always busy. */
const SPARE_TIME = { atOnce: 2, patienceMs: 30_000 };
/** How long late writes are waited for after a signal while there is time; the signal to stop ends them. */
const LATE_WRITES_MS = 5_000;
/** Watches bring a word a minute; without one for this long the worker is not ready. */
const WATCH_SILENCE_MS = 300_000;
/** Runs with a Job in another cluster that are remembered; one that is forgotten has its Job looked for there again. */
const RUNS_ELSEWHERE_KEPT = 10_000;
const PRODUCT = `slipway-worker/${WORKER_VERSION}`;

/**
 * Runs the worker until it is drained.
 *
 * @param drain aborted on the first SIGTERM or SIGINT.
 * @returns how it ended; FAILED has been logged.
 * @throws ConfigError when a person has to change something first: no cluster, a port that is taken, a reserved name.
 */
export async function runWorker(config: WorkerConfig, world: World, drain: AbortSignal): Promise<WorkerState> {
  const { log, clock } = world;
  const connect = (access: ClusterAccess) => openConnection(access, { clock, userAgent: PRODUCT });
  const kubernetes = connect(await findCluster(world.env));
  const clusters = new Clusters(kubernetes, connect);
  const api = openPrefectApi(
    // The client's pauses double from two seconds with jitter both ways. All of the jitter, and an eighth of the chance,
    // make them full jitter that begins at half a second: a SQLite server's 503 is over in milliseconds, and every loop
    // here goes on repeating by itself. What a Retry-After asks for is kept.
    { ...config.prefect, maxRetries: Math.min(config.prefect.maxRetries, 3), retryJitterFactor: 1 },
    {
      ...world,
      random: () => world.random() / 8,
      product: PRODUCT,
      headers: { 'x-prefect-worker-name': config.workerName },
    },
  );
  let state: WorkerState = 'INITIALIZED';
  let polledAt = clock.now();
  const taking = new AbortController();
  const stop = new AbortController();
  const cut = new AbortController();
  const ending = new AbortController();
  drain.addEventListener('abort', () => taking.abort(drain.reason), { once: true });
  if (drain.aborted) taking.abort(drain.reason);
  const cutLater = () => setTimeout(() => cut.abort(stop.signal.reason), CLOSING.answersMs).unref();
  stop.signal.addEventListener('abort', cutLater, { once: true });
  const stopping: Stopping = { stop: stop.signal, cut: cut.signal };
  const loops = new Loops(ending.signal);
  const pool = new WorkPool(config, api, world);
  const runLog = new RunLog(api, world);
  let observer: Observer | undefined;
  const liveJobs = () => (observer === undefined ? 0 : observer.store.liveJobs(pool.current.id));
  const jobs = new Wakeup();
  const changed = () => slots.changed();
  const channel = openChannel({ config, api, clusters, pool, changed, product: PRODUCT, world });
  const room = () => {
    // Known from the channel at once, and just as soon when it is over; without one the polls of a paused pool find nothing.
    if (channel.healthy && pool.current.is_paused && !config.runOnce) return 0;
    if (config.maxLiveJobs === undefined) return Number.POSITIVE_INFINITY;
    return observer?.synced ? config.maxLiveJobs - liveJobs() : 0;
  };
  const slots = new Slots(config.limit ?? Number.POSITIVE_INFINITY, () => Math.min(paces.window, room()));
  const metrics = openMetrics({
    inHand: () => slots.inHand,
    liveJobs,
    channelOpen: () => channel.healthy,
    windows: () => ({ prefect: paces.claims.window, kubernetes: paces.creates.window }),
  });
  const paces = openPaces(() => slots.inHand, metrics, world, stop.signal);
  const polled = () => {
    polledAt = clock.now();
  };
  const intake = openIntake({ config, api, pool, slots, metrics, polled, product: PRODUCT, world });
  const afterwards = new Set<Promise<unknown>>();
  const elsewhere = new RecentSet<string>(RUNS_ELSEWHERE_KEPT);
  const health = await serveHealth(config.health, {
    ready: () => state === 'RUNNING' && isObserving(observer, clock.now()),
    sincePollMs: () => clock.now() - polledAt,
    pollIntervalMs: config.pollIntervalMs,
    registry: metrics.registry,
    log,
  });

  try {
    await pool.found(drain);
    // Nothing waits for it: the first poll does not come later for a notice.
    afterwards.add(pool.tellOfPausedQueues(drain));
    const needed = [kubernetes.namespace, pool.defaultNamespace];
    const namespaces = await chooseNamespaces(config.observe.namespaces, needed, kubernetes, world, drain);
    const shared = { api, kubernetes, runLog, world };
    if (config.observe.enabled) {
      const { imagePullGraceMs, labelFilters } = config.observe;
      const policy = { imagePullGraceMs };
      const crashLogs = { ...config.observe.crashLogs, secrets: config.prefect.secrets };
      const jobsChanged = () => {
        changed();
        jobs.wake();
      };
      const options = { ...shared, namespaces, labelFilters, policy, crashLogs, metrics, jobsChanged };
      observer = new Observer(options);
      loops.add('observer', observer.run(ending.signal));
    }
    const where = () => observer?.namespaces ?? namespaces;
    loops.add('worker channel', channel.run(ending.signal));
    loops.add('work pool', pool.run(channel, ending.signal));
    if (config.cancel.enabled) {
      const anyWaiting = () => observer?.store.anyWaiting() ?? false;
      const inHand = (id: string) => slots.has(id);
      const { pollMs } = config.cancel;
      const jobsChanged = (signal: AbortSignal) => jobs.next(signal);
      const options = { ...shared, pool: config.pool.name, namespaces: where, anyWaiting, jobsChanged, inHand, pollMs };
      loops.add('cancellation', cancelRuns(options, ending.signal));
    }
    loops.add('run log', runLog.run(ending.signal));
    if (!config.runOnce) loops.add('hints', intake.listen(ending.signal));

    const services: StartServices = {
      ...shared,
      config,
      clusters,
      creates: paces.creates,
      secrets: new JobSecrets({ keysBelongToJobs: config.runOnce, world }),
      metrics,
      runElsewhere: (flowRunId) => elsewhere.add(flowRunId),
      pool: (since, signal) => pool.asOf(since, signal),
      jobExists: (namespace, job) => observer?.created(namespace, job),
      later: (work) => {
        afterwards.add(work);
        work.finally(() => afterwards.delete(work)).catch(() => undefined);
      },
      inSpareTime: openSpareTime({ ...SPARE_TIME, idle: () => slots.idle(), clock, signal: stop.signal }),
    };
    const claims = openClaimServices(api, runLog, paces.claims, world, stopping);
    const takeInHand = (due: DueRun, obtain: () => Promise<Claim | NotClaimed>) => {
      elsewhere.delete(due.id);
      if (!slots.has(due.id)) slots.take(due.id, workOnRun(due, obtain, services, stopping));
    };

    state = 'RUNNING';
    log.info(`Worker '${config.workerName}' started!`, { pool: config.pool.name, version: WORKER_VERSION });
    const takeRuns = async () => {
      for await (const due of intake.runs(taking.signal)) {
        runLog.tell(due.id, LEVEL.info, `Worker '${config.workerName}' submitting flow run '${due.id}'`);
        // Read beside the claims, once for all runs of a poll: the first Job waits for one of the two and not for both.
        services.later(Promise.allSettled([pool.asOf(due.polledAt, stop.signal), lookUp(due, claims.catalog)]));
        takeInHand(due, () => claimRun(due, claims, world, stop.signal));
      }
    };
    const repairRuns = async () => {
      const sweep = {
        ...shared,
        pool: config.pool.name,
        policy: config.repair,
        knownJobs: (id: string, namespace: string) => observer?.jobsOf(id, namespace),
        inHand: (id: string) => slots.has(id) || elsewhere.has(id),
      };
      for await (const due of interrupted({ ...sweep, namespaces: where }, taking.signal)) {
        log.warning(`Flow run ${due.run.name} is Pending without a Job: taking it up`, { flowRun: due.id });
        metrics.repaired.inc();
        takeInHand(due, () => readParts(due, due.interrupted.claimId, claims, world, stop.signal));
      }
    };
    // Both end when the intake is over: by the signal, or after one poll.
    const intakeOver = takeRuns().finally(() => taking.abort(new Error('the intake is over')));
    await Promise.race([Promise.all([intakeOver, repairRuns()]), loops.failed]);

    state = 'DRAINING';
    log.info('Stopping: no more runs are taken.', { inHand: slots.inHand });
    const graceMs = config.graceMs - CLOSING_MS;
    let patience: NodeJS.Timeout | undefined;
    const hurry = () => {
      patience = setTimeout(() => stop.abort(new Error('the grace is over')), graceMs).unref();
    };
    // With --run-once nobody has asked for the end yet: its runs take the time that they need.
    if (drain.aborted) hurry();
    else drain.addEventListener('abort', hurry, { once: true });
    const lateMs = drain.aborted ? LATE_WRITES_MS : Math.max(graceMs, LATE_WRITES_MS);
    const submitted = slots.idle().then(() => within(lateMs, Promise.allSettled(afterwards)));
    await Promise.race([submitted, loops.failed]).finally(() => clearTimeout(patience));
    await within(CLOSING.writesMs, Promise.allSettled(afterwards));
    state = 'STOPPED';
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    if (drain.aborted && state === 'INITIALIZED') state = 'STOPPED';
    else {
      state = 'FAILED';
      log.error(textOf(error));
      stop.abort(error);
      await within(CLOSING_MS, slots.idle());
    }
  } finally {
    for (const each of [stop, cut, taking, ending]) each.abort(new Error('stopped'));
    await loops.ended();
    await runLog.flush(AbortSignal.timeout(CLOSING.logsMs));
    health.close();
    await Promise.allSettled([api.close(), clusters.close()]);
  }
  log.info(`Worker '${config.workerName}' stopped!`, { state });
  return state;
}

function isObserving(observer: Observer | undefined, nowMs: number): boolean {
  return observer === undefined || (observer.synced && nowMs - observer.heardAt < WATCH_SILENCE_MS);
}

/** Waits for work that may take longer than there is time. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([work, late]);
  clearTimeout(timer);
}

/** An error with all that caused it, for the log. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : ` Caused by: ${textOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
