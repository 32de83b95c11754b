import type { JsonObject } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import { diff } from './diff.ts';
import { type DeploymentFields, deploymentName } from './model.ts';
import { checkParameters } from './parameters.ts';
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
