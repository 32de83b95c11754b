import { createHash } from 'node:crypto';

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
