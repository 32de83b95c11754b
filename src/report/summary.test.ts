import { describe, expect, it } from 'vitest';
import { deploymentName } from '../deploy/model.ts';
import { somePlan } from '../image/testing-plan.ts';
import { type Report, summaryMarkdown } from './summary.ts';
import { manyDeployments, report, where, withAutomations } from './testing-report.ts';

const asIs = (text: string) => text;
const bytes = (text: string) => Buffer.byteLength(text);
const BLOB = 'https://github.com/acme/hello/blob/1234567890123456789012345678901234567890/prefect.yaml';

describe('the job summary', () => {
  const summary = summaryMarkdown(report, asIs);

  it.each([
    ['links the commit', '[`1234567`](https://github.com/acme/hello/commit/1234567890123456789012345678901234567890)'],
    ['counts', '**1 created, 1 changed, 2 unchanged, 1 not written.**'],
    [
      'links a deployment, and where it stands in the file',
      `| deployment | [\`f/old\`](http://ui/deployments/deployment/id-2) | 🟡 changed tags, parameters | [prefect.yaml:20](${BLOB}#L20) |`,
    ],
    ['links a run and shows its state', '| [quick-fox](http://ui/runs/flow-run/r) | `f/old` | 🔴 Crashed | 12 s |'],
    ['says what failed', '- **deployment f/new**: 503 from the server'],
    ['marks what failed in the table', `| deployment | \`f/new\` | 🔴 not written | [prefect.yaml:12](${BLOB}#L12) |`],
    ['shows what changed as a difference', '```diff\n- tags: ["x|y"]\n+ tags: ["abc"]'],
    ['shows what is new of it', '+ entrypoint: "f.py:f"'],
    ['folds the names of what stays', '<details><summary>2 unchanged</summary>\n\n[`other`](http://ui/work-pools'],
  ])('%s', (_name, text) => {
    expect(summary).toContain(text);
  });

  it('lets nothing from outside become markup', () => {
    expect(summary).toContain('Fix &#60;script&#62; &#124; tables');
    // Within a block of code nothing is markup; a backtick there makes no fence.
    expect(summary).toContain('+ parameters.p: "<b>`"\n```');
  });

  it('says that a plan wrote nothing, and why', () => {
    const planned = summaryMarkdown(manyDeployments(1, 1, []), asIs);
    expect(planned).toContain('Nothing was written (the event is pull request #&#8203;7).');
    expect(planned).toContain('🟡 change |');
  });

  it.each<[Report['mode'], string | undefined, boolean, string]>([
    ['plan', undefined, true, '| `acme/hello:f3d46caf` | known at deploy |  |'],
    ['deploy', 'sha256:1', true, '| `acme/hello:f3d46caf` | `sha256:1` | 2.0 s |'],
    ['deploy', undefined, false, '| `acme/hello:f3d46caf` | not pushed | 2.0 s |'],
  ])('shows the image of a %s with the digest %s', (mode, digest, push, row) => {
    const image = { plan: somePlan({ push }), image: 'acme/hello:f3d46caf', imageRef: undefined, digest, seconds: 2 };
    expect(summaryMarkdown({ ...report, mode, images: [image] }, asIs)).toContain(row);
  });

  it.each<[string, Partial<Report>, string]>([
    ['no revision', { revision: { ...report.revision, sha: undefined } }, '| prefect.yaml:20 |'],
    [
      'a path that needs spelling',
      {
        plan: {
          ...report.plan,
          workPools: [{ action: 'unchanged', name: 'k', where }],
          deployments: [{ action: 'create', desired: strange() }],
        },
      },
      '[a b/#&#8203;1.yaml:1](https://github.com/acme/hello/blob/1234567890123456789012345678901234567890/a%20b/%231.yaml#L1)',
    ],
  ])('names the place with %s', (_name, changed, text) => {
    expect(summaryMarkdown({ ...report, ...changed }, asIs)).toContain(text);
  });

  it('shows a text of several lines below its field', () => {
    const changes = [{ field: 'description', before: 'one', after: 'one\ntwo' }];
    expect(summaryMarkdown(manyDeployments(1, 1, changes), asIs)).toContain(
      '  description:\n      one\n+     two\n```',
    );
  });

  it('opens few differences and folds many', () => {
    const changes = [{ field: 'version', before: 'a', after: 'b' }];
    expect(summaryMarkdown(manyDeployments(5, 1, changes), asIs)).toContain('<details open>');
    expect(summaryMarkdown(manyDeployments(50, 50, changes, 'apart'), asIs)).not.toContain('<details open>');
  });

  it('shows no secret that Markdown would spell otherwise', () => {
    const redact = (text: string) => text.replaceAll('<s3cret|>', '***');
    const failures = [{ what: 'deployment f/new', reason: 'refused "<s3cret|>"', where }];
    const shown = summaryMarkdown({ ...report, applied: { ...report.applied, failures } }, redact);
    expect(shown).toContain('refused "\\*\\*\\*"'.replaceAll('\\*', '&#42;'));
    expect(shown).not.toContain('s3cret');
  });
});

function strange(): Extract<Report['plan']['deployments'][number], { action: 'create' }>['desired'] {
  const [first] = report.plan.deployments;
  if (first === undefined) throw new Error('no deployment');
  return { ...first.desired, where: { file: 'a b/#1.yaml', line: 1, column: 1 } };
}

describe('a summary of many objects', () => {
  const changes = Array.from({ length: 20 }, (_, index) => ({
    field: `job_variables.v${index}`,
    before: 'x'.repeat(100),
    after: 'y'.repeat(100),
  }));

  it('is whole with 500 that change in a few fields', () => {
    const summary = summaryMarkdown(manyDeployments(500, 500, changes.slice(0, 3), 'apart'), asIs);
    expect(bytes(summary)).toBeLessThan(1024 * 1024);
    expect(summary).not.toContain('Left out here');
    expect(summary.match(/^\| deployment \|/gm)).toHaveLength(500);
  });

  it('shows once what many have in common, after what few have', () => {
    const version = [{ field: 'version', before: 'a', after: 'b' }];
    const { plan } = manyDeployments(500, 499, version);
    const [last] = manyDeployments(1, 1, [{ field: 'paused', before: true, after: false }]).plan.deployments;
    if (last === undefined) throw new Error('no deployment');
    const all = { ...report, mode: 'plan', plan: { ...plan, deployments: [...plan.deployments, last] } } as const;
    const summary = summaryMarkdown(all, asIs);
    expect(summary.match(/^<details.*$/gm)).toEqual([
      '<details open><summary><code>deployment f/number-0</code></summary>',
      '<details open><summary><code>deployment f/number-0</code> and 498 more are alike</summary>',
      '<details><summary>1 unchanged</summary>',
    ]);
  });

  it('stays below what GitHub takes, and counts what it leaves out', () => {
    const summary = summaryMarkdown(manyDeployments(1_000, 500, changes, 'apart'), asIs);
    expect(bytes(summary)).toBeLessThan(1024 * 1024);
    const shown = summary.match(/<details><summary><code>/g)?.length ?? 0;
    expect(shown).toBeGreaterThan(100);
    expect(summary).toContain(`the fields of ${500 - shown} objects`);
    expect(summary).toMatch(/All of it is in the log of this step, what changes in its group “Plan”\.\n$/);
  });

  it.each([3_000, 20_000, 100_000])('stays below %i bytes if it must', (limit) => {
    const summary = summaryMarkdown(manyDeployments(1_000, 500, changes, 'apart'), asIs, limit);
    expect(bytes(summary)).toBeLessThan(limit);
    expect(summary).toContain('**0 to create, 500 to change, 500 unchanged.**');
  });

  it('keeps failures before anything else', () => {
    const many = manyDeployments(500, 500, changes);
    const failures = [{ what: 'deployment f/number-9', reason: '503', where }];
    const applied = { ...report.applied, failures };
    expect(summaryMarkdown({ ...many, mode: 'deploy', applied }, asIs, 4_000)).toContain('f/number-9**: 503');
  });
});

describe('automations and SLAs in the job summary', () => {
  const written = { name: deploymentName('f', 'd'), id: 'id-d', action: 'unchanged' } as const;
  const at = `[prefect.yaml:4](${BLOB}#L4)`;

  it.each([
    `| automation | \`new of f/d\` | 🔴 not written | ${at} |`,
    `| automation | [\`old of f/d\`](http://ui/automations/automation/id-a) | 🟡 changed within | ${at} |`,
    `| automation | \`gone of f/d\` | 🟤 removed | ${at} |`,
    '| SLAs | `f/d` | 🔵 sent (slow; sent on every deploy',
    '**0 created, 1 changed, 1 removed, 1 unchanged, 1 not written.**',
  ])('are rows and counted: %s', (line) => {
    const failures = [{ what: 'automation new of f/d', reason: '422', where }];
    const applied = { ...report.applied, deployments: [written], failures };
    expect(summaryMarkdown({ ...report, plan: withAutomations, applied }, asIs)).toContain(line);
  });

  it.each([
    `| automation | \`new of f/d\` | 🔴 not written | ${at} |`,
    '| SLAs | `f/d` | 🔴 not written',
  ])('are not written when their deployment is not: %s', (line) => {
    const failures = [{ what: 'deployment f/d', reason: '503', where }];
    const applied = { ...report.applied, deployments: [], failures };
    expect(summaryMarkdown({ ...report, plan: withAutomations, applied }, asIs)).toContain(line);
  });
});
