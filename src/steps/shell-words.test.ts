import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fillVariables, splitLines, strip } from './script-text.ts';
import { splitWords, UnfinishedWord } from './shell-words.ts';

interface Case {
  text: string;
  filled: string;
  lines: string[];
  words?: string[];
  error?: string;
}
const cases: Case[] = JSON.parse(readFileSync(new URL('./fixtures/shell-words.json', import.meta.url), 'utf8'));
const ENV = { A: "value 'of' A", x: '', _1: '1' };

describe('a command line, against Python 3.11', () => {
  it.each(cases)('$text', ({ text, filled, lines, words, error }) => {
    expect(fillVariables(text, ENV)).toBe(filled);
    expect(splitLines(text)).toEqual(lines);
    if (words !== undefined) expect(splitWords(text)).toEqual(words);
    else expect(() => splitWords(text)).toThrow(new UnfinishedWord(error));
  });
});

describe('splitting lines', () => {
  it.each([
    ['', []],
    ['a', ['a']],
    ['a\n', ['a']],
    ['a\n\nb', ['a', '', 'b']],
    ['a\r\nb\rc', ['a', 'b', 'c']],
    ['a\vb\fc\x1cd\x1de\x1ef\x85g\u2028h\u2029i', ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']],
    ['a\x1fb', ['a\x1fb']],
  ])('%j gives %j', (text, lines) => {
    expect(splitLines(text)).toEqual(lines);
  });
});

describe('stripping', () => {
  it.each([
    [' a b\n', 'a b'],
    ['\x1c\x85a\xa0', 'a'],
    ['\ufeffa', '\ufeffa'],
  ])('%j gives %j', (text, stripped) => {
    expect(strip(text)).toBe(stripped);
  });
});
