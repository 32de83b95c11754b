import { createHash, randomBytes } from 'node:crypto';

/** Ids that are all UUID texts and must not be mixed up. */
export type FlowRunId = string & { readonly kind: 'flow run' };
/** The id of the Scheduled state under which a run was polled; the server gives it another when the run becomes Late. */
export type ScheduledStateId = string & { readonly kind: 'scheduled state' };
/**
 * The transition id of the proposal that made a run Pending: chosen by the worker that claims, kept by the server in the
 * run's states, and so the same for whoever takes the claim up; new for every reschedule, since that is claimed anew.
 */
export type ClaimId = string & { readonly kind: 'claim' };

export function flowRunId(id: string): FlowRunId {
  return id as FlowRunId;
}

export function scheduledStateId(id: string): ScheduledStateId {
  return id as ScheduledStateId;
}

export function claimId(id: string): ClaimId {
  return id as ClaimId;
}

/**
 * The end of the name of the Job for one claim of one run: ten hex digits that every replica derives alike and that
 * change with every reschedule, so that creating twice meets the first Job's name. Not from the Scheduled state that was
 * polled: between the poll and the claim the server may have replaced it (Late), and whoever takes the claim up would see
 * the other one.
 */
export function jobNameSuffix(run: FlowRunId, claim: ClaimId): string {
  return createHash('sha256').update(`${run} ${claim}`).digest('hex').slice(0, 10);
}

/** An id that sorts by when it was made (RFC 9562 §5.7), as Prefect gives to frames. */
export function uuid7(nowMs: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
