import * as z from 'zod';
import type { Json, JsonObject } from '../json.ts';
import { answerOf, jsonObject, number, type PrefectApi, readPages, unlessMissing } from './api.ts';
import type { components } from './openapi.ts';

const anyJson = z.custom<Json>((value) => value !== undefined, 'a value is expected');

export const ScheduleRecord = z.object({
  id: z.string(),
  schedule: jsonObject,
  active: z.boolean().nullish(),
  max_scheduled_runs: number.nullish(),
  parameters: jsonObject.nullish(),
  slug: z.string().nullish(),
});
export type ScheduleRecord = z.infer<typeof ScheduleRecord>;

/** A deployment as the server keeps it: the fields that Slipway reads. */
export const DeploymentRecord = z.object({
  id: z.string(),
  name: z.string(),
  flow_id: z.string(),
  updated: z.string().nullish(),
  version: z.string().nullish(),
  description: z.string().nullish(),
  paused: z.boolean().default(false),
  tags: z.array(z.string()).default([]),
  parameters: jsonObject.default({}),
  job_variables: jsonObject.nullish(),
  entrypoint: z.string().nullish(),
  pull_steps: z.array(anyJson).nullish(),
  parameter_openapi_schema: jsonObject.nullish(),
  enforce_parameter_schema: z.boolean().default(false),
  work_pool_name: z.string().nullish(),
  work_queue_name: z.string().nullish(),
  global_concurrency_limit: z.looseObject({ id: z.string(), name: z.string(), limit: number }).nullish(),
  concurrency_options: jsonObject.nullish(),
  schedules: z.array(ScheduleRecord).default([]),
});
export type DeploymentRecord = z.infer<typeof DeploymentRecord>;

/** What may be sent to create a deployment; the types are the server's own. */
export type DeploymentCreate = Sent<components['schemas']['DeploymentCreate']>;
export type DeploymentUpdate = Sent<components['schemas']['DeploymentUpdate']>;
/** Every field the server gives a default may be left out, and JSON stays ours (numbers keep their spelling). */
type Sent<T> = { [Key in keyof T]?: unknown };

/** The deployment of that flow and name, or undefined when there is none. */
export async function readDeploymentByName(
  api: PrefectApi,
  flowName: string,
  name: string,
  signal: AbortSignal,
): Promise<DeploymentRecord | undefined> {
  const params = { path: { flow_name: flowName, deployment_name: name } };
  const answer = await unlessMissing(
    api.client.GET('/deployments/name/{flow_name}/{deployment_name}', { params, parseAs: 'text', signal }),
  );
  return answer && answerOf(DeploymentRecord, answer, 'read deployment');
}

/** Deployments by id or name, or all deployments of these flows: at most 200 a request. */
export async function readDeployments(
  api: PrefectApi,
  filter:
    | { readonly ids: readonly string[] }
    | { readonly names: readonly string[]; readonly flowIds?: undefined }
    | { readonly flowIds: readonly string[]; readonly names?: readonly string[] },
  signal: AbortSignal,
): Promise<DeploymentRecord[]> {
  const wanted = 'ids' in filter ? filter.ids : (filter.flowIds ?? filter.names);
  if (wanted.length === 0) return [];
  const by =
    'ids' in filter
      ? { deployments: { operator: 'and_' as const, id: { any_: [...filter.ids] } } }
      : {
          ...(filter.flowIds === undefined
            ? {}
            : { flows: { operator: 'and_' as const, id: { any_: [...filter.flowIds] } } }),
          ...(filter.names === undefined
            ? {}
            : { deployments: { operator: 'and_' as const, name: { any_: [...filter.names] } } }),
        };
  return await readPages(async (limit, offset) => {
    const body = { ...by, limit, offset, sort: 'NAME_ASC' as const };
    const answer = await api.client.POST('/deployments/filter', { body, parseAs: 'text', signal });
    return answerOf(z.array(DeploymentRecord), answer, 'read deployments');
  });
}

/** Creates a deployment, or writes over the one with that flow and name (contracts/deploy.md §4.3). */
export async function createDeployment(
  api: PrefectApi,
  body: DeploymentCreate & { name: string; flow_id: string },
  signal: AbortSignal,
): Promise<DeploymentRecord> {
  const answer = await api.client.POST('/deployments/', {
    body: body as components['schemas']['DeploymentCreate'],
    parseAs: 'text',
    signal,
  });
  return answerOf(DeploymentRecord, answer, 'create deployment');
}

/** Changes the given fields of a deployment; the server then drops and recreates its scheduled runs. */
export async function updateDeployment(
  api: PrefectApi,
  id: string,
  body: DeploymentUpdate,
  signal: AbortSignal,
): Promise<void> {
  await api.client.PATCH('/deployments/{id}', {
    params: { path: { id } },
    body: body as components['schemas']['DeploymentUpdate'],
    parseAs: 'text',
    signal,
  });
}

export type ScheduleUpdate = Sent<components['schemas']['DeploymentScheduleUpdate']>;

/** Changes one schedule in place: its id stays. Parameters that are left out become none, other fields stay. */
export async function updateDeploymentSchedule(
  api: PrefectApi,
  deploymentId: string,
  scheduleId: string,
  body: ScheduleUpdate,
  signal: AbortSignal,
): Promise<void> {
  await api.client.PATCH('/deployments/{id}/schedules/{schedule_id}', {
    params: { path: { id: deploymentId, schedule_id: scheduleId } },
    body: body as components['schemas']['DeploymentScheduleUpdate'],
    parseAs: 'text',
    signal,
  });
}

/** Deletes one schedule and the runs it has made in advance; one that is gone already is no error. */
export async function deleteDeploymentSchedule(
  api: PrefectApi,
  deploymentId: string,
  scheduleId: string,
  signal: AbortSignal,
): Promise<void> {
  const params = { path: { id: deploymentId, schedule_id: scheduleId } };
  await unlessMissing(
    api.client.DELETE('/deployments/{id}/schedules/{schedule_id}', { params, parseAs: 'text', signal }),
  );
}

export interface FlowRunCreate {
  readonly parameters: JsonObject;
  readonly name?: string;
  readonly tags?: readonly string[];
  /** Makes a repeated request return the run of the first (contracts/deploy.md §6.1). */
  readonly idempotency_key: string;
  readonly job_variables?: JsonObject;
}

const CreatedFlowRun = z.object({ id: z.string(), name: z.string() });

/** Creates a run of a deployment, due now. */
export async function createFlowRun(
  api: PrefectApi,
  deploymentId: string,
  run: FlowRunCreate,
  signal: AbortSignal,
): Promise<{ id: string; name: string }> {
  const answer = await api.client.POST('/deployments/{id}/create_flow_run', {
    params: { path: { id: deploymentId } },
    body: run as unknown as components['schemas']['DeploymentFlowRunCreate'],
    parseAs: 'text',
    signal,
  });
  return answerOf(CreatedFlowRun, answer, 'create flow run');
}
