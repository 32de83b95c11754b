import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { problemsOf } from '../problem.ts';
import { readFlow } from './index.ts';
import { memoryFiles } from './memory-files.ts';

const FOLDER = join(import.meta.dirname, 'fixtures', 'signatures');
const PIECES = [
  '(',
  ')',
  '[',
  ']',
  '{',
  ':',
  ',',
  '=',
  '"',
  "'''",
  '\n',
  '    ',
  '\\',
  '@',
  '*',
  'lambda ',
  'class ',
  'import ',
  '\0',
  'é',
];

/** Numbers in [0, 1) that are the same in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
}

function mutated(text: string, random: () => number): string {
  const at = Math.floor(random() * text.length);
  const kind = random();
  if (kind < 0.4) return text.slice(0, at) + (PIECES[Math.floor(random() * PIECES.length)] ?? '') + text.slice(at);
  if (kind < 0.7) return text.slice(0, at) + text.slice(at + 1 + Math.floor(random() * 8));
  const from = Math.floor(random() * text.length);
  return text.slice(0, at) + text.slice(from, from + Math.floor(random() * 200)) + text.slice(at);
}

describe('a mutated Python file', () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.py'));

  it.each(files)('%s gives a flow or a located problem, and neither crashes nor hangs', async (name) => {
    const text = readFileSync(join(FOLDER, name), 'utf8');
    const names = text
      .split('\n')
      .flatMap((line) => (line.startsWith('def ') ? [line.slice(4, line.indexOf('('))] : []));
    const random = seeded(name.length);
    for (let round = 0; round < 15; round += 1) {
      const flow = names[Math.floor(random() * names.length)] ?? 'f';
      const broken = mutated(mutated(text, random), random);
      const where = { file: 'prefect.yaml', line: 1, column: 1 };
      const read = readFlow(`f.py:${flow}`, { directory: '/r', files: memoryFiles({ '/r/f.py': broken }), where });
      const found = await read.then(
        (value) => [value.name],
        (error: unknown) => problemsOf(error)?.map((problem) => problem.where?.file),
      );
      expect(found, broken).toEqual([expect.any(String)]);
    }
  });
});
