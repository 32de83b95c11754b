import type { Orchestration } from '@slipway/prefect/client';
import type { State } from '@slipway/prefect/states';
import { describe, expect, it } from 'vitest';
import { scheduledStateId } from '../ids.ts';
import { readClaimAnswer, readStanding } from './answer.ts';

const state = (type: State['type'], name: string, transition_id: string | null = null): State => ({
  id: 's',
  type,
  name,
  state_details: { transition_id },
});
const scheduled: State = { ...state('PENDING', 'Pending'), state_details: { scheduled_time: '2026-11-24T12:00:00Z' } };
const reject = (rejected: State | undefined, reason = 'why'): Orchestration => ({
  status: 'REJECT',
  state: rejected,
  reason,
});

describe('the answer to a claim (contracts/worker.md §4.2, §4.3)', () => {
  it.each<[string, Orchestration, object]>([
    ['ACCEPT of a Scheduled run', { status: 'ACCEPT', state: scheduled }, { kind: 'won', recovered: false }],
    ['ACCEPT of who knows what', { status: 'ACCEPT', state: state('PENDING', 'Pending') }, { kind: 'doubtful' }],
    ['REJECT, our own transition', reject(state('PENDING', 'Pending', 'ours')), { kind: 'won', recovered: true }],
    [
      'REJECT, another worker’s transition',
      reject(state('PENDING', 'Pending', 'theirs')),
      { kind: 'lost', reason: 'another worker made it Pending: why' },
    ],
    [
      'REJECT, no slot',
      reject(state('SCHEDULED', 'AwaitingConcurrencySlot')),
      { kind: 'lost', reason: 'the server put it into AwaitingConcurrencySlot: why' },
    ],
    [
      'REJECT, cancelled',
      reject(state('CANCELLED', 'Cancelled')),
      { kind: 'lost', reason: 'the server put it into Cancelled: why' },
    ],
    [
      'REJECT, cancelling',
      reject(state('CANCELLING', 'Cancelling')),
      { kind: 'lost', reason: 'the server put it into Cancelling: why' },
    ],
    [
      'REJECT, paused',
      reject(state('PAUSED', 'Paused')),
      { kind: 'lost', reason: 'the server put it into Paused: why' },
    ],
    ['REJECT without a state', reject(undefined, ''), { kind: 'lost', reason: 'the server put it into another state' }],
    [
      'ABORT, somebody else has it',
      { status: 'ABORT', reason: 'This run is in a PENDING state and cannot transition to a PENDING state.' },
      { kind: 'lost', reason: 'This run is in a PENDING state and cannot transition to a PENDING state.' },
    ],
    ['ABORT, no deployment', { status: 'ABORT', reason: 'Deployment not found.' }, { kind: 'deployment-missing' }],
    ['ABORT without a reason', { status: 'ABORT', reason: '' }, { kind: 'lost' }],
    ['WAIT', { status: 'WAIT', reason: 'r', delaySeconds: 2 }, { kind: 'wait', delayMs: 2_000, reason: 'r' }],
  ])('%s', (_about, answer, verdict) => {
    expect(readClaimAnswer(answer, 'ours')).toMatchObject(verdict);
  });
});

describe('an unanswered claim', () => {
  it.each<[string, State | undefined, object | undefined]>([
    ['is repeated while the run is as it was polled', state('SCHEDULED', 'Scheduled'), undefined],
    ['was accepted when the run is Pending by it', state('PENDING', 'Pending', 'ours'), { kind: 'won' }],
    [
      'is lost when another worker has it',
      state('PENDING', 'Pending', 'theirs'),
      { kind: 'lost', reason: 'it is Pending by now' },
    ],
    [
      'is lost when the run has ended',
      state('COMPLETED', 'Completed'),
      { kind: 'lost', reason: 'it is Completed by now' },
    ],
    ['is lost when the run was scheduled anew', { ...state('SCHEDULED', 'Late'), id: 'later' }, { kind: 'lost' }],
    ['is lost when the run has no state', undefined, { kind: 'lost', reason: 'it is without a state by now' }],
  ])('%s', (_about, now, verdict) => {
    const standing = readStanding(now, scheduledStateId('s'), 'ours');
    if (verdict === undefined) expect(standing).toBeUndefined();
    else expect(standing).toMatchObject(verdict);
  });
});
