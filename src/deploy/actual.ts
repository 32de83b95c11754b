import {
  type PrefectApi,
  readAutomations,
  readDefaultBaseJobTemplate,
  readDeploymentByName,
  readDeployments,
  readFlowsByName,
  readWorkPools,
  readWorkQueues,
  type WorkPoolRecord,
} from '@slipway/prefect/client';
import type { JsonObject } from '@slipway/prefect/json';
import { defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import {
  type Actual,
  type ActualWorkPool,
  type ActualWorkPools,
  type Desired,
  type DesiredWorkPool,
  deploymentName,
} from './model.ts';

/**
 * Reads the work pools that prefect.yaml manages and those that its deployments name: one request for all,
 * 200 a page, and one for each whose queues it manages.
 *
 * @param named pools that deployments name; one that neither the server nor `desired` has is simply not in the answer.
 */
export async function readActualWorkPools(
  desired: readonly DesiredWorkPool[],
  named: readonly string[],
  api: PrefectApi,
  signal: AbortSignal,
): Promise<ActualWorkPools> {
  const names = new Set([...desired.map((pool) => pool.name), ...named]);
  const managesQueues = new Set(
    desired.filter((pool) => (pool.entry.queues ?? []).length > 0).map((pool) => pool.name),
  );
  const records = await readWorkPools(api, [...names], signal);
  const workPools = await withQueues(records, managesQueues, api, signal);
  return { workPools, defaultTemplates: await readDefaultTemplates(desired, workPools, api, signal) };
}

/**
 * Reads the deployments that the desired state names: one request for their flows, one for themselves, one for all
 * automations when one of them exists or is to have some, 200 a page.
 */
export async function readActual(
  desired: Desired,
  workPools: ActualWorkPools,
  api: PrefectApi,
  signal: AbortSignal,
): Promise<Actual> {
  const flows = await readFlowsByName(api, [...new Set(desired.deployments.map((one) => one.flowName))], signal);
  const flowNames = new Map(flows.map((flow) => [flow.id, flow.name]));
  const names = [...new Set(desired.deployments.map((one) => one.deploymentName))];
  const records = await readDeployments(api, { flowIds: [...flowNames.keys()], names }, signal);
  const asked = records.length > 0 || desired.automations.some((one) => one.automations.length > 0);
  return {
    ...workPools,
    automations: asked ? await readAutomations(api, signal) : [],
    deployments: new Map(
      records.map((record) => [deploymentName(flowNames.get(record.flow_id) ?? '', record.name), record]),
    ),
  };
}

async function withQueues(
  records: readonly WorkPoolRecord[],
  managesQueues: ReadonlySet<string>,
  api: PrefectApi,
  signal: AbortSignal,
): Promise<Map<string, ActualWorkPool>> {
  const pools = new Map<string, ActualWorkPool>();
  for (const pool of records) {
    const queues = managesQueues.has(pool.name) ? await readWorkQueues(api, pool.name, signal) : [];
    pools.set(pool.name, { pool, queues });
  }
  return pools;
}

async function readDefaultTemplates(
  desired: readonly DesiredWorkPool[],
  existing: ReadonlyMap<string, ActualWorkPool>,
  api: PrefectApi,
  signal: AbortSignal,
): Promise<Map<string, JsonObject>> {
  const templates = new Map<string, JsonObject>();
  for (const pool of desired) {
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

/** Asks whether the server checks parameters of a deployment that it has; undefined: it has none. */
export function enforcement(
  api: PrefectApi,
  signal: AbortSignal,
): (flow: string, deployment: string) => Promise<boolean | undefined> {
  return async (flow, deployment) =>
    (await readDeploymentByName(api, flow, deployment, signal))?.enforce_parameter_schema;
}
