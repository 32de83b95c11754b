import { describe, expect, it } from 'vitest';
import type { ChaosReport } from './chaos.ts';
import { isClean } from './report.ts';
import { roundsOf, together } from './rounds.ts';

const options = { seed: 7, runs: 1_201, replicas: 2, kills: 10, rate: 0.1 };

describe('a long run', () => {
  it('is made in rounds with seeds of their own, which have all its runs and kills between them', () => {
    const rounds = roundsOf(options);
    expect(rounds.map(({ seed, runs }) => [seed, runs])).toEqual([
      [7, 400],
      [8, 400],
      [9, 401],
    ]);
    expect(rounds.map(({ kills }) => kills)).toEqual([3, 3, 4]);
  });

  it('that is short is one round with its own seed', () => {
    expect(roundsOf({ ...options, runs: 200 })).toEqual([{ ...options, runs: 200 }]);
  });

  it('has the accounts of its rounds, and one that is wrong is not clean', () => {
    const round = (right: number, lost: string[]): ChaosReport => ({
      accounts: { right, lost, double: [], strange: [] },
      seconds: 10,
      faults: { Prefect: new Map([['lost', right]]) },
      endings: new Map([['SIGKILL → SIGKILL', 1]]),
      complaints: [],
    });
    const all = together([round(5, []), round(3, ['run x is PENDING and has no Job'])]);
    expect(all).toEqual({
      accounts: { right: 8, lost: ['run x is PENDING and has no Job'], double: [], strange: [] },
      seconds: 20,
      faults: { Prefect: new Map([['lost', 8]]) },
      endings: new Map([['SIGKILL → SIGKILL', 2]]),
      complaints: [],
    });
    expect([isClean(all), isClean(together([round(5, [])]))]).toEqual([false, true]);
  });
});
