import { describe, expect, it } from 'vitest';
import { balance, type JobAccount, type RunAccount } from './accounts.ts';

const run = (state: RunAccount['state']): RunAccount => ({ id: 'r', state });
const job = (name: string, flowRunId = 'r'): JobAccount => ({ name, flowRunId });

describe('the accounts of a run', () => {
  it.each<[string, RunAccount, JobAccount[], 'right' | 'lost' | 'double' | 'strange']>([
    ['that is Pending and has one Job are right', run('PENDING'), [job('a')], 'right'],
    ['that is Pending without a Job say that it is lost', run('PENDING'), [], 'lost'],
    ['that is still Scheduled say that it is lost', run('SCHEDULED'), [], 'lost'],
    ['that crashed without a Job say that it is lost', run('CRASHED'), [], 'lost'],
    ['with two Jobs say that it is double', run('PENDING'), [job('a'), job('b')], 'double'],
    ['that is Scheduled although it has a Job say that it will be double', run('SCHEDULED'), [job('a')], 'double'],
    ['that ended although no pod ran are strange', run('CRASHED'), [job('a')], 'strange'],
  ])('%s', (_, one, jobs, where) => {
    const { right, ...others } = balance([one], jobs);
    const count = { right, lost: others.lost.length, double: others.double.length, strange: others.strange.length };
    expect(count).toEqual({ right: 0, lost: 0, double: 0, strange: 0, [where]: 1 });
  });

  it('do not hide a Job of another run', () => {
    expect(balance([run('PENDING')], [job('a'), job('b', 'x')]).strange).toEqual(['Job b is of no run']);
  });
});
