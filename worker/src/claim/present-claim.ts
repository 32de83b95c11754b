import type { State } from '@slipway/prefect/states';
import { type ClaimId, claimId, type ScheduledStateId, scheduledStateId } from '../ids.ts';

/** The claim that made a run Pending, as its states show it. */
export interface PresentClaim {
  readonly scheduledState: ScheduledStateId;
  /** Of another kind of worker, which may propose without: the id of its Pending state. */
  readonly claimId: ClaimId;
  /** When it became Pending, in milliseconds since the epoch. */
  readonly since: number;
}

/**
 * Finds the claim that a Pending run is under: the last Scheduled state and the first Pending one after it; later ones
 * (Submitting, InfrastructurePending) are of the same claim.
 *
 * @param states all states the run has been in, oldest first.
 * @returns undefined when the run is not Pending, or was never scheduled.
 */
export function presentClaim(states: readonly State[]): PresentClaim | undefined {
  return states.at(-1)?.type === 'PENDING' ? lastClaim(states) : undefined;
}

/** The last claim of a run, whatever became of it. @returns undefined when there was none since it was last scheduled. */
export function lastClaim(states: readonly State[]): PresentClaim | undefined {
  const at = states.findLastIndex((state) => state.type === 'SCHEDULED');
  const scheduled = states[at];
  const pending = states.slice(at + 1).find((state) => state.type === 'PENDING');
  if (scheduled === undefined || pending === undefined) return undefined;
  return {
    scheduledState: scheduledStateId(scheduled.id),
    claimId: claimId(pending.state_details?.transition_id ?? pending.id),
    since: Date.parse(pending.timestamp ?? '') || 0,
  };
}
