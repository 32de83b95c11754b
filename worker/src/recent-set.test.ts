import { expect, it } from 'vitest';
import { RecentSet } from './recent-set.ts';

it('forgets what was added longest ago', () => {
  const set = new RecentSet<string>(2);
  for (const value of ['a', 'b', 'a', 'c']) set.add(value);
  expect(['a', 'b', 'c'].filter((value) => set.has(value))).toEqual(['a', 'c']);
  set.delete('a');
  expect(set.has('a')).toBe(false);
});
