import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, type Json, type JsonObject, parseJson } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import { readFlow } from './index.ts';
import { memoryFiles } from './memory-files.ts';
import { PythonSources } from './sources.ts';

/** Where the goldens come from: fixtures/README.md. */
const FIXTURES = join(import.meta.dirname, 'fixtures');
const shipped = asObject(parseJson(readFileSync(join(FIXTURES, 'schema-cases.json'), 'utf8')));
const asked = asObject(parseJson(readFileSync(join(FIXTURES, 'shipped.json'), 'utf8')));
const own = asObject(parseJson(readFileSync(join(FIXTURES, 'signatures', 'goldens.json'), 'utf8')));

function asObject(value: Json | undefined): JsonObject {
  if (value === undefined || !isJsonObject(value)) throw new Error('not a mapping');
  return value;
}

function asList(value: Json | undefined): JsonObject[] {
  if (!Array.isArray(value)) throw new Error('not a list');
  return value.map(asObject);
}

/** Numbers by value: Prefect writes 1.0 where pydantic's schema says so, which means the same to a server. */
function plain(value: Json): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** Shipped cases that Prefect 3.8.8 with pydantic 2.14.1 answers otherwise than the fixture's 3.8.3 with 2.13.5. */
const CHANGED_SINCE: Readonly<Record<string, string>> = {
  f23: 'pydantic 2.14 gives Decimal no pattern (contracts/deploy.md, "Seen on 3.8.8" 9)',
};

const cases = [
  ...asList(shipped.cases).map((each) => ({ ...each, prelude: String(shipped.prelude) })),
  ...asList(shipped.cases2).map((each) => ({ ...each, prelude: String(shipped.prelude2) })),
].map((each: JsonObject) => ({
  id: String(each.id),
  source: String(each.source),
  prelude: String(each.prelude),
  schema: asObject(each.schema),
}));

describe('the 58 shipped signatures', () => {
  it('are all there', () => {
    expect(cases).toHaveLength(58);
  });

  it.each(cases)('$id $source gives the schema of the real Prefect 3.8.8', async ({ id, source, prelude }) => {
    const text = `from prefect import flow\n${prelude}\n@flow\n${source}`;
    const flow = await readFlow(`f.py:${id}`, { directory: '/r', files: memoryFiles({ '/r/f.py': text }) });
    expect(flow.parameters).toMatchObject({ kind: 'exact' });
    expect(plain(flow.parameters.schema)).toEqual(plain(asObject(asObject(asked.schemas)[id])));
  });

  it.each(
    cases.filter(({ id }) => CHANGED_SINCE[id] === undefined),
  )('$id is the same in the shipped fixture and in Prefect 3.8.8', ({ id, schema }) => {
    expect(plain(asObject(asObject(asked.schemas)[id]))).toEqual(plain(schema));
  });
});

describe('signatures of our own, asked of the real Prefect 3.8.8', () => {
  const folder = join(FIXTURES, 'signatures');
  const texts: Record<string, string> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.name.endsWith('.py')) continue;
    const path = join(entry.parentPath, entry.name);
    texts[path.replace(folder, '/r')] = readFileSync(path, 'utf8');
  }
  const hashes = new Set(Object.values(texts).map((text) => createHash('md5').update(text).digest('hex')));
  const files = memoryFiles(texts);
  const sources = new PythonSources(files);
  const flows = Object.entries(asObject(own.flows)).map(([entrypoint, golden]) => ({
    entrypoint,
    golden: asObject(golden),
  }));

  it('are more than thirty', () => {
    expect(flows.length).toBeGreaterThan(100);
  });

  it.each(flows)('$entrypoint', async ({ entrypoint, golden }) => {
    const flow = await readFlow(entrypoint, { directory: '/r', files, sources });
    const { kind, schema, ...rest } = flow.parameters;
    expect({
      name: flow.name,
      description: flow.description ?? null,
      // The goldens have null for the hash of a file, which is that of `texts` here.
      version: hashes.has(flow.version ?? '') ? null : (flow.version ?? null),
      kind,
      rest,
      schema: plain(schema),
    }).toEqual({
      name: golden.name,
      description: golden.description,
      version: golden.version,
      kind: 'exact',
      rest: {},
      schema: plain(asObject(golden.schema)),
    });
  });
});
