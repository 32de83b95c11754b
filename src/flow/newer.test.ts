import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, type Json, type JsonObject, parseJson } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import { readFlow } from './index.ts';
import { memoryFiles } from './memory-files.ts';

/**
 * Flows in the syntax of Pythons that the locked Prefect does not run on. What they must come to is what the real Prefect
 * says of files that say the same as Python 3.11 has to write it: fixtures/README.md.
 */
const FOLDER = join(import.meta.dirname, 'fixtures', 'newer');
const texts = Object.fromEntries(
  readdirSync(FOLDER)
    .filter((name) => name.endsWith('.py'))
    .map((name) => [`/r/${name}`, readFileSync(join(FOLDER, name), 'utf8')]),
);
const flows = mapping(mapping(parseJson(readFileSync(join(FOLDER, 'goldens.json'), 'utf8'))).flows);
const cases = Object.entries(flows).map(([entrypoint, golden]) => ({ entrypoint, golden: mapping(golden) }));

/** Flows of which the source does not say everything, and why. */
const NOT_EXACT: Readonly<Record<string, string>> = {
  'aliases.py:generic_alias': 'a generic alias makes a type of its own for each argument',
  'generics.py:made': 'a generic dataclass makes a type of its own for each argument',
  'generics.py:typed': 'a generic TypedDict makes a type of its own for each argument',
};

function mapping(value: Json | undefined): JsonObject {
  if (value === undefined || !isJsonObject(value)) throw new Error('not a mapping');
  return value;
}

function plain(value: Json | undefined): unknown {
  return JSON.parse(JSON.stringify(value ?? null));
}

describe('flows in the syntax of newer Pythons', () => {
  it.each(cases)('$entrypoint is what Prefect makes of it, or told to be inexact', async ({ entrypoint, golden }) => {
    const flow = await readFlow(entrypoint, { directory: '/r', files: memoryFiles(texts) });
    expect({ name: flow.name, description: flow.description ?? null }).toEqual({
      name: golden.name,
      description: golden.description,
    });
    if (NOT_EXACT[entrypoint] === undefined) {
      expect({ ...flow.parameters, schema: plain(flow.parameters.schema) }).toEqual({
        kind: 'exact',
        schema: plain(golden.schema),
      });
      return;
    }
    expect(flow.parameters.kind).toBe('approximate');
    const { definitions: _, ...ours } = flow.parameters.schema;
    expect(plain(golden.schema)).toMatchObject(plain(ours) as object);
  });
});
