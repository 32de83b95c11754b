import * as z from 'zod';
import { answerOf, type PrefectApi, readPages } from './api.ts';

export const FlowRecord = z.object({ id: z.string(), name: z.string(), tags: z.array(z.string()).default([]) });
export type FlowRecord = z.infer<typeof FlowRecord>;

/** Registers a flow by name, or finds the one there is: the server upserts by name (contracts/deploy.md §4.1). */
export async function createFlow(api: PrefectApi, name: string, signal: AbortSignal): Promise<FlowRecord> {
  const answer = await api.client.POST('/flows/', { body: { name, tags: [], labels: {} }, parseAs: 'text', signal });
  return answerOf(FlowRecord, answer, 'create flow');
}

/** The flows with these names that exist. */
export function readFlowsByName(api: PrefectApi, names: readonly string[], signal: AbortSignal): Promise<FlowRecord[]> {
  return filterFlows(api, { name: { any_: [...names] } }, names.length, signal);
}

/** The flows with these ids that exist. */
export function readFlowsById(api: PrefectApi, ids: readonly string[], signal: AbortSignal): Promise<FlowRecord[]> {
  return filterFlows(api, { id: { any_: [...ids] } }, ids.length, signal);
}

async function filterFlows(
  api: PrefectApi,
  flows: { name?: { any_: string[] }; id?: { any_: string[] } },
  wanted: number,
  signal: AbortSignal,
): Promise<FlowRecord[]> {
  if (wanted === 0) return [];
  return await readPages(async (limit, offset) => {
    const body = { flows: { operator: 'and_' as const, ...flows }, limit, offset, sort: 'NAME_ASC' as const };
    const answer = await api.client.POST('/flows/filter', { body, parseAs: 'text', signal });
    return answerOf(z.array(FlowRecord), answer, 'read flows');
  });
}
