import type { State } from '@slipway/prefect/states';
import { describe, expect, it } from 'vitest';
import { presentClaim } from './present-claim.ts';

const at = (second: number) => `2026-11-24T12:00:${String(second).padStart(2, '0')}Z`;
const states = (...names: string[]): State[] =>
  names.map((name, index) => ({
    id: `s${index}`,
    name,
    type:
      ({ Scheduled: 'SCHEDULED', AwaitingRetry: 'SCHEDULED', Running: 'RUNNING', Crashed: 'CRASHED' } as const)[name] ??
      'PENDING',
    timestamp: at(index),
  }));

describe('the claim that a run is under', () => {
  it.each([
    [['Scheduled', 'Pending'], 's0', 1],
    [['Scheduled', 'Pending', 'Submitting', 'InfrastructurePending'], 's0', 1],
    [['Scheduled', 'Pending', 'Running', 'AwaitingRetry', 'Pending'], 's3', 4],
    [['Scheduled', 'Pending', 'Crashed', 'Scheduled', 'Pending', 'Submitting'], 's3', 4],
  ])('%j', (names, scheduledState, second) => {
    expect(presentClaim(states(...names))).toEqual({ scheduledState, since: Date.parse(at(second)) });
  });

  it.each([[[]], [['Scheduled']], [['Scheduled', 'Pending', 'Running']], [['Pending']]])('none: %j', (names) => {
    expect(presentClaim(states(...names))).toBeUndefined();
  });
});
