import type { State } from '@slipway/prefect/states';
import { describe, expect, it } from 'vitest';
import { lastClaim, presentClaim } from './present-claim.ts';

const at = (second: number) => `2026-11-24T12:00:${String(second).padStart(2, '0')}Z`;
const states = (...names: string[]): State[] =>
  names.map((name, index) => ({
    id: `s${index}`,
    name,
    type:
      ({ Scheduled: 'SCHEDULED', AwaitingRetry: 'SCHEDULED', Running: 'RUNNING', Crashed: 'CRASHED' } as const)[name] ??
      'PENDING',
    timestamp: at(index),
    state_details: { transition_id: `t${index}` },
  }));

describe('the claim that a run is under', () => {
  it.each([
    [['Scheduled', 'Pending'], 's0', 1],
    [['Scheduled', 'Pending', 'Submitting', 'InfrastructurePending'], 's0', 1],
    [['Scheduled', 'Pending', 'Running', 'AwaitingRetry', 'Pending'], 's3', 4],
    [['Scheduled', 'Pending', 'Crashed', 'Scheduled', 'Pending', 'Submitting'], 's3', 4],
  ])('%j', (names, scheduledState, second) => {
    const since = Date.parse(at(second));
    expect(presentClaim(states(...names))).toEqual({ scheduledState, claimId: `t${second}`, since });
  });

  it('is the same whether or not the run became Late between the poll and the claim', () => {
    const [first, late, pending] = states('Scheduled', 'AwaitingRetry', 'Pending');
    const seen = [
      [first, pending],
      [late, pending],
      [first, late, pending],
    ].map((all) => {
      return presentClaim(all.filter((state) => state !== undefined))?.claimId;
    });
    expect(new Set(seen)).toEqual(new Set(['t2']));
  });

  it('of another kind of worker, which proposes without a transition id, is its Pending state', () => {
    const others = states('Scheduled', 'Pending').map(({ state_details: _, ...state }) => state);
    expect(presentClaim(others)?.claimId).toBe('s1');
  });

  it('is still known when the run is Pending no more', () => {
    expect(lastClaim(states('Scheduled', 'Pending', 'Running'))?.claimId).toBe('t1');
  });

  it.each([[[]], [['Scheduled']], [['Scheduled', 'Pending', 'Running']], [['Pending']]])('none: %j', (names) => {
    expect(presentClaim(states(...names))).toBeUndefined();
  });
});
