import { readFileSync } from 'node:fs';
import { type Json, type JsonObject, parseJson } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import { problemsOf } from '../problem.ts';
import { loadProject } from './load.ts';
import type { Entry, Project, StepList } from './model.ts';

function load(text: string, prefectFile = 'prefect.yaml'): Promise<Project> {
  return loadProject({
    directory: '/repo/project',
    prefectFile,
    repositoryRoot: '/repo',
    files: { readText: async () => text },
  });
}

/** Each problem as `file:line:column message`. */
async function problemsIn(text: string): Promise<string[]> {
  return await load(text).then(
    () => [],
    (error: unknown) => {
      const problems = problemsOf(error);
      if (problems === undefined) throw error;
      return problems.map(({ message, where }) => `${where?.file}:${where?.line}:${where?.column} ${message}`);
    },
  );
}

async function remediesIn(text: string): Promise<string[]> {
  return await load(text).then(
    () => [],
    (error: unknown) => problemsOf(error)?.map((problem) => problem.remedy) ?? ['not a Problem'],
  );
}

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
    const project = await load(golden.yaml);
    expect(project.entries.map(dump)).toEqual(withoutOwner(wanted));
  });

  it('lists no deviation for a case that does not exist', () => {
    const names = goldens.map((golden) => golden.name);
    expect(Object.keys(deviations).filter((name) => !names.includes(name))).toEqual([]);
  });
});

describe('errors in prefect.yaml', () => {
  it('reports everything wrong at once, each with file, line, column, key and reason', async () => {
    const text = `name: 5
build:
- run: echo
deployments:
- name: arthur
  version: 1.0
  paused: maybe
  work_pool: {name: k8s, job_variables: {1: a}}
- version: 2
  schedules:
  - cron: "* * * * *"
    foo: 1
work_pools:
- nmae: k8s
`;
    expect(await problemsIn(text)).toEqual([
      'project/prefect.yaml:1:1 name must be text, not the number 5',
      'project/prefect.yaml:6:3 deployment arthur: version must be text, not the number 1.0',
      'project/prefect.yaml:7:3 deployment arthur: paused must be true or false, not "maybe"',
      'project/prefect.yaml:9:3 deployment #2: version must be text, not the number 2',
      'project/prefect.yaml:12:5 deployment #2: schedules[0].foo is not a known key',
      'project/prefect.yaml:14:3 work pool #1: nmae is not a known key',
      'project/prefect.yaml:14:3 work pool #1: name must be text, not null',
      'project/prefect.yaml:8:42 deployment arthur: work_pool.job_variables has the key 1, which is no text in YAML',
      'project/prefect.yaml:3:3 build[0] must give its inputs as a mapping',
    ]);
  });

  it.each([
    ['an unquoted version', 'deployments: [{version: 1.0}]', "Put it in quotes: version: '1.0'"],
    ['an unquoted date', 'deployments: [{description: 2024-01-01}]', "Put it in quotes: description: '2024-01-01'"],
    ['a key that is a number', 'deployments: [{parameters: {1: a}}]', "Put the key in quotes: '1':"],
    [
      'a placeholder where none is taken',
      'deployments: [{paused: "{{ x }}"}]',
      'Write the value itself: Prefect takes no placeholder for paused.',
    ],
    [
      'an unknown schedule key',
      'deployments: [{schedules: [{corn: x}]}]',
      'Known keys: cron, interval, rrule, timezone, anchor_date, active, parameters, slug, replaces, day_or.',
    ],
  ])('says how to mend %s', async (_what, text, remedy) => {
    expect((await remediesIn(text))[0]).toBe(remedy);
  });

  it.each([
    ['an empty file', '', '1:1 project/prefect.yaml is empty'],
    ['a file of comments', '# nothing\n', '1:1 project/prefect.yaml is empty'],
    ['a list', '- a\n', '1:1 project/prefect.yaml is not a mapping'],
    ['two documents', 'a: 1\n---\nb: 2\n', '2:1 project/prefect.yaml holds more than one YAML document'],
    ['a control character', 'a: "\u0007"\n', '1:5 project/prefect.yaml holds the control character U+0007'],
    ['broken UTF-8', 'a: \ufffd\n', '1:4 project/prefect.yaml is not UTF-8 text'],
    ['an alias of nothing', 'a: *b\n', '1:4 project/prefect.yaml: the alias *b has no anchor &b before it'],
    ['an alias of itself', 'a: &b [*b]\n', '1:8 project/prefect.yaml: the alias *b stands inside its own anchor'],
    ['a list as key', '? [a]\n: b\n', '1:3 project/prefect.yaml: a list or mapping cannot be a key'],
    ['an impossible date', 'a: 2024-13-45\n', '1:4 project/prefect.yaml: 2024-13-45 is not a real date'],
    ['an unknown tag', 'a: !foo b\n', '1:9 project/prefect.yaml: the tag !foo is not one that prefect.yaml can hold'],
    ['deployments: null', 'deployments:\n', '1:1 deployments must be a list, not null'],
  ])('refuses %s', async (_what, text, problem) => {
    expect(await problemsIn(text)).toEqual([`project/prefect.yaml:${problem}`]);
  });

  it('refuses a syntax error where it stands', async () => {
    const [first] = await problemsIn('deployments:\n- name: a\n  tags: [x\n');
    expect(first).toMatch(/^project\/prefect\.yaml:4:1 project\/prefect\.yaml is not valid YAML: .*\]/);
  });

  it('refuses a file over 5 MB before parsing it', async () => {
    expect(await problemsIn(`a: "${'x'.repeat(5 * 1024 * 1024)}"\n`)).toEqual([
      'project/prefect.yaml:1:1 project/prefect.yaml is larger than 5 MB',
    ]);
  });

  it('refuses aliases that multiply', async () => {
    const levels = Array.from({ length: 20 }, (_, level) => {
      const inside = level === 0 ? '[x, x]' : `[*l${level - 1}, *l${level - 1}]`;
      return `l${level}: &l${level} ${inside}`;
    });
    expect(await problemsIn(levels.join('\n'))).toEqual([
      'project/prefect.yaml:1:1 project/prefect.yaml: aliases and merges expand to more than 100000 values',
    ]);
  });

  it('refuses merges that multiply', async () => {
    const levels = Array.from({ length: 1000 }, (_, level) => {
      return `l${level}: &l${level} {${level === 0 ? '' : `<<: *l${level - 1}, `}k${level}: 1}`;
    });
    const [problem] = await problemsIn(levels.join('\n'));
    expect(problem).toContain('aliases and merges expand to more than 100000 values');
  });

  it('refuses nesting that no stack can hold', async () => {
    const [problem] = await problemsIn(`a: ${'['.repeat(200_000)}`);
    expect(problem).toMatch(/nested too deeply|not valid YAML/);
  });

  it.each([
    ['ENOENT', 'there is no project/missing.yaml'],
    ['EISDIR', 'project/missing.yaml is a directory'],
    ['EACCES', 'project/missing.yaml cannot be read: EACCES'],
  ])('tells of a file that cannot be read: %s', async (code, message) => {
    const readText = () => Promise.reject(Object.assign(new Error(code), { code }));
    const loading = loadProject({
      directory: '/repo/project',
      prefectFile: 'missing.yaml',
      repositoryRoot: '/repo',
      files: { readText },
    });
    await expect(loading).rejects.toThrow(message);
  });
});

describe('a loaded project', () => {
  it('knows where each key of an entry stands, by dotted path', async () => {
    const project = await load(`deployments:
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
    const project = await load(`build:
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

  it.each([
    ['no inputs', 'build:\n- a.b:\n', 'build[0] has no inputs'],
    ['inputs that are a list', 'build: [{a.b: [1]}]', 'build[0] must give its inputs as a mapping'],
    [
      'two functions',
      'build: [{a.b: {}, c.d: {}}]',
      'build[0] has more than one key (a.b, c.d): a step is one function',
    ],
    [
      'requires that is no text',
      'build: [{a.b: {requires: 5}}]',
      'build[0] must give `requires` as text or a list of texts',
    ],
    [
      'a step of a deployment',
      'deployments: [{name: x, push: [5]}]',
      'deployment x: push[0] must be a mapping of a function to its inputs',
    ],
  ])('refuses a step with %s', async (_what, text, message) => {
    expect((await problemsIn(text)).map((problem) => problem.replace(/^\S+ /, ''))).toEqual([message]);
  });

  it('skips empty steps as Prefect does', async () => {
    expect((await load('build: [{}, {a.b: {}}]')).build).toMatchObject({ steps: [{ function: 'a.b' }] });
  });

  it('warns of an id that no placeholder can name', async () => {
    const { warnings, build } = await load('build: [{a.b: {id: on}}]');
    expect(warnings).toMatchObject([
      { message: expect.stringContaining('the id true is no text'), where: { line: 1 } },
    ]);
    expect(build).toMatchObject({ steps: [{ id: undefined }] });
  });

  it('warns of tags written as one text, which Prefect splits into characters', async () => {
    const { warnings } = await load('deployments:\n- name: a\n  tags: a,b\n- name: b\n  tags: "{{ x }}"\n');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({ message: expect.stringContaining('single characters'), where: { line: 3 } });
  });

  it('reads carriage returns as line ends', async () => {
    const { entries } = await load('deployments:\r\n- name: a\r\n  description: |\r\n    x\r\n    y\r\n');
    expect(entries[0]?.settings.description).toBe('x\ny\n');
  });

  it('does not end a block text with a newline that the file does not have', async () => {
    const { entries } = await load('deployments:\n- description: |\n    x');
    expect(entries[0]?.settings.description).toBe('x');
  });
});

describe('work_pools', () => {
  it('keeps only what is written', async () => {
    const { workPools } = await load(`work_pools:
- name: kubernetes
  type: kubernetes
  concurrency_limit: null
  base_job_template: template.yaml
  variables: {namespace: prefect, env: {A: "1"}}
  patch: [{op: add, path: /a, value: {b: null}}]
  queues: [{name: high, priority: 1}]
- name: other
  base_job_template: default
- {name: third, base_job_template: {variables: {}}}
`);
    const position = expect.objectContaining({ file: 'project/prefect.yaml' });
    const rest = { where: position, positions: expect.any(Map) };
    expect(workPools).toEqual([
      {
        name: 'kubernetes',
        type: 'kubernetes',
        concurrency_limit: null,
        base_job_template: { kind: 'file', path: 'template.yaml', where: position },
        variables: { namespace: 'prefect', env: { A: '1' } },
        patch: [{ op: 'add', path: '/a', value: { b: null } }],
        queues: [{ name: 'high', priority: 1 }],
        ...rest,
      },
      { name: 'other', type: undefined, base_job_template: { kind: 'default' }, ...rest },
      { name: 'third', type: undefined, base_job_template: { kind: 'inline', template: { variables: {} } }, ...rest },
    ]);
  });

  it.each([
    ['an unknown key', '{name: a, tpye: x}', 'work pool a: tpye is not a known key'],
    ['no name', '{type: x}', 'work pool #1: name must be text, not null'],
    ['an empty name', '{name: ""}', 'work pool #1: name must not be empty'],
    [
      'a negative limit',
      '{name: a, concurrency_limit: -1}',
      'work pool a: concurrency_limit must be a whole number from 0 up, not the number -1',
    ],
    [
      'an unknown patch operation',
      '{name: a, patch: [{op: put, path: /a}]}',
      'work pool a: patch[0].op must be one of add, remove, replace, move, copy, test, not "put"',
    ],
    ['a patch that is no list', '{name: a, patch: {}}', 'work pool a: patch must be a list, not a mapping'],
    [
      'an unknown queue key',
      '{name: a, queues: [{name: q, prio: 1}]}',
      'work pool a: queues[0].prio is not a known key',
    ],
    [
      'a variable name that is no text',
      '{name: a, variables: {1: x}}',
      'work pool a: variables has the key 1, which is no text in YAML',
    ],
  ])('refuses %s', async (_what, pool, message) => {
    expect((await problemsIn(`work_pools:\n- ${pool}\n`)).map((problem) => problem.replace(/^\S+ /, ''))).toEqual([
      message,
    ]);
  });

  it('refuses two of one name', async () => {
    expect(await problemsIn('work_pools:\n- name: a\n- name: a\n')).toEqual([
      'project/prefect.yaml:3:3 the work pool a is described twice',
    ]);
  });
});
