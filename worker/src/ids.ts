import { createHash, randomBytes } from 'node:crypto';

/** Ids that are all UUID texts and must not be mixed up. */
export type FlowRunId = string & { readonly kind: 'flow run' };
/** The id of the Scheduled state under which a run was polled: new for every reschedule, the same on every replica. */
export type ScheduledStateId = string & { readonly kind: 'scheduled state' };

export function flowRunId(id: string): FlowRunId {
  return id as FlowRunId;
}

export function scheduledStateId(id: string): ScheduledStateId {
  return id as ScheduledStateId;
}

/**
 * The end of the name of the Job for one scheduling of one run: ten hex digits that every replica derives alike and that
 * change with every reschedule, so that creating twice meets the first Job's name (design.md, "Interface of the worker").
 */
export function jobNameSuffix(run: FlowRunId, scheduledState: ScheduledStateId): string {
  return createHash('sha256').update(`${run} ${scheduledState}`).digest('hex').slice(0, 10);
}

/** An id that sorts by when it was made (RFC 9562 §5.7), as Prefect gives to frames. */
export function uuid7(nowMs: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
