import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, type Json, type JsonObject, parseJson } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import { readFlow } from './index.ts';
import { memoryFiles } from './memory-files.ts';
import { PythonSources } from './sources.ts';

/** Flows as data teams write them, and what the real Prefect says of each: fixtures/README.md. */
const FOLDER = join(import.meta.dirname, 'fixtures', 'teams');

function mapping(value: Json | undefined): JsonObject {
  if (value === undefined || !isJsonObject(value)) throw new Error('not a mapping');
  return value;
}

const flows = mapping(mapping(parseJson(readFileSync(join(FOLDER, 'goldens.json'), 'utf8'))).flows);
const texts: Record<string, string> = {};
for (const entry of readdirSync(FOLDER, { recursive: true, withFileTypes: true })) {
  if (!entry.name.endsWith('.py')) continue;
  const path = join(entry.parentPath, entry.name);
  texts[path.replace(FOLDER, '/r')] = readFileSync(path, 'utf8');
}
const files = memoryFiles(texts);
const sources = new PythonSources(files);

/**
 * Flows of which the source does not say everything, and why. Their schemas may leave out what is not known, never
 * say more than Python's.
 */
const NOT_EXACT: Readonly<Record<string, string>> = {
  'callbacks.py:hooked': 'a default is what len() returns',
  'conditional_imports.py:convert': 'imports depend on the Python that runs',
  'created_models.py:dynamic': 'create_model makes the models',
  'dbt_style.py:dbt': 'a default is the home folder',
  'environment_defaults.py:publish': 'defaults are of the environment and of today',
  'etl_class_config.py:etl': 'a parameter is a Protocol',
  'exotic_syntax.py:lambdas': 'a default is a comprehension',
  'exotic_syntax.py:positional': 'a default is an assignment',
  'fstring_names.py:cleanup': 'a default is formatted',
  'global_config.py:loaded': 'defaults are what functions return',
  'jobs/weekly.py:weekly_flow': 'a default lists an enum',
  'library_types.py:external': 'types of libraries',
  'model_config_styles.py:configured': 'a validator may change a default',
  'mutable_state.py:stateful': 'defaults are changed after their definition',
  'networks.py:probe': 'defaults are made by a library',
  'numbers_and_text.py:values': 'defaults are computed by methods and functions',
  'prefect_types.py:with_block': 'a block of Prefect',
  'pydantic_v1.py:legacy': 'a pydantic v1 model',
  'root_models.py:rooted': 'a default is an instance of a root model',
  'walrus_match.py:chosen': 'a default is assigned inside a condition',
};

/** Numbers by value: Prefect writes 1.0 where pydantic's schema says so, which means the same to a server. */
function plain(value: Json | undefined): unknown {
  return JSON.parse(JSON.stringify(value ?? null));
}

const cases = Object.entries(flows).map(([entrypoint, golden]) => ({ entrypoint, golden: mapping(golden) }));

describe('flows as teams write them, asked of the real Prefect 3.8.8', () => {
  it('are in more than sixty files', () => {
    expect(new Set(cases.map(({ entrypoint }) => entrypoint.split(':')[0])).size).toBeGreaterThanOrEqual(60);
  });

  it.each(
    cases.filter(({ entrypoint }) => NOT_EXACT[entrypoint] === undefined),
  )('$entrypoint is known exactly', async ({ entrypoint, golden }) => {
    const flow = await readFlow(entrypoint, { directory: '/r', files, sources });
    expect({ ...flow.parameters, schema: plain(flow.parameters.schema) }).toEqual({
      kind: 'exact',
      schema: plain(golden.schema),
    });
    expect({ name: flow.name, description: flow.description ?? null }).toEqual({
      name: golden.name,
      description: golden.description,
    });
  });

  it.each(
    cases.filter(({ entrypoint }) => NOT_EXACT[entrypoint] !== undefined),
  )('$entrypoint is told to be inexact, and nothing in it is stricter than Python’s', async ({
    entrypoint,
    golden,
  }) => {
    const flow = await readFlow(entrypoint, { directory: '/r', files, sources });
    expect(flow.parameters.kind).toBe('approximate');
    expect({ name: flow.name, description: flow.description ?? null }).toEqual({
      name: golden.name,
      description: golden.description,
    });
    const [ours, python] = [flow.parameters.schema, plain(golden.schema) as JsonObject];
    expect(Object.keys(mapping(ours.properties)).sort()).toEqual(Object.keys(mapping(python.properties)).sort());
    expect(python).toMatchObject(JSON.parse(JSON.stringify({ ...ours, required: python.required })));
    expect(python.required ?? []).toEqual(expect.arrayContaining([...((ours.required ?? []) as Json[])]));
  });
});
