import type { Json } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import { difference, NONE } from './difference.ts';
import { diffLine } from './plan-text.ts';

const asIs = (text: string) => text;
const long = (length: number) => 'x'.repeat(length);

function values(before: Json | undefined, after: Json | undefined, redact = asIs): [string, string] {
  const shown = difference({ before, after }, redact);
  if (shown.kind !== 'values') throw new Error('shown as lines');
  return [shown.before, shown.after];
}

function lines(before: Json | undefined, after: Json | undefined, redact = asIs): string[] {
  const shown = difference({ before, after }, redact);
  if (shown.kind !== 'lines') throw new Error('shown as values');
  return shown.lines.map((line) => diffLine(line));
}

describe('two values', () => {
  it.each<[string, Json | undefined, Json | undefined, [string, string]]>([
    ['that are short are shown whole', ['x'], { a: 1 }, ['["x"]', '{"a":1}']],
    ['of which one is not there say so', undefined, 'a', [NONE, '"a"']],
    [
      'that differ far inside show the part around it',
      `${long(200)} tag:old ${long(200)}`,
      `${long(200)} tag:new ${long(200)}`,
      [`…${long(25)} tag:old ${long(19)}…`, `…${long(25)} tag:new ${long(19)}…`],
    ],
    ['that differ at the end show the end', `${long(200)}1`, `${long(200)}22`, [`…${long(30)}1"`, `…${long(30)}22"`]],
    ['of which one begins like the other', long(200), `${long(200)}y`, [`…${long(30)}"`, `…${long(30)}y"`]],
    ['that are long and new are cut', undefined, long(300), [NONE, `"${long(99)}… (302 characters)`]],
    ['never end amid a sign', undefined, `${long(98)}😀${long(100)}`, [NONE, `"${long(98)}… (202 characters)`]],
    ['with signs nobody sees spell them', 'a\u202eb', 'a\u200bb', ['"a\\u{202e}b"', '"a\\u{200b}b"']],
  ])('%s', (_name, before, after, expected) => {
    expect(values(before, after)).toEqual(expected);
  });

  it.each<[string, Json | undefined, Json | undefined, string[]]>([
    [
      'of several lines show the lines that differ, and two around them',
      '1\n2\n3\n4\n5\n6\n7\n8',
      '1\n2\n3\n4\nfive\n6\n7\n8',
      ['  (2 lines the same)', '  3', '  4', '- 5', '+ five', '  6', '  7', '  8'],
    ],
    ['of which one has no lines', null, 'a\nb', ['+ a', '+ b']],
    ['that differ in line ends show those', 'a\r\nb', 'a\nb', ['- a\\r', '+ a', '  b']],
    ['that differ in the last line end alone', 'a\nb', 'a\nb\n', ['  a', '  b', '+']],
    [
      'that are long lists show the items that differ',
      Array.from({ length: 60 }, (_, index) => `item ${index}`),
      Array.from({ length: 60 }, (_, index) => `item ${index === 30 ? 'thirty' : index}`),
      [
        '  (28 lines the same)',
        '  "item 28"',
        '  "item 29"',
        '- "item 30"',
        '+ "item thirty"',
        '  "item 31"',
        '  "item 32"',
        '  (27 lines the same)',
      ],
    ],
  ])('%s', (_name, before, after, expected) => {
    expect(lines(before, after)).toEqual(expected);
  });

  it('that differ in very many lines end with how many more there are', () => {
    const text = (word: string) => Array.from({ length: 3_000 }, (_, index) => `${word} ${index}`).join('\n');
    const shown = lines(text('old'), text('new'));
    expect(shown).toHaveLength(41);
    expect(shown.at(-1)).toBe('  (and 2960 lines removed, 3000 added)');
  });
});

describe('a secret', () => {
  const secret = 'hunter2-hunter2';
  const redact = (text: string) => text.replaceAll(secret, '***');

  it.each<[string, Json | undefined, Json | undefined]>([
    ['where a value is cut', undefined, `${long(95)}${secret}${long(100)}`],
    ['where the difference lies inside it', `${long(150)}hunter2-other`, `${long(150)}${secret}`],
    ['at the edge of what is shown', `${long(150)}${secret}${long(23)}a`, `${long(150)}${secret}${long(23)}b`],
    ['in one of several lines', 'a\nb', `a\n${secret}`],
    ['in one item of a list', ['a'], [long(300), secret]],
  ])('leaves no part of itself %s', (_name, before, after) => {
    const shown = JSON.stringify(difference({ before, after }, redact));
    expect(shown).not.toMatch(/hunter2(?!-other)/);
  });

  it('that takes the place of another is still a change', () => {
    const both = (text: string) => text.replaceAll(/one|two/g, '***');
    expect(values('one', 'two', both)).toEqual(['"***"', '"***" (another value)']);
  });
});
