import * as z from 'zod';
import { answerOf, number, type PrefectApi, readPages } from './api.ts';
import type { components } from './openapi.ts';

export const LogRecord = z.object({
  id: z.string(),
  name: z.string(),
  /** Python's numbers: 10 debug, 20 info, 30 warning, 40 error, 50 critical. */
  level: number,
  message: z.string(),
  timestamp: z.string(),
  flow_run_id: z.string().nullish(),
});
export type LogRecord = z.infer<typeof LogRecord>;

/** All logs of these runs from `minimumLevel` on, oldest first; `after` is inclusive (contracts/deploy.md §6.4). */
export async function readLogs(
  api: PrefectApi,
  filter: { readonly flowRunIds: readonly string[]; readonly minimumLevel?: number; readonly after?: string },
  signal: AbortSignal,
): Promise<LogRecord[]> {
  return await readPages(async (limit, offset) => {
    const body = {
      logs: {
        operator: 'and_' as const,
        flow_run_id: { any_: [...filter.flowRunIds] },
        ...(filter.minimumLevel === undefined ? {} : { level: { ge_: filter.minimumLevel } }),
        ...(filter.after === undefined ? {} : { timestamp: { after_: filter.after } }),
      },
      sort: 'TIMESTAMP_ASC' as const,
      limit,
      offset,
    };
    const answer = await api.client.POST('/logs/filter', { body, parseAs: 'text', signal });
    return answerOf(z.array(LogRecord), answer, 'read logs');
  });
}

export interface NewLog {
  readonly name: string;
  readonly level: number;
  readonly message: string;
  /** ISO 8601 with zone. */
  readonly timestamp: string;
  readonly flow_run_id: string;
}

/** Writes logs of runs. */
export async function createLogs(api: PrefectApi, logs: readonly NewLog[], signal: AbortSignal): Promise<void> {
  if (logs.length === 0) return;
  await api.client.POST('/logs/', { body: [...logs] as components['schemas']['LogCreate'][], parseAs: 'text', signal });
}
