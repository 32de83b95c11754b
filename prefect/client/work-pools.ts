import * as z from 'zod';
import type { JsonObject } from '../json.ts';
import { answerOf, jsonObject, number, type PrefectApi, readPages, unlessMissing } from './api.ts';
import { FlowRunRecord } from './flow-runs.ts';
import type { components } from './openapi.ts';

/** A work pool as the server keeps it: the fields that Slipway reads. */
export const WorkPoolRecord = z.object({
  id: z.string(),
  name: z.string(),
  type: z.string(),
  description: z.string().nullish(),
  base_job_template: jsonObject.default({}),
  is_paused: z.boolean().default(false),
  concurrency_limit: number.nullish(),
  status: z.string().nullish(),
  /** When it was changed last, by the server's clock, to the microsecond. */
  updated: z.string().nullish(),
});
export type WorkPoolRecord = z.infer<typeof WorkPoolRecord>;

export const WorkQueueRecord = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string().nullish(),
  priority: number.nullish(),
  concurrency_limit: number.nullish(),
  is_paused: z.boolean().default(false),
});
export type WorkQueueRecord = z.infer<typeof WorkQueueRecord>;

type Sent<T> = { [Key in keyof T]?: unknown };
export type WorkPoolCreate = Sent<components['schemas']['WorkPoolCreate']> & { name: string; type: string };
export type WorkPoolUpdate = Sent<components['schemas']['WorkPoolUpdate']>;
export type WorkQueueCreate = Sent<components['schemas']['WorkQueueCreate']> & { name: string };
export type WorkQueueUpdate = Sent<components['schemas']['WorkQueueUpdate']>;

/** The pool with that name, or undefined when there is none. */
export async function readWorkPool(
  api: PrefectApi,
  name: string,
  signal: AbortSignal,
): Promise<WorkPoolRecord | undefined> {
  const answer = await unlessMissing(
    api.client.GET('/work_pools/{name}', { params: { path: { name } }, parseAs: 'text', signal }),
  );
  return answer && answerOf(WorkPoolRecord, answer, 'read work pool');
}

/** Those of the named pools that there are, 200 a request. */
export async function readWorkPools(
  api: PrefectApi,
  names: readonly string[],
  signal: AbortSignal,
): Promise<WorkPoolRecord[]> {
  if (names.length === 0) return [];
  const work_pools = { operator: 'and_' as const, name: { any_: [...names] } };
  return await readPages(async (limit, offset) => {
    const body = { work_pools, limit, offset };
    const answer = await api.client.POST('/work_pools/filter', { body, parseAs: 'text', signal });
    return answerOf(z.array(WorkPoolRecord), answer, 'read work pools');
  });
}

/** The same with every field that the server gives, for people and programs that know more of them than we do. */
export async function readWorkPoolAsSent(api: PrefectApi, name: string, signal: AbortSignal) {
  const answer = await unlessMissing(
    api.client.GET('/work_pools/{name}', { params: { path: { name } }, parseAs: 'text', signal }),
  );
  return answer && answerOf(jsonObject, answer, 'read work pool');
}

/** The pool, and what time it was on the server (the Date header of its answer). */
export async function readWorkPoolWithDate(
  api: PrefectApi,
  name: string,
  signal: AbortSignal,
): Promise<{ readonly pool: WorkPoolRecord | undefined; readonly date: string | undefined }> {
  const answer = await api.client.POST('/work_pools/filter', {
    body: { work_pools: { operator: 'and_', name: { any_: [name] } }, limit: 1, offset: 0 },
    parseAs: 'text',
    signal,
  });
  const [pool] = answerOf(z.array(WorkPoolRecord), answer, 'read work pools');
  return { pool, date: answer.response.headers.get('date') ?? undefined };
}

/** Creates a pool. @throws PrefectApiError 409 when the name is taken, 422 when the template is refused. */
export async function createWorkPool(
  api: PrefectApi,
  body: WorkPoolCreate,
  signal: AbortSignal,
): Promise<WorkPoolRecord> {
  const answer = await api.client.POST('/work_pools/', {
    body: body as components['schemas']['WorkPoolCreate'],
    parseAs: 'text',
    signal,
  });
  return answerOf(WorkPoolRecord, answer, 'create work pool');
}

/** Changes the given fields of a pool; null clears. */
export async function updateWorkPool(
  api: PrefectApi,
  name: string,
  body: WorkPoolUpdate,
  signal: AbortSignal,
): Promise<void> {
  await api.client.PATCH('/work_pools/{name}', {
    params: { path: { name } },
    body: body as components['schemas']['WorkPoolUpdate'],
    parseAs: 'text',
    signal,
  });
}

/** All queues of a pool. */
export async function readWorkQueues(api: PrefectApi, pool: string, signal: AbortSignal): Promise<WorkQueueRecord[]> {
  return await readPages(async (limit, offset) => {
    const answer = await api.client.POST('/work_pools/{work_pool_name}/queues/filter', {
      params: { path: { work_pool_name: pool } },
      body: { limit, offset } as never,
      parseAs: 'text',
      signal,
    });
    return answerOf(z.array(WorkQueueRecord), answer, 'read work queues');
  });
}

export async function createWorkQueue(
  api: PrefectApi,
  pool: string,
  body: WorkQueueCreate,
  signal: AbortSignal,
): Promise<void> {
  await api.client.POST('/work_pools/{work_pool_name}/queues', {
    params: { path: { work_pool_name: pool } },
    body: body as components['schemas']['WorkQueueCreate'],
    parseAs: 'text',
    signal,
  });
}

export async function updateWorkQueue(
  api: PrefectApi,
  pool: string,
  name: string,
  body: WorkQueueUpdate,
  signal: AbortSignal,
): Promise<void> {
  await api.client.PATCH('/work_pools/{work_pool_name}/queues/{name}', {
    params: { path: { work_pool_name: pool, name } },
    body: body as components['schemas']['WorkQueueUpdate'],
    parseAs: 'text',
    signal,
  });
}

/**
 * Says that a worker is alive (contracts/worker.md §3.3); the interval is in whole seconds.
 *
 * @param worker `metadata`: what it brings; only Prefect Cloud knows what to do with it.
 */
export async function sendWorkerHeartbeat(
  api: PrefectApi,
  pool: string,
  worker: { readonly name: string; readonly heartbeatIntervalSeconds: number; readonly metadata?: JsonObject },
  signal: AbortSignal,
): Promise<void> {
  const metadata = worker.metadata === undefined ? {} : { metadata: worker.metadata };
  await api.client.POST('/work_pools/{work_pool_name}/workers/heartbeat', {
    params: { path: { work_pool_name: pool } },
    body: { name: worker.name, heartbeat_interval_seconds: worker.heartbeatIntervalSeconds, ...metadata },
    parseAs: 'text',
    signal,
  });
}

const ScheduledRun = z.object({ work_pool_id: z.string(), work_queue_id: z.string(), flow_run: FlowRunRecord });
export type ScheduledRun = z.infer<typeof ScheduledRun>;

/**
 * The runs of a pool that are due by `scheduledBefore`, in the server's order (queue priority, then time). Nothing is
 * reserved by asking (contracts/worker.md §3.4).
 *
 * @param limit at most this many, 1 to 200.
 */
export async function readScheduledRuns(
  api: PrefectApi,
  pool: string,
  poll: { readonly queueNames: readonly string[]; readonly scheduledBefore: Date; readonly limit: number },
  signal: AbortSignal,
): Promise<ScheduledRun[]> {
  const answer = await api.client.POST('/work_pools/{name}/get_scheduled_flow_runs', {
    params: { path: { name: pool } },
    body: {
      work_queue_names: [...poll.queueNames],
      scheduled_before: poll.scheduledBefore.toISOString(),
      limit: poll.limit,
    } as never,
    parseAs: 'text',
    signal,
  });
  return answerOf(z.array(ScheduledRun), answer, 'poll for scheduled runs');
}

const WorkerMetadata = z.record(
  z.string(),
  z.record(
    z.string(),
    z.looseObject({ type: z.string().optional(), default_base_job_configuration: jsonObject.optional() }),
  ),
);

/** The default base job template that the server knows for a pool type, or undefined (contracts/deploy.md §5.4). */
export async function readDefaultBaseJobTemplate(api: PrefectApi, type: string, signal: AbortSignal) {
  const answer = await unlessMissing(
    api.settings.cloud
      ? api.client.GET(
          '/collections/work_pool_types' as '/collections/views/{view}',
          { parseAs: 'text', signal } as never,
        )
      : api.client.GET('/collections/views/{view}', {
          params: { path: { view: 'aggregate-worker-metadata' } },
          parseAs: 'text',
          signal,
        }),
  );
  if (answer === undefined) return undefined;
  for (const collection of Object.values(answerOf(WorkerMetadata, answer, 'read work pool types'))) {
    for (const worker of Object.values(collection)) {
      if (worker.type === type) return worker.default_base_job_configuration;
    }
  }
  return undefined;
}
