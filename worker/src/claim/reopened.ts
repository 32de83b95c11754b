/**
 * Runs that a late claim has opened again.
 *
 * The server makes a run Pending out of any final state but Cancelled (contracts/worker.md §4.3, rule 3): the rule
 * against double submission knows only Pending, Running and cancelled runs. So a proposal that arrives late, because an
 * earlier try was lost or answered 503 while another replica claimed the run and the run finished, is accepted and leaves
 * a finished run Pending for ever. Such a claim is told by what the server copies into a Pending state that comes out of
 * a Scheduled one, and by nothing else: the time it was scheduled for (Prefect's CopyScheduledTime).
 */
import type { StateProposal } from '@slipway/prefect/client';
import { isFinal, type State } from '@slipway/prefect/states';

/** True when the Pending state that the server gave comes out of a Scheduled one for certain. */
export function cameFromScheduled(pending: State | undefined): boolean {
  return typeof pending?.state_details?.scheduled_time === 'string';
}

/**
 * The final state that a claim has undone. The server dates a state when the proposal arrives and may take seconds to
 * decide on it, so the claim can stand before what it has undone: its place in the list says nothing.
 *
 * @param states all states of a run that is Pending, oldest first.
 * @returns undefined when the run was scheduled after it had last ended.
 */
export function undoneState(states: readonly State[]): State | undefined {
  const ended = states.findLastIndex((state) => isFinal(state.type));
  const scheduled = states.findLastIndex((state) => state.type === 'SCHEDULED');
  return ended > scheduled ? states[ended] : undefined;
}

/** The proposal that puts a run back into the final state it was in. */
export function restoring(ended: State, transitionId: string): StateProposal {
  return {
    type: ended.type,
    transitionId,
    ...(ended.name === null ? {} : { name: ended.name }),
    ...(typeof ended.message === 'string' ? { message: ended.message } : {}),
    ...(ended.data === undefined || ended.data === null ? {} : { data: ended.data }),
  };
}
