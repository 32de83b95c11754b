import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { loadLetters } from './letters.ts';
import { isLabelValue, slugLabelKey, slugLabelValue, slugName } from './slug.ts';

const Golden = z.object({
  cases: z.array(z.object({ text: z.string(), name: z.string().nullable(), key: z.string(), value: z.string() })),
});
const { cases } = Golden.parse(JSON.parse(readFileSync(new URL('fixtures/slugs.json', import.meta.url), 'utf8')));

beforeAll(loadLetters);

describe('slugs are those of Prefect 3.8.8', () => {
  it.each(cases)('of $text', ({ text, name, key, value }) => {
    expect({ name: slugName(text) ?? null, key: slugLabelKey(text), value: slugLabelValue(text) }).toEqual({
      name,
      key,
      value,
    });
  });

  // contracts/worker.md §4.7: measured on an older Prefect, the same today.
  it.each([
    ['My Flow', 'my-flow'],
    ['my_flow', 'my-flow'],
    ['über flow', 'uber-flow'],
    ['日本', 'ri-ben'],
    ["FOO'S bar", 'foo-s-bar'],
    ['it’s', 'its'],
    ['1,000', '1000'],
    ['v1.2.3+4', 'v1-2-3-4'],
    ['x&amp;y', 'x-y'],
    ['хлеб', 'khleb'],
    ['Химия и яйцо', 'khimiia-i-iaitso'],
    ['Χημεία', 'khemeia'],
    ['東京_x', 'dong-jing-x'],
    ['???', undefined],
    [`${'x'.repeat(44)}-yz`, 'x'.repeat(44)],
    ['a'.repeat(60), 'a'.repeat(45)],
  ])('name %s → %s', (text, slug) => {
    expect(slugName(text)).toBe(slug);
  });
});

describe('a label value', () => {
  it('has a space behind every Chinese word, as in Prefect', () => {
    expect(slugLabelValue('東京_x')).toBe('Dong-Jing-_x');
  });
});

describe('what Kubernetes takes', () => {
  it.each([
    ['', true],
    ['a', true],
    ['a_b.c-d', true],
    ['-a', false],
    ['a.', false],
    ['???', false],
    ['x'.repeat(63), true],
    ['x'.repeat(64), false],
  ])('as a label value: "%s" %s', (text, valid) => {
    expect(isLabelValue(text)).toBe(valid);
  });
});
