import type { JsonObject } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import type { Flow } from '../flow/index.ts';
import { diff } from './diff.ts';
import { type DeploymentFields, deploymentName } from './model.ts';
import { checkKnownParameters, checkParameters } from './parameters.ts';
import { actualDeployments, desiredDeployment } from './testing-desired.ts';

const SCHEMA: JsonObject = {
  title: 'Parameters',
  type: 'object',
  properties: {
    n: { type: 'integer', position: 0, title: 'n' },
    tables: { type: 'array', items: { type: 'string' }, position: 1, title: 'tables' },
  },
  required: ['n'],
};

/** The complaints about a deployment with these parameters, new or changed. */
function complaints(parameters: JsonObject, fields: Partial<DeploymentFields> = {}, stored?: JsonObject) {
  const desired = desiredDeployment({ parameters, parameter_openapi_schema: SCHEMA, ...fields });
  const pools = { workPools: new Map(), defaultTemplates: new Map() };
  const actual = { ...pools, deployments: actualDeployments(stored), automations: [] };
  return checkParameters(diff({ workPools: [], deployments: [desired], automations: [], slas: [] }, actual));
}

describe('parameters of a deployment', () => {
  it.each<[string, JsonObject, Partial<DeploymentFields>, JsonObject | undefined]>([
    ['that fit', { n: 1 }, {}, undefined],
    ['of which a required one lacks', {}, {}, undefined],
    ['that the flow does not name', { other: 1 }, {}, undefined],
    ['of a wrong type, when nothing is enforced', { n: 'x' }, { enforce_parameter_schema: false }, undefined],
    ['of a wrong type, when the server enforces nothing', { n: 'x' }, {}, { enforce_parameter_schema: false }],
    ['that only a deploy knows', { n: '(known at deploy)' }, {}, undefined],
    ['that the server fills in', { n: { __prefect_kind: 'workspace_variable', variable_name: 'n' } }, {}, undefined],
  ])('pass: %s', (_name, parameters, fields, stored) => {
    expect(complaints(parameters, fields, stored)).toEqual([]);
  });

  it.each<[string, Partial<DeploymentFields>, JsonObject | undefined]>([
    ['a new deployment', {}, undefined],
    ['a changed deployment', {}, { enforce_parameter_schema: true }],
    ['a deployment that begins to enforce', { enforce_parameter_schema: true }, { enforce_parameter_schema: false }],
  ])('of a wrong type are refused at their line: %s', (_name, fields, stored) => {
    const [problem, ...others] = complaints({ n: 'x' }, fields, stored);
    expect(others).toEqual([]);
    expect(problem?.message).toBe('deployment hello/d: parameter n is a string, but must be an integer');
    expect(problem?.where).toEqual({ file: 'prefect.yaml', line: 12, column: 5 });
  });

  it('are refused one by one, also inside lists', () => {
    const problems = complaints({ n: [], tables: ['a', 1] });
    expect(problems.map(({ message }) => message)).toEqual([
      'deployment hello/d: parameter n is a list, but must be an integer',
      'deployment hello/d: parameter tables[1] is an integer, but must be a string',
    ]);
    expect(problems.map(({ where }) => where?.line)).toEqual([12, 15]);
  });

  it('are not looked at when nothing is written', () => {
    const { fields } = desiredDeployment({ parameters: { n: 'x' }, parameter_openapi_schema: SCHEMA });
    const stored = JSON.parse(JSON.stringify({ ...fields, enforce_parameter_schema: true })) as JsonObject;
    expect(complaints({ n: 'x' }, {}, stored)).toEqual([]);
  });

  it('belong to a deployment of that name', () => {
    expect(deploymentName('hello', 'd')).toBe(desiredDeployment().name);
  });
});

describe('before any step runs, parameters', () => {
  const where = { file: 'prefect.yaml', line: 7, column: 3 };
  const absent = { kind: 'absent' } as const;

  async function known(parameters: JsonObject, more: { enforce?: boolean; stored?: boolean; exact?: boolean } = {}) {
    const settings = more.enforce === undefined ? {} : { enforce_parameter_schema: more.enforce };
    const entry = {
      name: 'd',
      entrypoint: 'f.py:f',
      build: absent,
      push: absent,
      pull: absent,
      settings: {},
      where,
      positions: new Map([['parameters.n', { ...where, line: 9 }]]),
    };
    const configuration = {
      entry,
      name: 'd',
      entrypoint: 'f.py:f',
      workPoolName: 'k',
      settings: { parameters, ...settings },
    };
    const schema = { schema: SCHEMA, hasAllNames: true, reasons: ['r'] };
    const flow: Flow = {
      entrypoint: 'f.py:f',
      name: 'hello',
      functionName: 'f',
      description: undefined,
      version: undefined,
      parameters: more.exact === false ? { kind: 'approximate', ...schema } : { kind: 'exact', schema: SCHEMA },
    };
    const asked: string[] = [];
    const problems = await checkKnownParameters([configuration, configuration], [flow, undefined], async (...names) => {
      asked.push(names.join('/'));
      return more.stored;
    });
    return { problems: problems.map(({ message, where: place }) => `${place?.line}: ${message}`), asked };
  }
  it.each<[string, JsonObject, Parameters<typeof known>[1], string[]]>([
    ['that fit', { n: 1 }, {}, []],
    ['that wait for a step', { n: '{{ step.stdout }}' }, {}, []],
    ['of a flow whose schema is not exact', { n: 'x' }, { exact: false }, []],
    ['that the file does not enforce', { n: 'x' }, { enforce: false }, []],
    ['of a deployment that enforces none', { n: 'x' }, { stored: false }, ['hello/d']],
  ])('pass: %s', async (_about, parameters, more, asked) => {
    expect(await known(parameters, more)).toEqual({ problems: [], asked });
  });

  it.each<[string, Parameters<typeof known>[1], string[]]>([
    ['that the file enforces', { enforce: true, stored: false }, []],
    ['of a new deployment', {}, ['hello/d']],
    ['of a deployment that enforces them', { stored: true }, ['hello/d']],
  ])('of a wrong type are refused: %s', async (_about, more, asked) => {
    const problems = ['9: deployment hello/d: parameter n is a string, but must be an integer'];
    expect(await known({ n: 'x' }, more)).toEqual({ problems, asked });
  });
});
