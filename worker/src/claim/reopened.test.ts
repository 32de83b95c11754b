import type { State } from '@slipway/prefect/states';
import { describe, expect, it } from 'vitest';
import { cameFromScheduled, restoring, undoneState } from './reopened.ts';

const states = (...types: State['type'][]): State[] =>
  types.map((type, index) => ({ id: `s${index}`, type, name: type }));

describe('the final state that a claim has undone', () => {
  it.each<[State['type'][], string]>([
    [['SCHEDULED', 'PENDING', 'RUNNING', 'COMPLETED', 'PENDING'], 's3'],
    [['SCHEDULED', 'PENDING', 'RUNNING', 'FAILED', 'PENDING', 'PENDING'], 's3'],
    [['SCHEDULED', 'CRASHED', 'PENDING'], 's1'],
    [['SCHEDULED', 'PENDING', 'PENDING', 'RUNNING', 'COMPLETED'], 's4'],
  ])('%j', (types, id) => {
    expect(undoneState(states(...types))?.id).toBe(id);
  });

  it.each<[State['type'][]]>([
    [['SCHEDULED', 'PENDING']],
    [['SCHEDULED', 'PENDING', 'RUNNING', 'COMPLETED', 'SCHEDULED', 'PENDING']],
    [['SCHEDULED', 'CRASHED', 'SCHEDULED', 'PENDING', 'PENDING']],
    [['PENDING']],
    [[]],
  ])('none: %j', (types) => {
    expect(undoneState(states(...types))).toBeUndefined();
  });
});

it('a Pending state carries a scheduled time only out of a Scheduled one', () => {
  const pending = (scheduled_time: string | null): State => ({
    id: 's',
    type: 'PENDING',
    name: 'Pending',
    state_details: { scheduled_time },
  });
  expect(cameFromScheduled(pending('2026-11-24T12:00:00Z'))).toBe(true);
  expect(cameFromScheduled(pending(null))).toBe(false);
  expect(cameFromScheduled(undefined)).toBe(false);
});

it('a final state is restored with its name, message and data', () => {
  const ended: State = { id: 's', type: 'COMPLETED', name: 'Cached', message: 'm', data: { type: 'unpersisted' } };
  expect(restoring(ended, 't')).toEqual({
    type: 'COMPLETED',
    name: 'Cached',
    message: 'm',
    data: { type: 'unpersisted' },
    transitionId: 't',
  });
  expect(restoring({ id: 's', type: 'FAILED', name: null, message: null }, 't')).toEqual({
    type: 'FAILED',
    transitionId: 't',
  });
});
