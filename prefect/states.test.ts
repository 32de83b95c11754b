import { describe, expect, it } from 'vitest';
import { inOrder, type State } from './states.ts';

/** States by name, in the order in which the server lists them; each a second later than the one before. */
const states = (names: readonly string[]): State[] =>
  names.map((name, second) => ({
    id: `${name}-${second}`,
    name,
    type:
      ({ Pending: 'PENDING', Running: 'RUNNING', Crashed: 'CRASHED', Cancelled: 'CANCELLED' } as const)[name] ??
      'SCHEDULED',
    timestamp: `2026-11-26T19:00:0${second}.5Z`,
  }));

describe('the states of a run, in order', () => {
  it.each([
    ['the usual way', ['Scheduled', 'Late', 'Pending', 'Running'], ['Scheduled', 'Late', 'Pending', 'Running']],
    ['a claim that overtook a Late', ['Scheduled', 'Pending', 'Late'], ['Scheduled', 'Late', 'Pending']],
    [
      'a claim that overtook a Late, and what came of it',
      ['Scheduled', 'Pending', 'Late', 'Running', 'Crashed'],
      ['Scheduled', 'Late', 'Pending', 'Running', 'Crashed'],
    ],
    [
      'a run that was handed back and became late then',
      ['Scheduled', 'Pending', 'Scheduled', 'Late', 'Pending'],
      ['Scheduled', 'Pending', 'Scheduled', 'Late', 'Pending'],
    ],
    [
      'a second claim that overtook a Late',
      ['Scheduled', 'Pending', 'AwaitingRetry', 'Pending', 'Late'],
      ['Scheduled', 'Pending', 'AwaitingRetry', 'Late', 'Pending'],
    ],
    ['a Late alone', ['Late'], ['Late']],
    ['none', [], []],
  ])('%s', (_about, listed, ordered) => {
    expect(inOrder(states(listed)).map(({ name }) => name)).toEqual(ordered);
  });

  it('go by their times, however they are listed', () => {
    const all = states(['Scheduled', 'Pending', 'Running']);
    expect(inOrder(all.toReversed())).toEqual(all);
  });
});
