/**
 * The worker, top to bottom: due runs are claimed, made into Jobs and submitted, each on its own, so that one slow claim
 * never holds up the next; beside it every change in the cluster has its run looked at again, and interrupted submissions
 * are taken up.
 *
 * Lifecycle: INITIALIZED → RUNNING → DRAINING → STOPPED, or FAILED when a loop that must not end has ended. Failure
 * model: no answer of either server ends a loop (each has its own), so a loop that ends is a defect, and the process goes
 * down loudly for its supervisor to start it anew. Two deadlines: `drain` stops the intake and lets what is in hand
 * finish; `stop`, some seconds before the grace is over, ends that too, and runs whose Job was not yet asked for are
 * handed back as Scheduled. A run whose Job was asked for stays Pending: the repair sweep finishes it under its name.
 */
import { randomUUID } from 'node:crypto';
import {
  openPrefectApi,
  type PrefectApi,
  readDeployments,
  readFlowsById,
  setFlowRunState,
} from '@slipway/prefect/client';
import { fullJitter } from './backoff.ts';
import { openCatalog } from './claim/catalog.ts';
import { type ClaimServices, claimRun, readParts } from './claim/claim.ts';
import type { Claim, DueRun, NotClaimed } from './claim/model.ts';
import type { WorkerConfig } from './config/config.ts';
import { intake } from './intake/intake.ts';
import { WorkPool } from './intake/pool.ts';
import { Slots } from './intake/slots.ts';
import { findCluster } from './k8s/access.ts';
import { type KubernetesConnection, openConnection } from './k8s/connection.ts';
import { chooseNamespaces, type Namespaces } from './observe/live.ts';
import { Observer } from './observe/observer.ts';
import { serveHealth } from './ops/health.ts';
import { openMetrics } from './ops/metrics.ts';
import { interrupted } from './repair/repair.ts';
import { LEVEL, RunLog } from './report/run-log.ts';
import { type StartServices, startRun } from './submit/start.ts';
import { WORKER_VERSION } from './version.ts';
import type { World } from './world.ts';

export type WorkerState = 'INITIALIZED' | 'RUNNING' | 'DRAINING' | 'STOPPED' | 'FAILED';

/** Runs in hand at one time when no limit is given: the pace at which a server of either kind still answers. */
const OWN_PACE = 32;
/** Kept back from the grace for handing back, the last logs and closing. */
const CLOSING_MS = 5_000;

/**
 * Runs the worker until it is drained.
 *
 * @param drain aborted on the first SIGTERM or SIGINT.
 * @returns how it ended; FAILED has been logged.
 */
export async function runWorker(config: WorkerConfig, world: World, drain: AbortSignal): Promise<WorkerState> {
  const { log } = world;
  const stop = new AbortController();
  const loops = new AbortController();
  const kubernetes = openConnection(await findCluster(world.env), {
    clock: world.clock,
    userAgent: `slipway-worker/${WORKER_VERSION}`,
  });
  const api = openPrefectApi(
    // Every loop here repeats by itself; long waits inside one call would only hide what is going on.
    { ...config.prefect, maxRetries: Math.min(config.prefect.maxRetries, 2) },
    { ...world, product: `slipway-worker/${WORKER_VERSION}`, headers: { 'x-prefect-worker-name': config.workerName } },
  );
  let state: WorkerState = 'INITIALIZED';
  let polledAt = world.clock.now();
  let health: Awaited<ReturnType<typeof serveHealth>> | undefined;
  try {
    const pool = new WorkPool(config, api, world);
    const runLog = new RunLog(api, world);
    const metrics = openMetrics({ inHand: () => slots.inHand, liveJobs: () => observer?.liveJobs ?? 0 });
    let observer: Observer | undefined;
    const slots = new Slots(config.limit ?? OWN_PACE, () =>
      config.maxLiveJobs === undefined
        ? Number.POSITIVE_INFINITY
        : observer?.synced
          ? config.maxLiveJobs - observer.liveJobs
          : 0,
    );
    if (config.health !== undefined) {
      health = await serveHealth(config.health, {
        ready: () => state === 'RUNNING',
        sincePollMs: () => world.clock.now() - polledAt,
        pollIntervalMs: config.pollIntervalMs,
        registry: metrics.registry,
      });
      log.info(`Health and metrics at ${JSON.stringify(health.address())}`);
    }
    await pool.found(drain);
    const namespaces = await watchedNamespaces(config, pool, kubernetes, world, drain);
    observer = config.observe.enabled
      ? new Observer({
          api,
          kubernetes,
          namespaces,
          labelFilters: config.observe.labelFilters,
          policy: { imagePullGraceMs: config.observe.imagePullGraceMs },
          runLog,
          metrics: () => metrics,
          world,
          jobsChanged: () => slots.changed(),
        })
      : undefined;

    const services: StartServices = {
      config,
      api,
      kubernetes,
      pool: (since, signal) => pool.asOf(since, signal),
      runLog,
      metrics,
      world,
    };
    const claims = claimServices(api, runLog, world, stop.signal);
    const submit = (due: DueRun, obtain: () => Promise<Claim | NotClaimed>): void => {
      if (slots.has(due.id)) return;
      slots.take(due.id, submitRun(due, obtain, services, stop.signal));
    };
    const taking = AbortSignal.any([drain, loops.signal]);
    const mustRun = [
      pool.run(loops.signal),
      runLog.run(loops.signal),
      ...(observer === undefined ? [] : [observer.run(loops.signal)]),
    ];

    state = 'RUNNING';
    log.info(`Worker '${config.workerName}' started!`, { pool: config.pool.name, version: WORKER_VERSION });
    const intakeEnded = takeRuns(
      config,
      { api, slots, metrics, world, polled: () => (polledAt = world.clock.now()) },
      taking,
      (due) => {
        runLog.tell(due.id, LEVEL.info, `Worker '${config.workerName}' submitting flow run '${due.id}'`);
        submit(due, () => claimRun(due, claims, world, stop.signal));
      },
    );
    const repairEnded = repairRuns(config, { api, kubernetes, namespaces, slots, world }, taking, (due) => {
      log.warning(`Flow run ${due.run.name} is Pending without a Job: taking it up`, { flowRun: due.id });
      metrics.repaired.inc();
      submit(due, () => readParts(due, claims, world, stop.signal));
    });

    const ended = Promise.race([intakeEnded, ...mustRun.map((loop) => loop.then(() => 'a loop ended' as const))]);
    const why = await Promise.race([ended, aborted(drain)]);
    if (why === 'a loop ended') throw new Error('a loop that must not end has ended');
    state = 'DRAINING';
    log.info('Stopping: no more runs are taken.', { inHand: slots.inHand });
    const timer = setTimeout(
      () => stop.abort(new Error('the grace is over')),
      Math.max(0, config.graceMs - CLOSING_MS),
    );
    await slots.idle();
    clearTimeout(timer);
    loops.abort(new Error('stopped'));
    await Promise.allSettled([...mustRun, intakeEnded, repairEnded]);
    await runLog.flush(AbortSignal.timeout(CLOSING_MS));
    state = 'STOPPED';
    log.info(`Worker '${config.workerName}' stopped!`);
  } catch (error) {
    if (drain.aborted && state === 'INITIALIZED') state = 'STOPPED';
    else {
      state = 'FAILED';
      log.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  } finally {
    stop.abort(new Error('stopped'));
    loops.abort(new Error('stopped'));
    health?.closeAllConnections();
    health?.close();
    await Promise.allSettled([api.close(), kubernetes.close()]);
  }
  return state;
}

function claimServices(api: PrefectApi, runLog: RunLog, world: World, signal: AbortSignal): ClaimServices {
  return {
    propose: (run, proposal, options) => setFlowRunState(api, run, proposal, options),
    catalog: openCatalog({
      readDeployments: (ids) => readDeployments(api, { ids }, signal),
      readFlows: (ids) => readFlowsById(api, ids, signal),
      clock: world.clock,
    }),
    tellRun: (run, level, message) => runLog.tell(run, level, message),
  };
}

async function takeRuns(
  config: WorkerConfig,
  parts: Pick<Parameters<typeof intake>[0], 'api' | 'slots' | 'metrics' | 'world' | 'polled'>,
  signal: AbortSignal,
  take: (due: DueRun) => void,
): Promise<'the intake ended'> {
  const { queueNames, pollIntervalMs, prefetchMs, runOnce } = config;
  const options = { ...parts, pool: config.pool.name, queueNames, pollIntervalMs, prefetchMs, once: runOnce };
  for await (const due of intake(options, signal)) take(due);
  return 'the intake ended';
}

async function repairRuns(
  config: WorkerConfig,
  parts: {
    readonly api: PrefectApi;
    readonly kubernetes: KubernetesConnection;
    readonly namespaces: Namespaces;
    readonly slots: Slots;
    readonly world: World;
  },
  signal: AbortSignal,
  take: (due: DueRun) => void,
): Promise<void> {
  const { slots, ...rest } = parts;
  const options = { ...rest, pool: config.pool.name, policy: config.repair, inHand: (id: string) => slots.has(id) };
  for await (const due of interrupted(options, signal)) take(due);
}

/** The work on one run; what goes wrong with it is said and ends here. */
async function submitRun(
  due: DueRun,
  obtain: () => Promise<Claim | NotClaimed>,
  services: StartServices,
  signal: AbortSignal,
): Promise<void> {
  const { metrics, world } = services;
  let mayExist = false;
  let claimed = false;
  try {
    const claim = await obtain();
    metrics.claims.inc({ outcome: claim.won ? 'won' : claim.why });
    if (!claim.won) {
      world.log.debug(`Flow run ${due.run.name} is not started: ${claim.reason}`, { flowRun: due.id });
      return;
    }
    claimed = true;
    await startRun(
      claim,
      services,
      () => {
        mayExist = true;
      },
      signal,
    );
  } catch (error) {
    const stopping = signal.aborted;
    if (!stopping)
      world.log.error(`Flow run ${due.run.name}: ${error instanceof Error ? error.message : error}`, {
        flowRun: due.id,
      });
    // What was not claimed is not ours; what may have its Job is finished by the repair sweep, here or elsewhere.
    if (stopping && claimed && !mayExist) await handBack(due, services);
  }
}

/** Puts a run that was claimed and not submitted back, for another worker to take. */
async function handBack(due: DueRun, { api, world }: StartServices): Promise<void> {
  try {
    const scheduledTime = new Date(world.clock.now()).toISOString();
    const proposal = {
      type: 'SCHEDULED',
      name: 'Scheduled',
      message: 'The worker stopped before the Job was created.',
      scheduledTime,
      transitionId: randomUUID(),
    } as const;
    await setFlowRunState(api, due.id, proposal, { signal: AbortSignal.timeout(CLOSING_MS) });
    world.log.info(`Flow run ${due.run.name} is handed back`, { flowRun: due.id });
  } catch (error) {
    world.log.warning(
      `Flow run ${due.run.name} could not be handed back: ${error instanceof Error ? error.message : error}; the repair sweep will find it`,
    );
  }
}

/** Where Jobs are looked for; asked until the cluster answers. */
async function watchedNamespaces(
  config: WorkerConfig,
  pool: WorkPool,
  kubernetes: KubernetesConnection,
  world: World,
  signal: AbortSignal,
): Promise<Namespaces> {
  const needed = [kubernetes.namespace, defaultNamespace(pool)];
  for (let failures = 1; ; failures += 1) {
    try {
      return await chooseNamespaces(config.observe.namespaces, needed, kubernetes, signal);
    } catch (error) {
      signal.throwIfAborted();
      world.log.warning(`The cluster cannot be read: ${error instanceof Error ? error.message : error}; trying again`);
      await world.clock.sleep(fullJitter(failures, { firstMs: 1_000, mostMs: 30_000 }, world.random), signal);
    }
  }
}

function defaultNamespace({ current }: WorkPool): string {
  const { variables } = current.base_job_template as {
    variables?: { properties?: { namespace?: { default?: unknown } } };
  };
  const namespace = variables?.properties?.namespace?.default;
  return typeof namespace === 'string' ? namespace : 'default';
}

function aborted(signal: AbortSignal): Promise<'aborted'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('aborted');
    signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  });
}
