import { describe, expect, it } from 'vitest';
import { deploymentName, type Plan } from '../deploy/model.ts';
import { outputsOf } from '../outputs.ts';
import { planItems } from './items.ts';
import { planJson } from './plan-json.ts';
import { planCount, planLines } from './plan-text.ts';
import { automation, manyDeployments, plan, report, wanted, where, withAutomations } from './testing-report.ts';

const asIs = (text: string) => text;

describe('the plan', () => {
  it('is one line an object and one a changed field, then the names of what stays', () => {
    expect(planLines(planItems(plan, asIs))).toEqual([
      '+ work pool k (create, type kubernetes) prefect.yaml:4',
      '+ deployment f/new (create) prefect.yaml:12',
      '    entrypoint: "f.py:f"',
      '    work_pool_name: "k"',
      '    version: "abc"',
      '    tags: ["abc"]',
      '    job_variables: {"image":"r/i@sha256:1"}',
      '~ deployment f/old (change) prefect.yaml:20',
      '    tags: ["x|y"] → ["abc"]',
      '    parameters.p: (none) → "<b>`"',
      '  unchanged, work pool: other',
      '  unchanged, deployment: f/same',
    ]);
    expect(planCount(planItems(plan, asIs))).toBe('Plan: 2 to create, 1 to change, 2 unchanged.');
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
  it('are lines of the plan', () => {
    expect(planLines(planItems(withAutomations, asIs))).toEqual([
      '+ automation new of f/d (create) prefect.yaml:4',
      '    type: "event"',
      '    expect: ["x"]',
      '    posture: "Reactive"',
      '    threshold: 1',
      '    within: 0.0',
      '    parameters: {"p":1}',
      '    enabled: "(known at deploy)"',
      '~ automation old of f/d (change) prefect.yaml:4',
      '    within: 5 → 10',
      '- automation gone of f/d (remove) prefect.yaml:4',
      '? automation perhaps of f/d (remove, if its `triggers` made it, which only the server can tell) prefect.yaml:4',
      '  SLAs of f/d (send, slow; sent on every deploy, since Prefect does not show what it has) prefect.yaml:4',
      '  unchanged, automation: same of f/d',
    ]);
    expect(planCount(planItems(withAutomations, asIs))).toBe(
      'Plan: 1 to create, 1 to change, 1 to remove, 1 unchanged.',
    );
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
    [[{ action: 'remove', name: 'gone', actual: automation }], true],
    [[{ action: 'remove-if-owned', name: 'perhaps', actual: automation }], false],
    [[{ action: 'unchanged', name: 'same', desired: wanted, actual: automation }], false],
  ])('count as a change when they certainly are one (%#)', (automations, changed) => {
    const one = { deployment: deploymentName('f', 'd'), where, automations };
    expect(planJson({ ...withAutomations, automations: [one] }).changed).toBe(changed);
  });
});

describe('a plan of many deployments', () => {
  const lines = (count: number, changed: number) =>
    planLines(planItems(manyDeployments(count, changed, [{ field: 'version', before: 'a', after: 'b' }]).plan, asIs));

  it('shows the one that changes before the names of the 499 others, in lines that can be read', () => {
    const [first, second, third, ...rest] = lines(500, 1);
    expect([first, second]).toEqual(['~ deployment f/number-0 (change) prefect.yaml:10', '    version: "a" → "b"']);
    expect(third).toMatch(/^ {2}unchanged, deployments: f\/number-1, f\/number-2,/);
    expect(rest.length).toBeLessThan(80);
    expect(rest.every((line) => line.startsWith('      f/number-') && line.length <= 120)).toBe(true);
    expect(rest.at(-1)).toMatch(/f\/number-499$/);
  });

  it('shows all that change', () => {
    expect(lines(500, 500).filter((line) => line.startsWith('~'))).toHaveLength(500);
  });

  it('shows long values below their field', () => {
    const changes = [{ field: 'description', before: 'x'.repeat(90), after: 'y'.repeat(90) }];
    expect(planLines(planItems(manyDeployments(1, 1, changes).plan, asIs)).slice(1)).toEqual([
      '    description:',
      `      - "${'x'.repeat(90)}"`,
      `      + "${'y'.repeat(90)}"`,
    ]);
  });
});

describe('outputs', () => {
  it('are text, JSON where there are many', () => {
    const { values, warnings } = outputsOf(report);
    expect(warnings).toEqual([]);
    expect(values).toMatchObject({ image: '', changed: 'true', sha: report.revision.sha });
    expect(JSON.parse(values.deployments ?? '')).toEqual([
      { name: 'f/new', action: 'create', written: false },
      { name: 'f/old', action: 'change', id: 'id-2', url: 'http://ui/deployments/deployment/id-2' },
      { name: 'f/same', action: 'unchanged', id: 'id-3', url: 'http://ui/deployments/deployment/id-3' },
    ]);
    expect(JSON.parse(values.runs ?? '')).toMatchObject([{ id: 'r', state: 'CRASHED' }]);
  });

  const total = ({ values }: ReturnType<typeof outputsOf>) =>
    Object.values(values).reduce((sum, value) => sum + value.length, 0);

  it('have room for 500 deployments that all change', () => {
    const outputs = outputsOf(manyDeployments(500, 500, [{ field: 'version', before: 'a', after: 'b' }]));
    expect(outputs.warnings).toEqual([]);
    expect(JSON.parse(outputs.values.deployments ?? '')).toHaveLength(500);
    expect(total(outputs)).toBeLessThan(500_000);
  });

  it('count the changes that would take them over GitHub’s megabyte', () => {
    const schema = { field: 'parameter_openapi_schema.x', before: 'x'.repeat(2_000), after: 'y'.repeat(2_000) };
    const outputs = outputsOf(manyDeployments(500, 300, [schema]));
    expect(total(outputs)).toBeLessThan(500_000);
    expect(outputs.warnings).toEqual([
      'The output plan is not whole (`left_out`): GitHub takes 1 MB of a job. The log has all of it.',
    ]);
    const planned = JSON.parse(outputs.values.plan ?? '') as {
      left_out: object;
      deployments: { action: string; changes?: object[]; changes_left_out?: number }[];
    };
    const whole = planned.deployments.filter(({ changes = [] }) => changes.length > 0).length;
    expect(whole).toBeGreaterThan(50);
    expect(planned.left_out).toEqual({ changes: 300 - whole, objects: 0, unchanged: 0 });
    expect(planned.deployments.filter((one) => one.changes_left_out === 1)).toHaveLength(300 - whole);
    expect(planned.deployments).toHaveLength(500);
  });

  it('leave out what is unchanged first where there are thousands', () => {
    const outputs = outputsOf(manyDeployments(20_000, 10, []));
    expect(total(outputs)).toBeLessThan(500_000);
    expect(outputs.warnings[0]).toBe('The output deployments holds 10 of 20000: GitHub takes 1 MB of a job.');
    const planned = JSON.parse(outputs.values.plan ?? '') as { left_out: { unchanged: number }; deployments: object[] };
    expect(planned.deployments.length + planned.left_out.unchanged).toBe(20_000);
    expect(planned.deployments[0]).toMatchObject({ name: 'f/number-0', action: 'change' });
  });
});
