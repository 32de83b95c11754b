import { describe, expect, it } from 'vitest';
import { shellWords } from './shell-words.ts';

describe('a command is split as a POSIX shell splits it', () => {
  it.each([
    ['prefect flow-run execute', ['prefect', 'flow-run', 'execute']],
    ["python -m 'a b'", ['python', '-m', 'a b']],
    ['a "b\\$c" \\x', ['a', 'b\\$c', 'x']],
    ['a\'\'b "" c', ['ab', '', 'c']],
    ['a "b\\"c"', ['a', 'b"c']],
    ['#x a', ['#x', 'a']],
    ['x\\\ny', ['x\ny']],
    ['"a\\nb"', ['a\\nb']],
    ['a\u000bb', ['a\u000bb']],
    ['  a\t b\n', ['a', 'b']],
    ['', []],
  ])('%j', (command, words) => {
    expect(shellWords(command)).toEqual(words);
  });

  it.each([
    ["a 'b", 'No closing quotation'],
    ['a "b', 'No closing quotation'],
    ['a \\', 'No escaped character'],
  ])('%j is refused: %s', (command, message) => {
    expect(() => shellWords(command)).toThrow(message);
  });
});
