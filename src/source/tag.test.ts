import { describe, expect, it } from 'vitest';
import { isTag } from './tag.ts';

describe('isTag', () => {
  it.each(['latest', 'a'.repeat(128), '_x', '3.8-python3.11', 'f3d46caf', 'A.b_c-d'])('takes %s', (tag) => {
    expect(isTag(tag)).toBe(true);
  });
  it.each(['', '.x', '-x', 'a'.repeat(129), 'a b', 'feat/x', 'a+b', 'a:b', 'é', 'a\n'])('refuses %j', (tag) => {
    expect(isTag(tag)).toBe(false);
  });
});
