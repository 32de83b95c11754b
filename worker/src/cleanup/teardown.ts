/**
 * Deletes the Job of a run that stayed Cancelling until the server's patience was over (contracts/worker.md §6.4,
 * Prefect's workers/_cleanup_handlers.py). The server has ended the run already: its state is not touched here, whatever
 * it is. The Job is the one that the message names, not what the run says now.
 */
import {
  type FlowRunRecord,
  type PrefectApi,
  readDeployments,
  readFlowRun,
  referenceReaders,
  unlessMissing,
  type WorkPoolRecord,
} from '@slipway/prefect/client';
import { isJsonObject } from '@slipway/prefect/json';
import { resolveReferences, TemplateError } from '@slipway/prefect/template';
import { renderJobConfiguration } from '@slipway/prefect/workpool';
import * as z from 'zod';
import type { CleanupMessage } from '../channel/frames.ts';
import { type JobPlace, readPid } from '../infrastructure-pid.ts';
import { deleteJob, readObject } from '../k8s/api.ts';
import type { Clusters, NamedCluster } from '../k8s/clusters.ts';
import type { KubernetesConnection } from '../k8s/connection.ts';
import { KubernetesUnreachableError } from '../k8s/errors.ts';
import { readClusterConfig } from '../render/configuration.ts';
import { FLOW_RUN_LABEL } from '../render/labels.ts';
import { CLUSTER_LABEL, WORKER_LABEL } from '../submit/run-labels.ts';
import type { World } from '../world.ts';
import type { Outcome } from './executor.ts';

export interface TeardownServices {
  readonly api: PrefectApi;
  readonly clusters: Clusters;
  /** The pool as it is known. */
  readonly pool: () => WorkPoolRecord;
  /** What `{{ $NAME }}` in its template reads. */
  readonly templateEnv: Readonly<Record<string, string | undefined>>;
  readonly world: Pick<World, 'log'>;
}

type Found =
  | { readonly kind: 'cluster'; readonly cluster: NamedCluster | undefined }
  | { readonly kind: 'unknown'; readonly why: string };

const JobObject = z.object({
  metadata: z.object({ uid: z.string(), labels: z.record(z.string(), z.string()).optional() }),
});

/**
 * @returns whether the message is done with, or given back and why.
 * @throws Error for what may go better at the next delivery, and the signal's reason when the message is ours no more.
 */
export async function tearDown(
  { target }: Pick<CleanupMessage, 'target'>,
  services: TeardownServices,
  signal: AbortSignal,
): Promise<Outcome> {
  const run = await unlessMissing(readFlowRun(services.api, target.flow_run_id, signal));
  if (run === undefined) return { kind: 'ack', why: 'there is no such flow run' };
  const pid = target.infrastructure_pid;
  if (!pid) {
    return run.infrastructure_pid
      ? { kind: 'release', reason: 'missing_infrastructure_handle' }
      : { kind: 'ack', why: 'it has no Job' };
  }
  const place = readPid(pid);
  if (place === undefined) throw new Error(`"${pid}" names no Job: it must be namespace:name`);
  const found = await clusterOf(run, services, signal);
  if (found.kind === 'unknown') {
    services.world.log.warning(`Cleanup of flow run ${run.name}: ${found.why}`, { flowRun: run.id });
    return { kind: 'release', reason: 'configuration_context_unavailable' };
  }
  try {
    return await services.clusters.use(found.cluster, (there) => deleteJobOf(run, place, there, signal));
  } catch (error) {
    if (!(error instanceof KubernetesUnreachableError)) throw error;
    services.world.log.warning(`Cleanup of flow run ${run.name}: ${error.message}`, { flowRun: run.id });
    return { kind: 'release', reason: 'infrastructure_not_available' };
  }
}

async function deleteJobOf(
  run: FlowRunRecord,
  { namespace, name }: JobPlace,
  kubernetes: KubernetesConnection,
  signal: AbortSignal,
): Promise<Outcome> {
  const object = await readObject(kubernetes, 'jobs', namespace, name, signal);
  const job = `Job ${namespace}/${name}`;
  if (object === undefined) return { kind: 'ack', why: `${job} is gone` };
  const { uid, labels } = JobObject.parse(object).metadata;
  // Whoever may change a run's pid must not thereby delete what is not the run's.
  if (labels?.[FLOW_RUN_LABEL] !== run.id) throw new Error(`${job} is not that of flow run ${run.name}`);
  await deleteJob(kubernetes, namespace, name, uid, signal);
  return { kind: 'ack', why: `${job} is deleted` };
}

/**
 * Where the run's Job is. Of a run that a worker of this kind has submitted the labels tell when it is its own cluster;
 * then nothing else is needed, and the Job goes also when the deployment has gone before it.
 */
async function clusterOf(
  run: FlowRunRecord,
  { api, pool, templateEnv }: TeardownServices,
  signal: AbortSignal,
): Promise<Found> {
  const { labels } = run;
  if (labels?.[WORKER_LABEL] !== undefined && labels[CLUSTER_LABEL] === undefined) {
    return { kind: 'cluster', cluster: undefined };
  }
  const id = run.deployment_id;
  const [deployment] = id ? await readDeployments(api, { ids: [id] }, signal) : [];
  if (id && deployment === undefined) return { kind: 'unknown', why: `its deployment ${id} is gone` };
  const rendered = renderJobConfiguration({
    template: pool().base_job_template,
    deploymentVariables: deployment?.job_variables ?? {},
    runVariables: run.job_variables ?? {},
    env: templateEnv,
  });
  const written = isJsonObject(rendered) ? rendered.cluster_config : undefined;
  try {
    const config = await resolveReferences(written ?? null, referenceReaders(api, signal));
    return { kind: 'cluster', cluster: readClusterConfig(config ?? undefined) };
  } catch (error) {
    if (error instanceof TemplateError) return { kind: 'unknown', why: error.message };
    throw error;
  }
}
