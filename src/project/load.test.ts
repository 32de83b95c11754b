import { readFileSync } from 'node:fs';
import { type Json, type JsonObject, parseJson } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import type { Entry, StepList } from './model.ts';
import { problemsIn, projectFrom } from './testing-project.ts';

/** The entry the way Prefect dumps it, steps included. */
function dump(entry: Entry): Json {
  const steps = (list: StepList): JsonObject[] | null => (list.kind === 'list' ? list.steps.map((s) => s.raw) : null);
  const phases = Object.entries({ build: entry.build, push: entry.push, pull: entry.pull })
    .filter(([, list]) => list.kind !== 'absent')
    .map(([phase, list]) => [phase, steps(list)]);
  const own = Object.entries({ name: entry.name, entrypoint: entry.entrypoint }).filter(([, value]) => value);
  return Object.fromEntries([...own, ...Object.entries(entry.settings), ...phases]);
}

interface Case {
  name: string;
  yaml: string;
  deployments: Json[] | null;
}
const goldens = parseJson(
  readFileSync(new URL('./fixtures/yaml-load.json', import.meta.url), 'utf8'),
) as unknown as Case[];

const REFUSED = 'refused';
/** Where we differ from what Prefect loads, each with its reason; every other golden is met exactly. */
const deviations: Readonly<Record<string, { ours: Json[] | typeof REFUSED; because: string }>> = {
  'tags null': { ours: [{}], because: 'difference 6: Prefect crashes on it later' },
  'params null': { ours: [{}], because: 'difference 6: Prefect loses the file over it' },
  'wp null': { ours: [{}], because: 'difference 6: Prefect crashes on it later' },
  'wp jv null': { ours: [{ work_pool: { name: 'a' } }], because: 'difference 6: Prefect loses the file over it' },
  'tags ints': { ours: [{ tags: ['1', '2.5', 'True', 'None'] }], because: 'str() is taken here, not when sending' },
  'build {}': { ours: [{ build: null }], because: 'the same to Prefect in every phase' },
  'build map2': { ours: REFUSED, because: 'Prefect refuses the step when it runs: unexpected additional keys' },
  'sched empty': { ours: REFUSED, because: 'Prefect fails later: Unknown schedule type' },
  'sched nested schedule': { ours: REFUSED, because: 'Prefect fails later: Unknown schedule type' },
  'sched nested max': { ours: REFUSED, because: 'Prefect fails later: Unknown schedule type' },
  'schedules: [{schedule: {}}]': { ours: REFUSED, because: 'Prefect fails later: Unknown schedule type' },
  'schedule both': { ours: REFUSED, because: 'Prefect fails later: both keys are present' },
};

function expected(golden: Case): Json[] | typeof REFUSED {
  const deviation = deviations[golden.name];
  if (deviation !== undefined) return deviation.ours;
  return golden.deployments ?? REFUSED;
}

/** Prefect's dump of an SLA has `owner_resource: null`, which is only known once the deployment is. */
function withoutOwner(value: Json): Json {
  return parseJson(JSON.stringify(value).replaceAll(',"owner_resource":null', ''));
}

describe('what is loaded from prefect.yaml, against Prefect 3.8.8', () => {
  it.each(goldens)('$name', async (golden) => {
    const wanted = expected(golden);
    if (wanted === REFUSED) {
      expect(await problemsIn(golden.yaml)).not.toEqual([]);
      return;
    }
    const project = await projectFrom(golden.yaml);
    expect(project.entries.map(dump)).toEqual(withoutOwner(wanted));
  });

  it('has every case of the contract, with the same verdict', () => {
    const lines = readFileSync(new URL('./fixtures/yaml-load-results.txt', import.meta.url), 'utf8')
      .trim()
      .split('\n');
    const verdicts = lines.flatMap((line) => {
      const [, single, double, file] = /^(?:'(.*?)'|"(.*?)"): |^([a-z -]+) -> /.exec(line) ?? [];
      const name = single ?? double ?? file;
      return name === undefined ? [] : [{ name, accepted: !line.includes('-> [] ') }];
    });
    expect(verdicts).toHaveLength(84);
    for (const { name, accepted } of verdicts) {
      const golden = goldens.find((one) => one.name === name);
      expect({ name, accepted: (golden?.deployments?.length ?? 0) > 0 }).toEqual({ name, accepted });
    }
  });

  it('lists no deviation for a case that does not exist', () => {
    const names = goldens.map((golden) => golden.name);
    expect(Object.keys(deviations).filter((name) => !names.includes(name))).toEqual([]);
  });
});

describe('a loaded project', () => {
  it('knows where each key of an entry stands, by dotted path', async () => {
    const project = await projectFrom(`deployments:
- name: a
  work_pool:
    job_variables:
      image: x
  schedules:
  - cron: "* * * * *"
`);
    const positions = project.entries[0]?.positions;
    expect(positions?.get('work_pool.job_variables.image')).toEqual({
      file: 'project/prefect.yaml',
      line: 5,
      column: 7,
    });
    expect(positions?.get('schedules.0.cron')).toMatchObject({ line: 7, column: 5 });
    expect(project.entries[0]?.where).toMatchObject({ line: 2, column: 3 });
  });

  it('keeps ids and requirements of steps apart from their inputs, and the step as written beside them', async () => {
    const project = await projectFrom(`build:
- prefect.deployments.steps.run_shell_script:
    id: sha
    requires: [a, b>=1]
    script: git rev-parse HEAD
push: null
pull: []
`);
    expect(project.build).toEqual({
      kind: 'list',
      where: { file: 'project/prefect.yaml', line: 1, column: 1 },
      steps: [
        {
          function: 'prefect.deployments.steps.run_shell_script',
          id: 'sha',
          requires: ['a', 'b>=1'],
          inputs: { script: 'git rev-parse HEAD' },
          raw: {
            'prefect.deployments.steps.run_shell_script': {
              id: 'sha',
              requires: ['a', 'b>=1'],
              script: 'git rev-parse HEAD',
            },
          },
          where: { file: 'project/prefect.yaml', line: 2, column: 3 },
        },
      ],
    });
    expect(project.push.kind).toBe('null');
    expect(project.pull).toMatchObject({ kind: 'list', steps: [] });
  });

  it('skips empty steps as Prefect does', async () => {
    expect((await projectFrom('build: [{}, {a.b: {}}]')).build).toMatchObject({ steps: [{ function: 'a.b' }] });
  });

  it('warns of an id that no placeholder can name', async () => {
    const { warnings, build } = await projectFrom('build: [{a.b: {id: on}}]');
    expect(warnings).toMatchObject([
      { message: expect.stringContaining('the id true is no text'), where: { line: 1 } },
    ]);
    expect(build).toMatchObject({ steps: [{ id: undefined }] });
  });

  it('warns of tags written as one text, which Prefect splits into characters', async () => {
    const { warnings } = await projectFrom('deployments:\n- name: a\n  tags: a,b\n- name: b\n  tags: "{{ x }}"\n');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({ message: expect.stringContaining('single characters'), where: { line: 3 } });
  });

  it('reads carriage returns as line ends', async () => {
    const { entries } = await projectFrom('deployments:\r\n- name: a\r\n  description: |\r\n    x\r\n    y\r\n');
    expect(entries[0]?.settings.description).toBe('x\ny\n');
  });

  it('does not end a block text with a newline that the file does not have', async () => {
    const { entries } = await projectFrom('deployments:\n- description: |\n    x');
    expect(entries[0]?.settings.description).toBe('x');
  });
});
