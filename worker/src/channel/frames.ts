/**
 * The frames of Prefect's worker channel, `work_pool_worker_channel.v1` (contracts/worker.md §3.5; Prefect's
 * client/schemas/worker_channel.py). Strict as there: a frame with a key that is not known is no frame of this version.
 */
import { WorkPoolRecord } from '@slipway/prefect/client';
import { isJsonObject, type JsonObject, parseJson } from '@slipway/prefect/json';
import * as z from 'zod';
import { uuid7 } from '../ids.ts';

export const CHANNEL_VERSION = 'work_pool_worker_channel.v1';
export const CLEANUP_DELIVERY = 'cleanup_delivery.v1';
export const TEARDOWN = 'cancelling_timeout_teardown.v1';
const REQUIRED = ['worker_heartbeat.v1', 'work_pool_snapshot.v1'] as const;

/** A moment of the server's clock, in milliseconds. */
const moment = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const id = z.guid();
const positive = z.int().positive();
const word = z.string().min(1);
const envelope = { id, sent_at: moment };

const Snapshot = z.strictObject({
  snapshot_sequence: positive,
  reason: word,
  // The server adds to what a pool is from version to version; only what is read is asked for.
  work_pool: WorkPoolRecord.extend({ base_job_template: z.custom<JsonObject>(isJsonObject), is_paused: z.boolean() }),
});
export type Snapshot = z.infer<typeof Snapshot>;

const ReadyFrame = z.strictObject({
  type: z.literal('worker.ready.v1'),
  ...envelope,
  payload: z
    .strictObject({
      consumer_id: id,
      worker_id: id.nullable(),
      selected_channel_version: z.literal(CHANNEL_VERSION),
      effective_heartbeat_interval_seconds: positive,
      accepted_capabilities: z.array(z.enum([...REQUIRED, CLEANUP_DELIVERY])),
      rejected_capabilities: z.array(word).default([]),
      effective_max_cleanup_concurrency: z.int().nonnegative().default(0),
      resolved_work_queues: z.array(z.strictObject({ id, name: word })).default([]),
      initial_snapshot: Snapshot.extend({ snapshot_sequence: z.literal(1), reason: z.literal('initial') }),
    })
    .refine(({ accepted_capabilities: accepted, rejected_capabilities: rejected }) => {
      return REQUIRED.every((each) => accepted.includes(each)) && !accepted.some((each) => rejected.includes(each));
    }, 'heartbeats and snapshots must be accepted, and nothing both accepted and rejected')
    .refine(({ accepted_capabilities: accepted, effective_max_cleanup_concurrency: most }) => {
      return accepted.includes(CLEANUP_DELIVERY) === most > 0;
    }, 'cleanup is accepted with room for it, or not at all'),
});
export type Ready = z.infer<typeof ReadyFrame>['payload'];

const SnapshotFrame = z.strictObject({ type: z.literal('work_pool.snapshot.v1'), ...envelope, payload: Snapshot });

const CleanupFrame = z.strictObject({
  type: z.literal('cleanup.message.v1'),
  ...envelope,
  payload: z.strictObject({
    message_id: id,
    kind: z.enum([TEARDOWN, 'pending_claim_teardown.v1']),
    reservation_token: word,
    lease_expires_at: moment,
    delivery_count: positive,
    work_queue_id: id.nullish(),
    target: z.looseObject({ flow_run_id: id, infrastructure_pid: z.string().nullish() }),
    data: z.record(z.string(), z.unknown()).default({}),
  }),
});
export type CleanupMessage = z.infer<typeof CleanupFrame>['payload'];

export const CleanupStatus = z.enum([
  'accepted',
  'not_current',
  'not_found',
  'expired',
  'invalid_token',
  'unauthorized',
  'dead_lettered',
  'error',
]);
export type CleanupStatus = z.infer<typeof CleanupStatus>;
export type CleanupOperation = 'ack' | 'release' | 'renew';

const OperationResultFrame = z.strictObject({
  type: z.literal('cleanup.operation_result.v1'),
  ...envelope,
  payload: z
    .strictObject({
      request_frame_id: id,
      message_id: id,
      operation: z.enum(['ack', 'release', 'renew']),
      status: CleanupStatus,
      lease_expires_at: moment.nullish(),
      reason: z.string().nullish(),
      detail: z.string().nullish(),
    })
    .refine(({ status, reason }) => status === 'accepted' || Boolean(reason), 'a refusal has a reason')
    .refine(({ status, operation, lease_expires_at: until }) => {
      return (status === 'accepted' && operation === 'renew') === (typeof until === 'number');
    }, 'a new lease comes with a renewal that was accepted, and with nothing else'),
});
export type OperationResult = z.infer<typeof OperationResultFrame>['payload'];

const ServerFrame = z.discriminatedUnion('type', [ReadyFrame, SnapshotFrame, CleanupFrame, OperationResultFrame]);
export type ServerFrame = z.infer<typeof ServerFrame>;

/** The server said something that the protocol does not know at this point. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** Reads what the server sent; numbers within a template keep their spelling. @throws ProtocolError */
export function readFrame(text: string): ServerFrame {
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (cause) {
    throw new ProtocolError('the worker channel sent what is not JSON', { cause });
  }
  const checked = ServerFrame.safeParse(json);
  if (checked.success) return checked.data;
  throw new ProtocolError(`the worker channel sent an unknown frame: ${z.prettifyError(checked.error)}`);
}

/** What a worker says of itself to begin with. */
export interface Hello {
  readonly consumerId: string;
  readonly workerName: string;
  readonly heartbeatIntervalSeconds: number;
  readonly queueNames: readonly string[];
  readonly createPool: boolean;
  /** Given to a pool that is created or has none. */
  readonly template: JsonObject;
  /** Null once it was accepted. */
  readonly metadata: JsonObject | null;
}

/** A frame to send; its id is what an answer refers to. */
export interface ClientFrame {
  readonly id: string;
  readonly text: string;
}

export function helloFrame(hello: Hello, nowMs: number): ClientFrame {
  return frame('worker.hello.v1', nowMs, {
    consumer_id: hello.consumerId,
    worker_name: hello.workerName,
    worker_type: 'kubernetes',
    heartbeat_interval_seconds: hello.heartbeatIntervalSeconds,
    supported_channel_versions: [CHANNEL_VERSION],
    requested_capabilities: [...REQUIRED, CLEANUP_DELIVERY],
    work_queue_names: [...hello.queueNames].sort(),
    handled_cleanup_kinds: [TEARDOWN],
    max_cleanup_concurrency: 1,
    create_pool_if_not_found: hello.createPool,
    default_base_job_template: hello.template,
    worker_metadata: hello.metadata,
  });
}

export function heartbeatFrame(hello: Hello, intervalSeconds: number, nowMs: number): ClientFrame {
  return frame('worker.heartbeat.v1', nowMs, {
    consumer_id: hello.consumerId,
    worker_name: hello.workerName,
    heartbeat_interval_seconds: intervalSeconds,
  });
}

/** @param reason why it is released; of no other operation. */
export function operationFrame(
  operation: CleanupOperation,
  message: Pick<CleanupMessage, 'message_id' | 'reservation_token'>,
  nowMs: number,
  reason?: string,
): ClientFrame {
  const { message_id, reservation_token } = message;
  const why = reason === undefined ? {} : { reason };
  return frame(`cleanup.${operation}.v1`, nowMs, { message_id, reservation_token, ...why });
}

function frame(type: string, nowMs: number, payload: object): ClientFrame {
  const frameId = uuid7(nowMs);
  return { id: frameId, text: JSON.stringify({ type, id: frameId, sent_at: new Date(nowMs).toISOString(), payload }) };
}
