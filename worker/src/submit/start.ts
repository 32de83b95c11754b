/**
 * From a claim to its Job: references filled in, manifest made, pid told, Job created.
 *
 * Failure model. The name of the Job is known before it exists, so the run's `infrastructure_pid` is written first: a
 * worker that dies in between leaves a run that the repair sweep can finish under the same name. Writing pid and labels
 * never fails a run, and holds one up for half a second at most. What cannot be made into a Job ends the run as
 * Crashed, with the reason; what the Prefect API does not answer is asked again.
 */
import { randomUUID } from 'node:crypto';
import {
  type PrefectApi,
  referenceReaders,
  setFlowRunState,
  updateFlowRun,
  updateFlowRunLabels,
  type WorkPoolRecord,
} from '@slipway/prefect/client';
import { TemplateError } from '@slipway/prefect/template';
import { JobVariablesError } from '@slipway/prefect/workpool';
import type { Claim } from '../claim/model.ts';
import { untilAnswered } from '../claim/until-answered.ts';
import type { WorkerConfig } from '../config/config.ts';
import { isAtWorkOn } from '../decide/decide.ts';
import { pidOf } from '../infrastructure-pid.ts';
import { ClusterConfigError } from '../k8s/access.ts';
import type { Clusters } from '../k8s/clusters.ts';
import type { KubernetesConnection } from '../k8s/connection.ts';
import { readLiveRun } from '../observe/live.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { Pace } from '../pace/pace.ts';
import { paced } from '../pace/paces.ts';
import { makeJob } from '../render/make-job.ts';
import type { JobManifest } from '../render/render.ts';
import { RenderError } from '../render/render-error.ts';
import { LEVEL, type RunLog } from '../report/run-log.ts';
import type { SpareTime } from '../spare-time.ts';
import { WORKER_VERSION } from '../version.ts';
import type { World } from '../world.ts';
import { CLUSTER_LABEL, WORKER_LABEL } from './run-labels.ts';
import type { JobSecrets } from './secrets.ts';
import { type Stopping, type Submitted, submitJob } from './submit.ts';

export interface StartServices {
  readonly config: WorkerConfig;
  readonly api: PrefectApi;
  readonly clusters: Clusters;
  readonly secrets: JobSecrets;
  /** What the worker's own cluster can take; a run's own cluster (`cluster_config`) goes without. */
  readonly creates: Pace;
  /** The work pool as it was after a moment, in milliseconds. */
  readonly pool: (since: number, signal: AbortSignal) => Promise<WorkPoolRecord>;
  /** Told of each Job that exists now in the worker's own cluster, as Kubernetes answered. */
  readonly jobExists: (namespace: string, object: unknown) => void;
  /** Told of each run whose Job is in another cluster, where nobody looks at it. */
  readonly runElsewhere: (flowRunId: string) => void;
  /** Takes work that nobody waits for, and that ends before the worker does. It must not reject. */
  readonly later: (work: Promise<unknown>) => void;
  readonly inSpareTime: SpareTime;
  readonly runLog: RunLog;
  readonly metrics: Metrics;
  readonly world: World;
}

/** How long writing the pid may hold up the Job. */
const PATIENCE_MS = 500;

/**
 * Creates the Job of a claim.
 *
 * @param stopping when the worker has to stop; before the Job was asked for, its reason is thrown.
 * @returns `settled`, or that the worker stopped on the way: `not-created` for certain, or `unknown`.
 */
export async function startRun(
  claim: Claim,
  services: StartServices,
  stopping: Stopping,
): Promise<'settled' | 'not-created' | 'unknown'> {
  const { clusters, runLog, metrics, world } = services;
  const { stop } = stopping;
  const pool = await services.pool(claim.polledAt, stop);
  let job: JobManifest;
  try {
    job = await untilAnswered(() => jobOf(claim, pool, services, stop), world, stop);
  } catch (error) {
    const known = error instanceof RenderError || error instanceof JobVariablesError || error instanceof TemplateError;
    if (!known) throw error;
    await crash(claim, error.message, services, stop);
    return 'settled';
  }
  for (const note of job.notes) runLog.tell(claim.id, LEVEL.warning, note);
  if (await hasJobElsewhere(claim, job, clusters, stop)) {
    services.runElsewhere(claim.id);
    return 'settled';
  }
  await announce(claim, job, pool, services, stop);
  stop.throwIfAborted();
  runLog.tell(claim.id, LEVEL.info, 'Creating Kubernetes job...');
  let made: Submitted;
  try {
    made = await clusters.use(job.cluster, (kubernetes) => create(job, kubernetes, services, stopping));
  } catch (error) {
    if (!(error instanceof ClusterConfigError)) throw error;
    made = { kind: 'refused', message: error.message };
  }
  metrics.jobs.inc({ outcome: made.kind });
  if (made.kind === 'stopped') return made.mayExist ? 'unknown' : 'not-created';
  if (made.kind === 'refused') {
    await crash(claim, made.message, services, stop);
    return 'settled';
  }
  if (job.cluster === undefined) services.jobExists(job.namespace, made.object);
  else services.runElsewhere(claim.id);
  const verb = made.kind === 'created' ? 'created' : 'found';
  const where = job.cluster === undefined ? '' : ` (cluster of context ${job.cluster.contextName})`;
  world.log.info(`Job ${job.namespace}/${job.name} ${verb} for flow run ${claim.run.name}${where}`, {
    flowRun: claim.id,
  });
  runLog.tell(claim.id, LEVEL.info, `Kubernetes job '${job.name}' ${verb} in namespace '${job.namespace}'`);
  runLog.tell(claim.id, LEVEL.info, `Flow run '${claim.run.name}' submitted to infrastructure`);
  return 'settled';
}

/** Creates the Job in its cluster, and sees to what becomes of its Secrets. */
async function create(
  job: JobManifest,
  kubernetes: KubernetesConnection,
  { config, secrets, creates, world }: StartServices,
  stopping: Stopping,
): Promise<Submitted> {
  const cluster = job.cluster === undefined ? paced(kubernetes, creates) : kubernetes;
  const made = await submitJob(job, cluster, secrets, config.submit, world, stopping);
  if (made.kind === 'created' || made.kind === 'adopted') {
    await secrets.giveTo(job, made.object, kubernetes, stopping.cut);
  } else if (made.kind === 'refused' || !made.mayExist) {
    await secrets.discard(job, kubernetes, stopping.cut);
  }
  return made;
}

/**
 * An interrupted submission is taken up when the worker's own cluster has no Job of it; when it turns out to be for
 * another cluster, another kind of worker may have made one there, under a name that is not derived. A cluster or
 * kubeconfig that cannot be used is told by the create that follows.
 */
async function hasJobElsewhere(
  { id, interrupted }: Claim,
  job: JobManifest,
  clusters: Clusters,
  signal: AbortSignal,
): Promise<boolean> {
  if (job.cluster === undefined || interrupted === undefined) return false;
  try {
    const { jobs } = await clusters.use(job.cluster, (there) => readLiveRun(id, [job.namespace], there, signal));
    return jobs.some((other) => other.name !== job.name && isAtWorkOn(other, interrupted.since));
  } catch (error) {
    if (error instanceof ClusterConfigError) return false;
    throw error;
  }
}

function jobOf(
  claim: Claim,
  { base_job_template: template, id, name }: WorkPoolRecord,
  { config, api }: StartServices,
  signal: AbortSignal,
): Promise<JobManifest> {
  const { run, flow, deployment } = claim;
  const context = { run, flow, deployment, pool: { id, name }, workerName: config.workerName };
  const { env: templateEnv, prefectEnv: env, ...rest } = config.render;
  const settings = { ...rest, env, templateEnv, cloud: config.prefect.cloud };
  return makeJob(template, context, claim.claimId, settings, referenceReaders(api, signal));
}

/**
 * Tells the server where the run will be, so that whoever has to end it knows, and then who started it. A failure is
 * logged and costs nothing but that.
 */
async function announce(
  claim: Claim,
  job: JobManifest,
  { id, name }: WorkPoolRecord,
  { api, config, world, later, inSpareTime }: StartServices,
  signal: AbortSignal,
): Promise<void> {
  const labels = {
    'prefect.worker.name': config.workerName,
    'prefect.worker.type': 'kubernetes',
    'prefect.work-pool.name': name,
    'prefect.work-pool.id': id,
    [WORKER_LABEL]: WORKER_VERSION,
    ...(job.cluster === undefined ? {} : { [CLUSTER_LABEL]: job.cluster.contextName }),
  };
  const pid = pidOf(job);
  const write = (request: () => Promise<void>) =>
    untilAnswered(request, world, signal).catch((error: unknown) => {
      if (signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      world.log.warning(`Flow run ${claim.run.name}: ${reason}; it runs all the same`, { flowRun: claim.id });
    });
  const pidWritten = write(() => updateFlowRun(api, claim.id, { infrastructure_pid: pid }, signal));
  // A fifth of what a run costs the server, and nobody waits for it: in a burst it comes after the Jobs of others.
  const label = () => inSpareTime(() => updateFlowRunLabels(api, claim.id, labels, signal));
  later(pidWritten.then(() => write(label)));
  const enough = new AbortController();
  const patience = world.clock.sleep(PATIENCE_MS, AbortSignal.any([signal, enough.signal])).catch(() => undefined);
  await Promise.race([pidWritten, patience]);
  enough.abort('written');
}

async function crash(
  claim: Claim,
  reason: string,
  { api, runLog, metrics, world }: StartServices,
  signal: AbortSignal,
): Promise<void> {
  const message = `Failed to submit flow run to infrastructure: ${reason}`;
  world.log.error(`Flow run ${claim.run.name}: ${message}`, { flowRun: claim.id });
  runLog.tell(claim.id, LEVEL.error, message);
  const proposal = { type: 'CRASHED', name: 'Crashed', message, transitionId: randomUUID() } as const;
  await untilAnswered(() => setFlowRunState(api, claim.id, proposal, { signal }), world, signal);
  metrics.crashed.inc();
}
