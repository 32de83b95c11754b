import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isJsonObject, type Json, type JsonObject, parseJson } from '../json.ts';
import { validateParameters } from './parameters.ts';

function mapping(value: Json | undefined): JsonObject {
  if (!isJsonObject(value)) throw new Error('bad fixture');
  return value;
}

/** Where the goldens come from: fixtures/README.md. */
const file = mapping(parseJson(readFileSync(new URL('./fixtures/parameters-cases.json', import.meta.url), 'utf8')));
const verdicts = (Array.isArray(file.cases) ? file.cases : []).map(mapping).map((golden) => ({
  schema: mapping(mapping(file.schemas)[String(golden.flow)]),
  parameters: mapping(golden.parameters),
  create: golden.create,
  update: golden.update,
  label: `${String(golden.flow)} ${JSON.stringify(golden.parameters)}`,
}));

describe.each(['create', 'update'] as const)('validateParameters, the verdicts of prefect 3.8.8 on %s', (occasion) => {
  it.each(verdicts.filter((verdict) => verdict[occasion] === null))('accepts $label', ({ schema, parameters }) => {
    expect(validateParameters(schema, parameters, occasion)).toEqual([]);
  });

  it.each(verdicts.filter((verdict) => verdict[occasion] !== null))('refuses $label', ({
    schema,
    parameters,
    ...verdict
  }) => {
    const places = validateParameters(schema, parameters, occasion).map(({ path }) => path);
    // Where the server names a whole value or nothing, ours may name what is wrong inside it.
    const place = String(verdict[occasion]);
    expect(places.some((one) => one === place || one.startsWith(place))).toBe(true);
  });
});

describe('validateParameters, what it says', () => {
  const schema: JsonObject = {
    type: 'object',
    properties: {
      n: { type: 'integer' },
      t: { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false },
    },
  };

  it.each<[JsonObject, string, string]>([
    [{ n: 'x' }, 'n', 'is a string, but must be an integer'],
    [{ n: null }, 'n', 'is null, but must be an integer'],
    [{ t: { b: 1 } }, 't.b', 'is not allowed by the flow’s parameter schema'],
  ])('%j: %s %s', (parameters, path, message) => {
    expect(validateParameters(schema, parameters, 'create')).toEqual([{ path, message }]);
  });

  it('is nothing for a schema that leads nowhere', () => {
    expect(validateParameters({ properties: { a: { $ref: '#/definitions/gone' } } }, { a: 1 }, 'create')).toEqual([]);
  });

  it('is nothing where Python’s patterns may know better', () => {
    const words: JsonObject = {
      properties: { a: { anyOf: [{ type: 'string', pattern: '^\\w+$' }, { type: 'null' }] } },
    };
    expect(validateParameters(words, { a: 'ä' }, 'create')).toEqual([]);
    expect(validateParameters(words, { a: 'a b' }, 'create')).toHaveLength(1);
  });
});
