import * as z from 'zod';
import type { JsonObject } from '../json.ts';
import { State, StateType } from '../states.ts';
import { answerOf, jsonObject, number, type PrefectApi, readPages } from './api.ts';

/** A flow run as the server keeps it: the fields that Slipway reads. */
export const FlowRunRecord = z.object({
  id: z.string(),
  name: z.string(),
  flow_id: z.string(),
  deployment_id: z.string().nullish(),
  work_queue_name: z.string().nullish(),
  work_pool_name: z.string().nullish(),
  /** Not loaded, and so null, in the answer to a poll (contracts/worker.md §3.4). */
  state: State.nullish(),
  state_id: z.string().nullish(),
  state_type: StateType.nullish(),
  state_name: z.string().nullish(),
  tags: z.array(z.string()).default([]),
  labels: jsonObject.nullish(),
  parameters: jsonObject.default({}),
  job_variables: jsonObject.nullish(),
  infrastructure_pid: z.string().nullish(),
  expected_start_time: z.string().nullish(),
  next_scheduled_start_time: z.string().nullish(),
  start_time: z.string().nullish(),
  end_time: z.string().nullish(),
  run_count: number.default(0),
  total_run_time: number.default(0),
});
export type FlowRunRecord = z.infer<typeof FlowRunRecord>;

/** Reads one run. @throws PrefectApiError 404 when it does not exist. */
export async function readFlowRun(api: PrefectApi, id: string, signal: AbortSignal): Promise<FlowRunRecord> {
  const answer = await api.client.GET('/flow_runs/{id}', { params: { path: { id } }, parseAs: 'text', signal });
  return answerOf(FlowRunRecord, answer, 'read flow run');
}

export interface FlowRunFilter {
  readonly workPoolName?: string;
  readonly stateTypes?: readonly StateType[];
  readonly ids?: readonly string[];
}

/** All runs that match, oldest expected start first. */
export async function readFlowRuns(
  api: PrefectApi,
  filter: FlowRunFilter,
  signal: AbortSignal,
): Promise<FlowRunRecord[]> {
  return await readPages(async (limit, offset) => {
    const body = {
      flow_runs: {
        operator: 'and_' as const,
        ...(filter.ids === undefined ? {} : { id: { any_: [...filter.ids] } }),
        ...(filter.stateTypes === undefined
          ? {}
          : { state: { operator: 'and_' as const, type: { any_: [...filter.stateTypes] } } }),
      },
      ...(filter.workPoolName === undefined
        ? {}
        : { work_pools: { operator: 'and_' as const, name: { any_: [filter.workPoolName] } } }),
      sort: 'EXPECTED_START_TIME_ASC' as const,
      limit,
      offset,
    };
    const answer = await api.client.POST('/flow_runs/filter', { body, parseAs: 'text', signal });
    return answerOf(z.array(FlowRunRecord), answer, 'read flow runs');
  });
}

/** Changes fields of a run, e.g. `infrastructure_pid` (`<namespace>:<job name>`). */
export async function updateFlowRun(
  api: PrefectApi,
  id: string,
  body: { readonly infrastructure_pid?: string },
  signal: AbortSignal,
): Promise<void> {
  await api.client.PATCH('/flow_runs/{id}', { params: { path: { id } }, body, parseAs: 'text', signal });
}

/** Adds labels to a run, over the ones it has. */
export async function updateFlowRunLabels(
  api: PrefectApi,
  id: string,
  labels: JsonObject,
  signal: AbortSignal,
): Promise<void> {
  await api.client.PATCH('/flow_runs/{id}/labels', {
    params: { path: { id } },
    body: labels as Record<string, string>,
    parseAs: 'text',
    signal,
  });
}
