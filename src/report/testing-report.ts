import { AutomationRecord, DeploymentRecord } from '@slipway/prefect/client';
import {
  type Change,
  type DeploymentFields,
  type DesiredDeployment,
  deploymentName,
  type Plan,
} from '../deploy/model.ts';
import { triggerSpec } from '../deploy/trigger-spec.ts';
import { someRevision } from '../source/testing-revision.ts';
import type { Report } from './summary.ts';

/** Reports for tests: what a run of a project with a few deployments, or with many, came to. */

export const where = { file: 'prefect.yaml', line: 4, column: 3 };

const fields: DeploymentFields = {
  version: 'abc',
  description: null,
  tags: ['abc'],
  entrypoint: 'f.py:f',
  parameters: {},
  parameter_openapi_schema: {},
  job_variables: { image: 'r/i@sha256:1' },
  pull_steps: [],
  work_pool_name: 'k',
  work_queue_name: null,
};

export function desired(name: string, line = where.line): DesiredDeployment {
  return {
    name: deploymentName('f', name),
    flowName: 'f',
    deploymentName: name,
    fields,
    where: { ...where, line },
    positions: new Map(),
  };
}

export const record = DeploymentRecord.parse({ id: 'id-2', name: 'old', flow_id: '1' });

export const plan: Plan = {
  workPools: [
    { action: 'create', name: 'k', where, type: 'kubernetes', body: {}, queues: [] },
    { action: 'unchanged', name: 'other', where },
  ],
  deployments: [
    { action: 'create', desired: desired('new', 12) },
    {
      action: 'change',
      desired: desired('old', 20),
      actual: record,
      changes: [
        { field: 'tags', before: ['x|y'], after: ['abc'] },
        { field: 'parameters.p', before: undefined, after: '<b>`' },
      ],
    },
    { action: 'unchanged', desired: desired('same', 30), actual: { ...record, id: 'id-3' } },
  ],
  automations: [],
  slas: [],
};

export const report: Report = {
  mode: 'deploy',
  modeReason: 'the event is a push',
  revision: someRevision({
    sha: '1234567890123456789012345678901234567890',
    shortSha: '1234567',
    message: 'Fix <script> | tables',
    repositoryUrl: 'https://github.com/acme/hello',
  }),
  images: [],
  plan,
  applied: {
    deployments: [
      { name: deploymentName('f', 'old'), id: 'id-2', action: 'change' },
      { name: deploymentName('f', 'same'), id: 'id-3', action: 'unchanged' },
    ],
    workPools: [],
    failures: [{ what: 'deployment f/new', reason: '503 from the server', where }],
  },
  runs: [
    {
      id: 'r',
      name: 'quick-fox',
      deployment: deploymentName('f', 'old'),
      url: 'http://ui/runs/flow-run/r',
      outcome: 'finished',
      state: { type: 'CRASHED', name: 'Crashed', message: 'OOMKilled' },
      seconds: 12,
    },
  ],
  uiUrl: 'http://ui',
};

/** Automations and SLAs of one deployment, each in its own way. */
const spec = triggerSpec.parse({ name: 'new', expect: ['x'], parameters: { p: 1 } });
export const wanted = { spec, unknown: [], where };
export const automation = AutomationRecord.parse({ id: 'id-a', name: 'old', trigger: {} });
export const withAutomations: Plan = {
  workPools: [],
  deployments: [],
  automations: [
    {
      deployment: deploymentName('f', 'd'),
      where,
      automations: [
        { action: 'create', name: 'new', desired: { ...wanted, unknown: ['enabled'] } },
        {
          action: 'change',
          name: 'old',
          desired: wanted,
          actual: automation,
          changes: [{ field: 'within', before: 5, after: 10 }],
        },
        { action: 'unchanged', name: 'same', desired: wanted, actual: automation },
        { action: 'remove', name: 'gone', actual: automation },
        { action: 'remove-if-owned', name: 'perhaps', actual: automation },
      ],
    },
  ],
  slas: [{ deployment: deploymentName('f', 'd'), where, slas: [{ name: 'slow' }] }],
};

/** A plan of many deployments: the first `changed` of them change, alike or apart, the others stay. */
export function manyDeployments(
  count: number,
  changed: number,
  changes: readonly Change[],
  how: 'alike' | 'apart' = 'alike',
): Report {
  const deployments = Array.from({ length: count }, (_, index): Plan['deployments'][number] => {
    const wanted = desired(`number-${index}`, 10 + 5 * index);
    const actual = { ...record, id: `00000000-0000-0000-0000-${String(index).padStart(12, '0')}` };
    return index < changed
      ? { action: 'change', desired: wanted, actual, changes: how === 'alike' ? changes : [...changes, own(index)] }
      : { action: 'unchanged', desired: wanted, actual };
  });
  return {
    ...report,
    mode: 'plan',
    modeReason: 'the event is pull request #7',
    plan: { ...plan, workPools: [], deployments },
    applied: { deployments: [], workPools: [], failures: [] },
    runs: [],
  };
}

function own(index: number): Change {
  return { field: 'parameters.own', before: null, after: index };
}
