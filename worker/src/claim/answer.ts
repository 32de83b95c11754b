import type { Orchestration } from '@slipway/prefect/client';
import type { StateType } from '@slipway/prefect/states';

/** What the server's answer to a Pending proposal means. */
export type ClaimVerdict =
  /** The run is this worker's. `recovered`: the answer to an earlier, identical proposal had been lost. */
  | { readonly kind: 'won'; readonly recovered: boolean }
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
      return { kind: 'won', recovered: false };
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

function rejection(type: StateType | undefined, name: string | undefined, reason: string): string {
  const state = name ?? type ?? 'another state';
  const because = reason === '' ? '' : `: ${reason}`;
  return type === 'PENDING' ? `another worker made it Pending${because}` : `the server put it into ${state}${because}`;
}
