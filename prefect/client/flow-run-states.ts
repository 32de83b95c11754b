import * as z from 'zod';
import { inOrder, State, type StateType } from '../states.ts';
import { answerOf, number, type PrefectApi } from './api.ts';
import type { components } from './openapi.ts';

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
  const answer = await api.client.POST('/flow_runs/{id}/set_state', {
    params: { path: { id } },
    body: {
      state: stateOf(proposal),
      force: options.force ?? false,
    } as components['schemas']['Body_set_flow_run_state_flow_runs__id__set_state_post'],
    parseAs: 'text',
    signal: options.signal,
    ...(options.once ? { fetch: (input: Request) => api.send(input, { maxRetries: 0 }) } : {}),
  });
  return orchestrationOf(answerOf(OrchestrationAnswer, answer, 'set flow run state'));
}

const BulkAnswer = z.object({ results: z.array(OrchestrationAnswer.extend({ flow_run_id: z.string() })) });

/**
 * Proposes one state for several runs in one request, sent a single time. The server decides on one after the other, each
 * by itself, with the transition id that all share (contracts/worker.md §10.4.2; Prefect 3.6.16 and newer).
 *
 * @param ids at most 50.
 * @returns the answers by run. A run that the server has no definite answer for is left out: it does not exist, or
 *   something went wrong, which the server tells with the very words of a refusal (ABORT). It may have been accepted.
 * @throws PrefectApiError 404 or 405 when the server does not know the request.
 */
export async function setFlowRunStates(
  api: PrefectApi,
  ids: readonly string[],
  proposal: StateProposal,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Orchestration>> {
  const answer = await api.client.POST('/flow_runs/bulk_set_state', {
    body: {
      flow_runs: { operator: 'and_', id: { any_: [...ids] } },
      state: stateOf(proposal),
      force: false,
      limit: ids.length,
    } as components['schemas']['Body_bulk_set_flow_run_state_flow_runs_bulk_set_state_post'],
    parseAs: 'text',
    signal,
    fetch: (input: Request) => api.send(input, { maxRetries: 0 }),
  });
  const { results } = answerOf(BulkAnswer, answer, 'set flow run states');
  return new Map(
    results
      .filter(({ status }) => status !== 'ABORT')
      .map((result) => [result.flow_run_id, orchestrationOf(result)] as const),
  );
}

/** A state as it is sent. */
function stateOf(proposal: StateProposal) {
  const details = {
    ...(proposal.transitionId === undefined ? {} : { transition_id: proposal.transitionId }),
    ...(proposal.scheduledTime === undefined ? {} : { scheduled_time: proposal.scheduledTime }),
  };
  return {
    type: proposal.type,
    ...(proposal.name === undefined ? {} : { name: proposal.name }),
    ...(proposal.message === undefined ? {} : { message: proposal.message }),
    ...(proposal.data === undefined ? {} : { data: proposal.data }),
    ...(Object.keys(details).length === 0 ? {} : { state_details: details }),
  };
}

function orchestrationOf(read: z.infer<typeof OrchestrationAnswer>): Orchestration {
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
