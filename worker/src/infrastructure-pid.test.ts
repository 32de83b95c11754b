import { expect, it } from 'vitest';
import { pidOf, readPid } from './infrastructure-pid.ts';

it.each([
  ['flows:job', { namespace: 'flows', name: 'job' }],
  ['job', undefined],
  ['a:b:c', undefined],
  [':job', undefined],
  ['flows:', undefined],
  ['', undefined],
  [null, undefined],
])('the pid %j names %j', (pid, place) => {
  expect(readPid(pid)).toEqual(place);
});

it('is read as it was written', () => {
  expect(readPid(pidOf({ namespace: 'flows', name: 'job' }))).toEqual({ namespace: 'flows', name: 'job' });
});
