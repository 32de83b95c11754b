import { AutomationRecord, DeploymentRecord } from '@slipway/prefect/client';
import { describe, expect, it } from 'vitest';
import { type DeploymentFields, type DesiredDeployment, deploymentName, type Plan } from '../deploy/model.ts';
import { triggerSpec } from '../deploy/trigger-spec.ts';
import { outputsOf } from '../outputs.ts';
import { planJson } from './plan-json.ts';
import { planLines } from './plan-text.ts';
import { type Report, summaryMarkdown } from './summary.ts';

const where = { file: 'prefect.yaml', line: 1, column: 1 };
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

function desired(name: string): DesiredDeployment {
  return { name: deploymentName('f', name), flowName: 'f', deploymentName: name, fields, where, positions: new Map() };
}

const record = DeploymentRecord.parse({ id: 'id-2', name: 'old', flow_id: '1' });

const plan: Plan = {
  workPools: [
    { action: 'create', name: 'k', type: 'kubernetes', body: {}, queues: [] },
    { action: 'unchanged', name: 'other' },
  ],
  deployments: [
    { action: 'create', desired: desired('new') },
    {
      action: 'change',
      desired: desired('old'),
      actual: record,
      changes: [
        { field: 'tags', before: ['x|y'], after: ['abc'] },
        { field: 'parameters.p', before: undefined, after: '<b>`' },
      ],
    },
    { action: 'unchanged', desired: desired('same'), actual: { ...record, id: 'id-3' } },
  ],
  automations: [],
  slas: [],
};

const report: Report = {
  mode: 'deploy',
  modeReason: 'the event is a push',
  revision: {
    sha: '1234567890123456789012345678901234567890',
    shortSha: '1234567',
    branch: 'main',
    refName: 'main',
    dirty: false,
    committedAt: 0,
    message: 'Fix <script> | tables',
    repositoryUrl: 'https://github.com/acme/hello',
    repository: 'acme/hello',
    origin: 'HEAD',
  },
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

describe('the plan', () => {
  it('is one line an object and one a changed field', () => {
    expect(planLines(plan)).toEqual([
      '+ work pool k (create, type kubernetes)',
      '  work pool other (unchanged)',
      '+ deployment f/new (create)',
      '    entrypoint: "f.py:f"',
      '    work_pool_name: "k"',
      '    version: "abc"',
      '    tags: ["abc"]',
      '    job_variables: {"image":"r/i@sha256:1"}',
      '~ deployment f/old (change)',
      '    tags: ["x|y"] → ["abc"]',
      '    parameters.p: (none) → "<b>`"',
      '  deployment f/same (unchanged)',
      'Plan: 2 to create, 1 to change, 2 unchanged.',
    ]);
  });

  it('is given to programs with the same names', () => {
    expect(planJson(plan)).toEqual({
      changed: true,
      work_pools: [
        { name: 'k', action: 'create' },
        { name: 'other', action: 'unchanged' },
      ],
      deployments: [
        { name: 'f/new', action: 'create' },
        {
          name: 'f/old',
          action: 'change',
          changes: [
            { field: 'tags', before: ['x|y'], after: ['abc'] },
            { field: 'parameters.p', after: '<b>`' },
          ],
        },
        { name: 'f/same', action: 'unchanged' },
      ],
      automations: [],
      slas: [],
    });
  });
});

describe('automations and SLAs', () => {
  const spec = triggerSpec.parse({ name: 'new', expect: ['x'], parameters: { p: 1 } });
  const wanted = { spec, unknown: [], where };
  const actual = AutomationRecord.parse({ id: 'id-a', name: 'old', trigger: {} });
  const withAutomations: Plan = {
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
            actual,
            changes: [{ field: 'within', before: 5, after: 10 }],
          },
          { action: 'unchanged', name: 'same', desired: wanted, actual },
          { action: 'remove', name: 'gone', actual },
          { action: 'remove-if-owned', name: 'perhaps', actual },
        ],
      },
    ],
    slas: [{ deployment: deploymentName('f', 'd'), where, slas: [{ name: 'slow' }] }],
  };

  it('are lines of the plan', () => {
    expect(planLines(withAutomations)).toEqual([
      '+ automation new of f/d (create)',
      '    type: "event"',
      '    expect: ["x"]',
      '    posture: "Reactive"',
      '    threshold: 1',
      '    within: 0.0',
      '    parameters: {"p":1}',
      '    enabled: "(known at deploy)"',
      '~ automation old of f/d (change)',
      '    within: 5 → 10',
      '  automation same of f/d (unchanged)',
      '- automation gone of f/d (remove)',
      '? automation perhaps of f/d (removed if its `triggers` made it, which only the server can tell)',
      '  SLAs of f/d: slow (sent on every deploy: Prefect does not show what it has)',
      'Plan: 1 to create, 1 to change, 1 to remove, 1 unchanged.',
    ]);
  });

  it('are in the plan for programs', () => {
    expect(planJson(withAutomations)).toMatchObject({
      changed: true,
      automations: [
        { name: 'new', deployment: 'f/d', action: 'create' },
        { name: 'old', action: 'change', changes: [{ field: 'within', before: 5, after: 10 }] },
        { name: 'same', action: 'unchanged' },
        { name: 'gone', action: 'remove' },
        { name: 'perhaps', action: 'remove-if-owned' },
      ],
      slas: [{ deployment: 'f/d', names: ['slow'] }],
    });
  });

  it.each<[Plan['automations'][number]['automations'], boolean]>([
    [[{ action: 'remove', name: 'gone', actual }], true],
    [[{ action: 'remove-if-owned', name: 'perhaps', actual }], false],
    [[{ action: 'unchanged', name: 'same', desired: wanted, actual }], false],
  ])('count as a change when they certainly are one (%#)', (automations, changed) => {
    const one = { deployment: deploymentName('f', 'd'), where, automations };
    expect(planJson({ ...withAutomations, automations: [one] }).changed).toBe(changed);
  });

  it.each([
    '| automation | `new of f/d` | 🔴 not written |',
    '| automation | [`old of f/d`](http://ui/automations/automation/id-a) | 🟡 changed |',
    '| automation | `gone of f/d` | 🟤 removed |',
    '| SLAs | `f/d` | 🔵 1 sent |',
    '1 created, 1 changed, 1 removed, 1 unchanged.',
  ])('are in the job summary: %s', (line) => {
    const failures = [{ what: 'automation new of f/d', reason: '422', where }];
    const written = { name: deploymentName('f', 'd'), id: 'id-d', action: 'unchanged' } as const;
    const applied = { ...report.applied, deployments: [written], failures };
    expect(summaryMarkdown({ ...report, plan: withAutomations, applied })).toContain(line);
  });

  it.each([
    '| automation | `new of f/d` | 🔴 not written |',
    '| SLAs | `f/d` | 🔴 not written |',
  ])('are not written when their deployment is not: %s', (line) => {
    const failures = [{ what: 'deployment f/d', reason: '503', where }];
    const applied = { ...report.applied, deployments: [], failures };
    expect(summaryMarkdown({ ...report, plan: withAutomations, applied })).toContain(line);
  });
});

describe('the job summary', () => {
  const summary = summaryMarkdown(report);

  it.each([
    ['links the commit', '[`1234567`](https://github.com/acme/hello/commit/1234567890123456789012345678901234567890)'],
    ['links a deployment', '[`f/old`](http://ui/deployments/deployment/id-2)'],
    ['links a run and shows its state', '| [quick-fox](http://ui/runs/flow-run/r) | `f/old` | 🔴 Crashed | 12 s |'],
    ['says what failed', '- **deployment f/new**: 503 from the server'],
    ['marks what failed in the table', '| deployment | `f/new` | 🔴 not written |'],
  ])('%s', (_name, text) => {
    expect(summary).toContain(text);
  });

  it('lets nothing from outside become markup or end a cell', () => {
    expect(summary).not.toContain('<script>');
    expect(summary).not.toContain('<b>');
    expect(summary).toContain('x\\|y');
  });

  it('says that a plan wrote nothing, and why', () => {
    const planned = summaryMarkdown({ ...report, mode: 'plan', modeReason: 'the event is pull request #7', runs: [] });
    expect(planned).toContain('Nothing was written (the event is pull request #7).');
    expect(planned).toContain('🟢 create |');
  });
});

describe('outputs', () => {
  it('are text, JSON where there are many', () => {
    const outputs = outputsOf(report);
    expect(outputs).toMatchObject({ image: '', changed: 'true', sha: report.revision.sha });
    expect(JSON.parse(outputs.deployments ?? '')).toEqual([
      { name: 'f/new', action: 'create', written: false },
      { name: 'f/old', action: 'change', id: 'id-2', url: 'http://ui/deployments/deployment/id-2' },
      { name: 'f/same', action: 'unchanged', id: 'id-3', url: 'http://ui/deployments/deployment/id-3' },
    ]);
    expect(JSON.parse(outputs.runs ?? '')).toMatchObject([{ id: 'r', state: 'CRASHED' }]);
  });
});
