/**
 * From a claim to its Job: references filled in, manifest made, pid told, Job created.
 *
 * Failure model. The name of the Job is known before it exists, so the run's `infrastructure_pid` is written first: a
 * worker that dies in between leaves a run that the repair sweep can finish under the same name. Writing pid and labels
 * never fails a run. What cannot be made into a Job ends the run as Crashed, with the reason.
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
import { isJsonObject } from '@slipway/prefect/json';
import { resolveReferences, TemplateError } from '@slipway/prefect/template';
import { JobVariablesError, renderJobConfiguration } from '@slipway/prefect/workpool';
import type { Claim } from '../claim/model.ts';
import type { WorkerConfig } from '../config/config.ts';
import type { KubernetesConnection } from '../k8s/connection.ts';
import type { Metrics } from '../ops/metrics.ts';
import { type JobManifest, render } from '../render/render.ts';
import { RenderError } from '../render/render-error.ts';
import { LEVEL, type RunLog } from '../report/run-log.ts';
import { WORKER_VERSION } from '../version.ts';
import type { World } from '../world.ts';
import { submitJob } from './submit.ts';

/** Marks runs that were submitted by this kind of worker; its repair sweep leaves other workers' runs alone. */
export const WORKER_LABEL = 'slipway.worker.version';

export interface StartServices {
  readonly config: WorkerConfig;
  readonly api: PrefectApi;
  readonly kubernetes: KubernetesConnection;
  /** The work pool as it was after a moment, in milliseconds. */
  readonly pool: (since: number, signal: AbortSignal) => Promise<WorkPoolRecord>;
  readonly runLog: RunLog;
  readonly metrics: Metrics;
  readonly world: World;
}

/**
 * Creates the Job of a claim.
 *
 * @param creating called right before the first try: from then on the Job may exist.
 * @param signal aborted when the worker has to stop now.
 */
export async function startRun(
  claim: Claim,
  services: StartServices,
  creating: () => void,
  signal: AbortSignal,
): Promise<void> {
  const { config, kubernetes, runLog, metrics, world } = services;
  const pool = await services.pool(claim.polledAt, signal);
  let job: JobManifest;
  try {
    job = await makeJob(claim, pool, services, signal);
  } catch (error) {
    const known = error instanceof RenderError || error instanceof JobVariablesError || error instanceof TemplateError;
    if (!known) throw error;
    await crash(claim, `Failed to submit flow run to infrastructure: ${error.message}`, services, signal);
    return;
  }
  for (const note of job.notes) runLog.tell(claim.id, LEVEL.warning, note);
  await announce(claim, job, pool, services, signal);
  creating();
  runLog.tell(claim.id, LEVEL.info, 'Creating Kubernetes job...');
  const made = await submitJob(job, claim.id, kubernetes, config.submit, world, signal);
  metrics.jobs.inc({ outcome: made.kind });
  if (made.kind === 'refused') {
    await crash(claim, `Failed to submit flow run to infrastructure: ${made.message}`, services, signal);
    return;
  }
  const verb = made.kind === 'created' ? 'created' : 'found';
  world.log.info(`Job ${job.namespace}/${job.name} ${verb} for flow run ${claim.run.name}`, { flowRun: claim.id });
  runLog.tell(claim.id, LEVEL.info, `Kubernetes job '${job.name}' ${verb} in namespace '${job.namespace}'`);
  runLog.tell(claim.id, LEVEL.info, `Flow run '${claim.run.name}' submitted to infrastructure`);
}

async function makeJob(
  claim: Claim,
  pool: WorkPoolRecord,
  { config, api }: StartServices,
  signal: AbortSignal,
): Promise<JobManifest> {
  const { base_job_template: template, id, name } = pool;
  const templated = renderJobConfiguration({
    template,
    deploymentVariables: claim.deployment?.job_variables ?? {},
    runVariables: claim.run.job_variables ?? {},
    env: config.render.env,
  });
  const configuration = await resolveReferences(templated, referenceReaders(api, signal));
  if (!isJsonObject(configuration)) throw new RenderError('The work pool’s job_configuration is not a mapping.');
  const context = {
    run: claim.run,
    flow: claim.flow,
    deployment: claim.deployment,
    pool: { id, name },
    workerName: config.workerName,
  };
  return render(configuration, context, claim.scheduledState, { ...config.render, cloud: config.prefect.cloud });
}

/** Tells the server where the run will be and who started it; a failure is logged and costs nothing but that. */
async function announce(
  claim: Claim,
  job: JobManifest,
  { id, name }: WorkPoolRecord,
  { api, config, world }: StartServices,
  signal: AbortSignal,
): Promise<void> {
  const labels = {
    'prefect.worker.name': config.workerName,
    'prefect.worker.type': 'kubernetes',
    'prefect.work-pool.name': name,
    'prefect.work-pool.id': id,
    [WORKER_LABEL]: WORKER_VERSION,
  };
  const results = await Promise.allSettled([
    updateFlowRun(api, claim.id, { infrastructure_pid: `${job.namespace}:${job.name}` }, signal),
    updateFlowRunLabels(api, claim.id, labels, signal),
  ]);
  signal.throwIfAborted();
  for (const result of results) {
    if (result.status === 'rejected')
      world.log.warning(`Flow run ${claim.id}: ${String(result.reason)}; it runs all the same`);
  }
}

async function crash(
  claim: Claim,
  message: string,
  { api, runLog, metrics, world }: StartServices,
  signal: AbortSignal,
): Promise<void> {
  world.log.error(`Flow run ${claim.run.name}: ${message}`, { flowRun: claim.id });
  runLog.tell(claim.id, LEVEL.error, message);
  await setFlowRunState(
    api,
    claim.id,
    { type: 'CRASHED', name: 'Crashed', message, transitionId: randomUUID() },
    { signal },
  );
  metrics.crashed.inc();
}
