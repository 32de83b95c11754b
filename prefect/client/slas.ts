import * as z from 'zod';
import type { JsonObject } from '../json.ts';
import { answerOf, type PrefectApi } from './api.ts';
import { PlainRequest } from './plain-messages.ts';

const Named = z.array(z.looseObject({ name: z.string() })).nullish();
const SlaMerge = z.object({ created: Named, updated: Named, deleted: Named });

/** Names of the SLAs that a merge created, updated and deleted. */
export interface MergedSlas {
  readonly created: readonly string[];
  readonly updated: readonly string[];
  readonly deleted: readonly string[];
}

/**
 * Makes these the SLAs of a resource: matched by name, others are deleted (contracts/deploy.md §4.8). Prefect Cloud
 * only, so the server's own document, from which our types come, does not have it.
 */
export async function applySlas(
  api: PrefectApi,
  resource: string,
  slas: readonly JsonObject[],
  signal: AbortSignal,
): Promise<MergedSlas> {
  const response = await api.send(
    new PlainRequest(`${api.settings.apiUrl}/slas/apply-resource-slas/${encodeURIComponent(resource)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(slas),
      signal,
    }),
  );
  const merged = answerOf(SlaMerge, { data: await response.text(), response }, 'apply SLAs');
  const names = (list: z.infer<typeof Named>) => (list ?? []).map(({ name }) => name);
  return { created: names(merged.created), updated: names(merged.updated), deleted: names(merged.deleted) };
}
