import * as z from 'zod';
import type { JsonObject } from '../json.ts';
import { inOrder, State, StateType } from '../states.ts';
import { answerOf, jsonObject, number, type PrefectApi, readPages } from './api.ts';
import type { components } from './openapi.ts';

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

/** A state to propose. */
export interface StateProposal {
  readonly type: StateType;
  readonly name?: string;
  readonly message?: string;
  /** The same over all retries of one intended transition, so that a lost answer is recognised (worker.md §4.2). */
  readonly transitionId?: string;
  readonly scheduledTime?: string;
  readonly data?: unknown;
}

/** The server's answer to a proposal (contracts/worker.md §4.2); it is told from an HTTP error, which is thrown. */
export type Orchestration =
  | { readonly status: 'ACCEPT'; readonly state: State | undefined }
  | { readonly status: 'REJECT'; readonly state: State | undefined; readonly reason: string }
  | { readonly status: 'ABORT'; readonly reason: string }
  | { readonly status: 'WAIT'; readonly reason: string; readonly delaySeconds: number };

const OrchestrationAnswer = z.object({
  status: z.enum(['ACCEPT', 'REJECT', 'ABORT', 'WAIT']),
  state: State.nullish(),
  details: z.object({ reason: z.string().nullish(), delay_seconds: number.nullish() }).nullish(),
});

/**
 * Proposes a state for a run.
 *
 * @param options `once`: sent a single time, for a caller that looks at the run before it repeats the proposal.
 */
export async function setFlowRunState(
  api: PrefectApi,
  id: string,
  proposal: StateProposal,
  options: { readonly force?: boolean; readonly once?: boolean; readonly signal: AbortSignal },
): Promise<Orchestration> {
  const details = {
    ...(proposal.transitionId === undefined ? {} : { transition_id: proposal.transitionId }),
    ...(proposal.scheduledTime === undefined ? {} : { scheduled_time: proposal.scheduledTime }),
  };
  const state = {
    type: proposal.type,
    ...(proposal.name === undefined ? {} : { name: proposal.name }),
    ...(proposal.message === undefined ? {} : { message: proposal.message }),
    ...(proposal.data === undefined ? {} : { data: proposal.data }),
    ...(Object.keys(details).length === 0 ? {} : { state_details: details }),
  };
  const answer = await api.client.POST('/flow_runs/{id}/set_state', {
    params: { path: { id } },
    body: {
      state,
      force: options.force ?? false,
    } as components['schemas']['Body_set_flow_run_state_flow_runs__id__set_state_post'],
    parseAs: 'text',
    signal: options.signal,
    ...(options.once ? { fetch: (input: Request) => api.send(input, { maxRetries: 0 }) } : {}),
  });
  const read = answerOf(OrchestrationAnswer, answer, 'set flow run state');
  const reason = read.details?.reason ?? '';
  switch (read.status) {
    case 'ACCEPT':
      return { status: 'ACCEPT', state: read.state ?? undefined };
    case 'REJECT':
      return { status: 'REJECT', state: read.state ?? undefined, reason };
    case 'ABORT':
      return { status: 'ABORT', reason };
    case 'WAIT':
      return { status: 'WAIT', reason, delaySeconds: read.details?.delay_seconds ?? 0 };
  }
}

/** All states a run has been in, oldest first. */
export async function readFlowRunStates(api: PrefectApi, flowRunId: string, signal: AbortSignal): Promise<State[]> {
  const answer = await api.client.GET('/flow_run_states/', {
    params: { query: { flow_run_id: flowRunId } },
    parseAs: 'text',
    signal,
  });
  return inOrder(answerOf(z.array(State), answer, 'read flow run states'));
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
