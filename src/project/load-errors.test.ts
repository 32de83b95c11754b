import { describe, expect, it } from 'vitest';
import { problemsOf } from '../problem.ts';
import { loadProject } from './load.ts';
import { problemsIn, projectFrom } from './testing-project.ts';

async function remediesIn(text: string): Promise<string[]> {
  return await projectFrom(text).then(
    () => [],
    (error: unknown) => problemsOf(error)?.map((problem) => problem.remedy) ?? ['not a Problem'],
  );
}

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

  it('counts lines right after a syntax error over several', async () => {
    const text = 'a: 1\n]   b:\n  c: |\n    d\n  e: {f: "g\n\n  h"}\ni: j: k\n';
    const places = (await problemsIn(text)).map((problem) => problem.split(' ')[0]);
    expect(places.every((place) => Number(place?.split(':')[1]) <= 8)).toBe(true);
    expect(places[0]).toBe('project/prefect.yaml:2:1');
  });

  it('refuses a file over 5 MB before parsing it', async () => {
    expect(await problemsIn(`a: "${'x'.repeat(5 * 1024 * 1024)}"\n`)).toEqual([
      'project/prefect.yaml:1:1 project/prefect.yaml is larger than 5 MB',
    ]);
  });

  it('refuses a billion laughs in no time', async () => {
    const lines = [
      'l0: &l0 lol',
      ...Array.from({ length: 9 }, (_, n) => `l${n + 1}: &l${n + 1} [${Array(10).fill(`*l${n}`).join(', ')}]`),
    ];
    const before = process.cpuUsage();
    const [problem] = await problemsIn(lines.join('\n'));
    const { user, system } = process.cpuUsage(before);
    expect(problem).toContain('aliases and merges expand to more than 100000 values');
    expect((user + system) / 1e6).toBeLessThan(0.5);
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

  it.each([
    ['brackets that never end', `a: ${'['.repeat(200_000)}`],
    ['brackets', `a: ${'['.repeat(500)}${']'.repeat(500)}`],
    ['mappings', Array.from({ length: 3000 }, (_, level) => `${' '.repeat(level)}a:`).join('\n')],
    ['aliases', Array.from({ length: 300 }, (_, n) => `a${n}: &a${n} [${n === 0 ? 'x' : `*a${n - 1}`}]`).join('\n')],
  ])('refuses nesting that no stack should hold: %s', async (_what, text) => {
    const [problem] = await problemsIn(text);
    expect(problem).toMatch(/project\/prefect\.yaml is nested too deeply$/);
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

describe('errors in steps', () => {
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
});
