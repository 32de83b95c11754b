import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { conformanceRows, type Row, type TestReference } from './conformance-table.ts';
import { type TitlePath, testTitles } from './test-titles.ts';

const root = resolve(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/conformance.md'), 'utf8');
const read = new Map<string, readonly TitlePath[]>();

/** What is wrong with naming this test, or undefined. */
function complaint({ file, titles }: TestReference): string | undefined {
  const path = join(root, file);
  if (!existsSync(path)) return `there is no ${file}`;
  const known = read.get(path) ?? testTitles(path);
  read.set(path, known);
  const matching = known.filter((one) => titles.every((title, at) => one[one.length - titles.length + at] === title));
  if (matching.length === 1) return undefined;
  return `${file} has ${matching.length === 0 ? 'no test' : `${matching.length} tests`} called ${titles.join(' › ')}`;
}

function complaints(rows: readonly Row[]): string[] {
  return rows.flatMap(({ number, shown }) =>
    shown.kind === 'nothing'
      ? []
      : shown.tests.flatMap((test) => {
          const wrong = complaint(test);
          return wrong === undefined ? [] : [`check ${number}: ${wrong}`];
        }),
  );
}

describe.each([
  { heading: '## prefect deploy', first: 1, last: 50 },
  { heading: '## The worker', first: 1, last: 78 },
])('docs/conformance.md, $heading', ({ heading, first, last }) => {
  const rows = conformanceRows(page, heading);

  it('has every check once, in order', () => {
    const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    expect(rows.map(({ number }) => number)).toEqual(numbers);
  });

  it('names only tests that exist, each one alone', () => {
    expect(complaints(rows)).toEqual([]);
  });
});
