import {
  type PrefectApi,
  readDefaultBaseJobTemplate,
  readDeployments,
  readFlowsByName,
  readWorkPool,
  readWorkQueues,
} from '@slipway/prefect/client';
import type { JsonObject } from '@slipway/prefect/json';
import { defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import { type Actual, type ActualWorkPool, type Desired, deploymentName } from './model.ts';

/**
 * Reads from the server all that the desired state names: one request for the flows and one for their deployments
 * (200 a page), one for each work pool (deployments of many pools are rare).
 */
export async function readActual(desired: Desired, api: PrefectApi, signal: AbortSignal): Promise<Actual> {
  const poolNames = new Set([
    ...desired.workPools.map((pool) => pool.name),
    ...desired.deployments.map((deployment) => deployment.fields.work_pool_name),
  ]);
  const managesQueues = new Set(
    desired.workPools.filter((pool) => (pool.entry.queues ?? []).length > 0).map((pool) => pool.name),
  );
  const [workPools, flows] = await Promise.all([
    readWorkPools([...poolNames], managesQueues, api, signal),
    readFlowsByName(api, [...new Set(desired.deployments.map((deployment) => deployment.flowName))], signal),
  ]);
  const flowNames = new Map(flows.map((flow) => [flow.id, flow.name]));
  const records = await readDeployments(
    api,
    { flowIds: [...flowNames.keys()], names: [...new Set(desired.deployments.map((one) => one.deploymentName))] },
    signal,
  );
  return {
    workPools,
    flowIds: new Map(flows.map((flow) => [flow.name, flow.id])),
    deployments: new Map(
      records.map((record) => [deploymentName(flowNames.get(record.flow_id) ?? '', record.name), record]),
    ),
    defaultTemplates: await readDefaultTemplates(desired, workPools, api, signal),
  };
}

async function readWorkPools(
  names: readonly string[],
  managesQueues: ReadonlySet<string>,
  api: PrefectApi,
  signal: AbortSignal,
): Promise<Map<string, ActualWorkPool>> {
  const pools = new Map<string, ActualWorkPool>();
  for (const name of names) {
    const pool = await readWorkPool(api, name, signal);
    if (pool === undefined) continue;
    pools.set(name, { pool, queues: managesQueues.has(name) ? await readWorkQueues(api, name, signal) : [] });
  }
  return pools;
}

async function readDefaultTemplates(
  desired: Desired,
  existing: ReadonlyMap<string, ActualWorkPool>,
  api: PrefectApi,
  signal: AbortSignal,
): Promise<Map<string, JsonObject>> {
  const templates = new Map<string, JsonObject>();
  for (const pool of desired.workPools) {
    const actual = existing.get(pool.name);
    const type = actual?.pool.type ?? pool.entry.type;
    const empty = actual !== undefined && Object.keys(actual.pool.base_job_template).length === 0;
    if (type === undefined || pool.template !== undefined || (actual !== undefined && !empty)) continue;
    if (templates.has(type)) continue;
    // The worker's own template is the one its Jobs are made for; the server's copy may be older (§5.4).
    const template =
      type === 'kubernetes' ? defaultKubernetesTemplate : await readDefaultBaseJobTemplate(api, type, signal);
    if (template !== undefined) templates.set(type, template);
  }
  return templates;
}
