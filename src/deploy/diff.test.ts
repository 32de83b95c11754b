import { DeploymentRecord } from '@slipway/prefect/client';
import type { JsonObject } from '@slipway/prefect/json';
import { SpelledNumber } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import { deploymentChanges, diff } from './diff.ts';
import { type Actual, type DeploymentFields, type DesiredDeployment, deploymentName } from './model.ts';
import { triggerSpec } from './trigger-spec.ts';

const where = { file: 'prefect.yaml', line: 1, column: 1 };

const fields: DeploymentFields = {
  version: 'abc',
  description: null,
  tags: ['a', 'b'],
  entrypoint: 'f.py:f',
  parameters: { x: 1, y: { z: [1, 2] } },
  parameter_openapi_schema: { title: 'Parameters', type: 'object', properties: {} },
  job_variables: { image: 'i@sha256:1', env: { A: '1' } },
  pull_steps: [{ 'prefect.deployments.steps.set_working_directory': { directory: '/d' } }],
  work_pool_name: 'k',
  work_queue_name: null,
};

function desired(changed: Partial<DeploymentFields> = {}): DesiredDeployment {
  return {
    name: deploymentName('f', 'd'),
    flowName: 'f',
    deploymentName: 'd',
    fields: { ...fields, ...changed },
    where,
    positions: new Map(),
  };
}

/** The record a server has after `fields` were written. */
function stored(changed: JsonObject = {}): DeploymentRecord {
  return DeploymentRecord.parse({
    id: '1',
    name: 'd',
    flow_id: '2',
    ...fields,
    work_queue_name: 'default',
    enforce_parameter_schema: true,
    ...changed,
  });
}

const changedFields = (want: Partial<DeploymentFields>, have: JsonObject = {}): string[] =>
  deploymentChanges(desired(want), stored(have)).map((change) => change.field);

describe('a deployment', () => {
  it('that is as wanted has no changes', () => {
    expect(changedFields({})).toEqual([]);
  });

  it.each<[string, Partial<DeploymentFields>, JsonObject, string[]]>([
    ['another version', { version: 'def' }, {}, ['version']],
    ['tags in another order', { tags: ['b', 'a'] }, {}, ['tags']],
    ['one other parameter', { parameters: { x: 2, y: { z: [1, 2] } } }, {}, ['parameters.x']],
    ['a parameter less', { parameters: { x: 1 } }, {}, ['parameters.y']],
    ['another image', { job_variables: { image: 'i@sha256:2', env: { A: '1' } } }, {}, ['job_variables.image']],
    ['no job variables any more', { job_variables: {} }, {}, ['job_variables.image', 'job_variables.env']],
    ['a queue', { work_queue_name: 'high' }, {}, ['work_queue_name']],
    ['paused written', { paused: true }, {}, ['paused']],
    ['enforce_parameter_schema written', { enforce_parameter_schema: false }, {}, ['enforce_parameter_schema']],
    ['a concurrency limit', { concurrency_limit: 3, concurrency_options: null }, {}, ['concurrency_limit']],
  ])('with %s changes just that', (_name, want, have, expected) => {
    expect(changedFields(want, have)).toEqual(expected);
  });

  it.each<[string, Partial<DeploymentFields>, JsonObject]>([
    ['keys in another order', { job_variables: { env: { A: '1' }, image: 'i@sha256:1' } }, {}],
    ['1 and 1.0', { parameters: { x: new SpelledNumber('1.0'), y: { z: [1, 2] } } }, {}],
    ['no description and an empty one', { description: '' }, { description: null }],
    ['paused not written and paused on the server', {}, { paused: true }],
    ['a limit not written and one on the server', {}, { global_concurrency_limit: { id: '1', name: 'n', limit: 5 } }],
    [
      'the same limit and options',
      { concurrency_limit: 5, concurrency_options: { collision_strategy: 'ENQUEUE' } },
      {
        global_concurrency_limit: { id: '1', name: 'n', limit: 5 },
        concurrency_options: { collision_strategy: 'ENQUEUE', grace_period_seconds: null },
      },
    ],
  ])('is unchanged with %s', (_name, want, have) => {
    expect(changedFields(want, have)).toEqual([]);
  });
});

describe('a server without automations', () => {
  const actual: Actual = {
    workPools: new Map(),
    deployments: new Map([[deploymentName('f', 'd'), stored()]]),
    defaultTemplates: new Map(),
    automations: undefined,
  };
  const planned = (...triggers: JsonObject[]) => {
    const automations = triggers.map((one) => ({ spec: triggerSpec.parse(one), unknown: [], where }));
    const ofDeployment = {
      deployment: deploymentName('f', 'd'),
      defaultName: 'd',
      workPoolName: 'k',
      where,
      automations,
    };
    return diff({ workPools: [], deployments: [desired()], automations: [ofDeployment], slas: [] }, actual);
  };

  it('takes a deployment without triggers', () => {
    expect(planned().automations).toEqual([]);
  });

  it('is no server for one with triggers, which is said before anything is written', () => {
    expect(() => planned({ expect: ['x'] })).toThrow(
      'deployment f/d: `triggers` need automations, which this Prefect server does not have',
    );
  });
});

describe('a plan', () => {
  it('creates what the server does not have and leaves alone what is as wanted', () => {
    const other = { ...desired(), name: deploymentName('f', 'new'), deploymentName: 'new' };
    const actual: Actual = {
      workPools: new Map(),
      deployments: new Map([[deploymentName('f', 'd'), stored()]]),
      defaultTemplates: new Map(),
      automations: [],
    };
    const plan = diff({ workPools: [], deployments: [desired(), other], automations: [], slas: [] }, actual);
    expect(plan.deployments.map((planned) => [planned.desired.name, planned.action])).toEqual([
      ['f/d', 'unchanged'],
      ['f/new', 'create'],
    ]);
  });
});
