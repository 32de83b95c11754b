import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { mutatePython } from './python-mutations.ts';
import { Random } from './random.ts';
import { mutateYaml } from './yaml-mutations.ts';

/** One mutated file; its seed alone makes it again. */
export type Case =
  | { readonly kind: 'yaml'; readonly seed: number; readonly text: string }
  | { readonly kind: 'python'; readonly seed: number; readonly text: string; readonly flow: string };

const ROOT = resolve(import.meta.dirname, '../..');

function texts(folder: string, ending: string): string[] {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => readFileSync(join(ROOT, folder, name), 'utf8'));
}

const yamlTexts = [...texts('test/fuzz/fixtures', '.yaml'), ...texts('examples', 'prefect.yaml')];
const pythonTexts = [
  ...texts('test/fuzz/fixtures', '.py'),
  ...texts('src/flow/fixtures', '.py'),
  ...texts('examples', '.py'),
];

export function yamlCase(seed: number): Case {
  const random = new Random(seed);
  return { kind: 'yaml', seed, text: mutateYaml(random.pick(yamlTexts), random) };
}

export function pythonCase(seed: number): Case {
  const random = new Random(seed);
  const text = random.pick(pythonTexts);
  const functions = [...text.matchAll(/^(?:async )?def (\w+)/gm)].map((found) => found[1] ?? '');
  const flow = functions.length === 0 ? 'main' : random.pick(functions);
  return { kind: 'python', seed, text: mutatePython(text, random), flow };
}

/** As many cases of a kind as asked for, with seeds that follow one another. */
export function makeCases(make: (seed: number) => Case, seed: number, count: number): Case[] {
  return Array.from({ length: count }, (_, index) => make(seed + index));
}
