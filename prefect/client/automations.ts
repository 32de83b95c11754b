import * as z from 'zod';
import type { JsonObject } from '../json.ts';
import { answerOf, jsonObject, type PrefectApi, readPages, unlessMissing } from './api.ts';
import type { components } from './openapi.ts';

/** An automation as the server keeps it; whose it is, the server does not tell. */
export const AutomationRecord = z.object({
  id: z.string(),
  name: z.string(),
  created: z.string().nullish(),
  description: z.string().default(''),
  enabled: z.boolean().default(true),
  tags: z.array(z.string()).default([]),
  trigger: jsonObject,
  actions: z.array(jsonObject).default([]),
  actions_on_trigger: z.array(jsonObject).default([]),
  actions_on_resolve: z.array(jsonObject).default([]),
});
export type AutomationRecord = z.infer<typeof AutomationRecord>;

/**
 * The automations of the workspace; undefined when the server knows no automations (contracts/deploy.md §4.1, 7).
 *
 * @param ids of those to read; all when left out.
 */
export async function readAutomations(
  api: PrefectApi,
  signal: AbortSignal,
  ids?: readonly string[],
): Promise<AutomationRecord[] | undefined> {
  if (ids?.length === 0) return [];
  const filter = ids && { automations: { operator: 'and_' as const, id: { any_: [...ids] } } };
  const records = await unlessMissing(
    // Newest first: one made while the pages are read comes twice at most, and none is missed.
    readPages(async (limit, offset) => {
      const body = { ...filter, limit, offset, sort: 'CREATED_DESC' as const };
      const answer = await api.client.POST('/automations/filter', { body, parseAs: 'text', signal });
      return answerOf(z.array(AutomationRecord), answer, 'read automations');
    }),
  );
  return records && [...new Map(records.map((record) => [record.id, record])).values()];
}

/** Creates an automation; without `owner_resource` it belongs to nobody. */
export async function createAutomation(
  api: PrefectApi,
  body: JsonObject,
  signal: AbortSignal,
): Promise<AutomationRecord> {
  const answer = await api.client.POST('/automations/', {
    body: body as unknown as components['schemas']['AutomationCreate'],
    parseAs: 'text',
    signal,
  });
  return answerOf(AutomationRecord, answer, 'create automation');
}

/** Replaces all an automation says; id and owner stay. */
export async function updateAutomation(
  api: PrefectApi,
  id: string,
  body: JsonObject,
  signal: AbortSignal,
): Promise<void> {
  await api.client.PUT('/automations/{id}', {
    params: { path: { id } },
    body: body as unknown as components['schemas']['AutomationUpdate'],
    parseAs: 'text',
    signal,
  });
}

/** Deletes an automation, if it is still there. */
export async function deleteAutomation(api: PrefectApi, id: string, signal: AbortSignal): Promise<void> {
  const params = { path: { id } };
  await unlessMissing(api.client.DELETE('/automations/{id}', { params, parseAs: 'text', signal }));
}

/** Deletes the automations that a resource owns; those that only have to do with it stay. */
export async function deleteOwnedAutomations(api: PrefectApi, owner: string, signal: AbortSignal): Promise<void> {
  const params = { path: { resource_id: owner } };
  await api.client.DELETE('/automations/owned-by/{resource_id}', { params, parseAs: 'text', signal });
}
