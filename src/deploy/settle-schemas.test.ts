import type { JsonObject } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import type { SchemaPolicy } from '../flow/image/source.ts';
import type { Flow, ParameterSchema } from '../flow/index.ts';
import { settleSchemas } from './settle-schemas.ts';
import { actualDeployments, desiredDeployment } from './testing-desired.ts';

/** A flow `(m: <what only the code knows>, n: int)`. */
const HONEST: JsonObject = {
  title: 'Parameters',
  type: 'object',
  properties: { m: { position: 0, title: 'm' }, n: { position: 1, title: 'n', type: 'integer' } },
  required: ['m', 'n'],
};
const FULL: JsonObject = {
  ...HONEST,
  properties: { m: { position: 0, title: 'm', type: 'string' }, n: { position: 1, title: 'n', type: 'integer' } },
};
const APPROXIMATE: ParameterSchema = { kind: 'approximate', schema: HONEST, hasAllNames: true, reasons: ['m: lib.M'] };
const WRAPPED: ParameterSchema = { ...APPROXIMATE, hasAllNames: false };

function settle(parameters: ParameterSchema, stored: JsonObject | null | undefined, policy: SchemaPolicy = 'auto') {
  const flow: Flow = {
    entrypoint: 'flows.py:hello',
    name: 'hello',
    functionName: 'hello',
    description: undefined,
    version: undefined,
    parameters,
  };
  const deployments = actualDeployments(stored === undefined ? undefined : { parameter_openapi_schema: stored });
  const desired = desiredDeployment({ parameter_openapi_schema: parameters.schema });
  const { deployments: settled, notes } = settleSchemas([desired], [flow], { deployments }, policy);
  return { schema: settled[0]?.fields.parameter_openapi_schema, notes };
}

describe('a schema that is exact', () => {
  it('takes the place of whatever the server has', () => {
    expect(settle({ kind: 'exact', schema: HONEST }, FULL)).toEqual({ schema: HONEST, notes: [] });
  });
});

describe('a schema that is not exact', () => {
  const without = (name: string): JsonObject => ({
    ...FULL,
    properties: Object.fromEntries(Object.entries(FULL.properties as JsonObject).filter(([key]) => key !== name)),
  });
  const more: JsonObject = { ...FULL, properties: { ...(FULL.properties as JsonObject), old: { title: 'old' } } };
  const otherType: JsonObject = {
    ...FULL,
    properties: { ...(FULL.properties as JsonObject), n: { position: 1, title: 'n', type: 'string' } },
  };

  it.each<[string, ParameterSchema, JsonObject | null | undefined, JsonObject]>([
    ['is the one that the server has', APPROXIMATE, FULL, FULL],
    ['is the honest one for a new deployment', APPROXIMATE, undefined, HONEST],
    ['is the honest one where the server has none', APPROXIMATE, null, HONEST],
    ['is the honest one where the server has an empty one', APPROXIMATE, {}, HONEST],
    ['is the honest one once the flow has another parameter', APPROXIMATE, without('n'), HONEST],
    ['is the honest one once the flow has a parameter less', APPROXIMATE, more, HONEST],
    ['is the honest one once a parameter has a default', APPROXIMATE, { ...FULL, required: ['m', 'n', 'o'] }, HONEST],
    ['is the honest one once a known type is another', APPROXIMATE, otherType, HONEST],
    ['is the server’s when a decorator may change the parameters', WRAPPED, more, more],
  ])('%s', (_name, parameters, stored, expected) => {
    expect(settle(parameters, stored).schema).toEqual(expected);
  });

  it('is warned of at the entrypoint, with the reasons and what is done instead', () => {
    expect(settle(APPROXIMATE, FULL).notes).toEqual([
      {
        level: 'warning',
        text: 'deployment hello/d: its parameter schema cannot be known without running the code (m: lib.M); the one that the server has stays',
        where: { file: 'prefect.yaml', line: 10, column: 5 },
      },
    ]);
    expect(settle(APPROXIMATE, undefined).notes[0]?.text).toContain('what is not known takes every value');
  });

  it('is as it was read with `schema: static`, which is said and no warning', () => {
    const { schema, notes } = settle(APPROXIMATE, FULL, 'static');
    expect(schema).toEqual(HONEST);
    expect(notes.map(({ level }) => level)).toEqual(['info']);
  });
});

describe('a schema that only a deploy knows', () => {
  const planned: ParameterSchema = { kind: 'at deploy', schema: HONEST, hasAllNames: true };

  it.each([
    ['shows no change of a deployment', FULL, FULL],
    ['is the honest one for a new deployment', undefined, HONEST],
  ])('%s', (_name, stored, expected) => {
    const { schema, notes } = settle(planned, stored);
    expect(schema).toEqual(expected);
    expect(notes).toMatchObject([{ level: 'info', text: expect.stringContaining('known at deploy') }]);
  });
});
