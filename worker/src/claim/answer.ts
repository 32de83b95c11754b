import type { Orchestration } from '@slipway/prefect/client';
import type { State, StateType } from '@slipway/prefect/states';
import type { ScheduledStateId } from '../ids.ts';
import { cameFromScheduled } from './reopened.ts';

/** What the server's answer to a Pending proposal means. */
export type ClaimVerdict =
  /** The run is this worker's. `recovered`: the answer to an earlier, identical proposal had been lost. */
  | { readonly kind: 'won'; readonly recovered: boolean }
  /** Accepted, but perhaps out of a state in which the run had ended: its states have to be read. */
  | { readonly kind: 'doubtful' }
  /** Somebody else has it, or it has ended, or it has to wait its turn: nothing more to do now. */
  | { readonly kind: 'lost'; readonly reason: string }
  /** Its deployment is gone: it would be polled for ever unless it is cancelled. */
  | { readonly kind: 'deployment-missing' }
  /** To be proposed again, with the same transition id. */
  | { readonly kind: 'wait'; readonly delayMs: number; readonly reason: string };

/**
 * Reads the answer to the proposal that makes a run Pending (contracts/worker.md §4.2, §4.3). A REJECT whose state
 * carries our own transition id is the second answer to a proposal that was accepted; Python's worker goes on for any
 * Pending state, ours only for its own.
 *
 * @param transitionId the id that the proposal carried.
 */
export function readClaimAnswer(answer: Orchestration, transitionId: string): ClaimVerdict {
  switch (answer.status) {
    case 'ACCEPT':
      return cameFromScheduled(answer.state) ? { kind: 'won', recovered: false } : { kind: 'doubtful' };
    case 'WAIT':
      return { kind: 'wait', delayMs: 1000 * answer.delaySeconds, reason: answer.reason };
    case 'ABORT':
      if (answer.reason === 'Deployment not found.') return { kind: 'deployment-missing' };
      return { kind: 'lost', reason: answer.reason || 'the server sent an abort signal' };
    case 'REJECT': {
      const { state } = answer;
      if (state?.type === 'PENDING' && state.state_details?.transition_id === transitionId) {
        return { kind: 'won', recovered: true };
      }
      return { kind: 'lost', reason: rejection(state?.type, state?.name ?? undefined, answer.reason) };
    }
  }
}

/**
 * What an unanswered proposal has come to, by the state the run is in now. It is repeated only for a run that is still
 * in the very state it was polled in: the server would take it out of a final state too.
 *
 * @returns undefined when the proposal is to be repeated.
 */
export function readStanding(
  state: State | undefined,
  polled: ScheduledStateId,
  transitionId: string,
): Extract<ClaimVerdict, { kind: 'won' | 'lost' }> | undefined {
  if (state?.type === 'PENDING' && state.state_details?.transition_id === transitionId) {
    return { kind: 'won', recovered: true };
  }
  if (state?.type === 'SCHEDULED' && state.id === polled) return undefined;
  if (state?.type === 'SCHEDULED') return { kind: 'lost', reason: 'it was scheduled anew, the next poll finds it' };
  return { kind: 'lost', reason: `it is ${state?.name ?? state?.type ?? 'without a state'} by now` };
}

function rejection(type: StateType | undefined, name: string | undefined, reason: string): string {
  const state = name ?? type ?? 'another state';
  const because = reason === '' ? '' : `: ${reason}`;
  return type === 'PENDING' ? `another worker made it Pending${because}` : `the server put it into ${state}${because}`;
}
