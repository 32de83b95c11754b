import { readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KNOWN_AT_DEPLOY } from './foresight.ts';
import { prepare } from './prepare.ts';
import { ofSteps, prepared, SHELL } from './testing-prepare.ts';
import { project, refused, run } from './testing-python-step.ts';
import { makeDirectory, testContext } from './testing-run.ts';

const temporary = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('slipway-step-')).sort();

describe('a step of the project', () => {
  it('takes its inputs with their types and gives its outputs, under its id and by themselves', async () => {
    const { outputs, logged } = await run(
      `{my_team.steps.show: {id: shown, a: 1, b: 1.0, c: null, d: {e: [true]}, f: "{{ slipway.short_sha }}", g: é}}`,
    );
    expect(JSON.stringify(outputs?.shown)).toBe('{"a":1,"b":1.0,"c":null,"d":{"e":[true]},"f":"0123456","g":"é"}');
    expect(outputs?.f).toBe('0123456');
    expect(logged).toEqual(['> x: show (id shown)', "shown ['a', 'b', 'c', 'd', 'e', 'f', 'g']".replace(" 'e',", '')]);
  });

  it.each([
    ['a coroutine', '{my_team.steps.later: {seconds: 0.01}}', { waited: 0.01 }],
    ['a method', '{"my_team.steps:Group.inside": {}}', { from: 'a class' }],
    ['a function in a script', '{"my_team/steps.py:Group.inside": {}}', { from: 'a class' }],
    ['one whose result is no mapping', '{my_team.steps.listing: {}}', {}],
  ])('may be %s', async (_what, step, expected) => {
    const { outputs } = await run(step);
    expect(JSON.parse(JSON.stringify(ofSteps(outputs ?? {})))).toEqual(expected);
  });

  it('gives values that JSON does not know as the text Python makes of them', async () => {
    const { outputs } = await run(`{my_team.steps.odd: {id: odd}}`);
    expect(JSON.stringify(outputs?.odd)).toBe(
      '{"1":"one","path":"a/b","when":"2026-01-02","pair":[1,2.0],"big":1180591620717411303424,"nan":"nan",' +
        '"deep":{"list":[{"x":true}]},"nothing":null,"text":"\\ud800é"}',
    );
  });

  it('changes the directory for the steps after it', async () => {
    const { outputs, directory } = await run(`{my_team.steps.change: {}}, {${SHELL}: {script: pwd}}`);
    expect(outputs?.stdout).toBe(join(directory, 'sub'));
  });

  it('gets no input by argument, environment or disk, finds no standard input, and leaves no file', async () => {
    const before = await temporary();
    const readers = {
      readBlockDocument: async () => ({ value: 'hunter2secret' }),
      readBlockDocumentById: async () => undefined,
      readVariable: async () => undefined,
    };
    const { outputs, logged, directory } = await run(
      `{my_team.steps.show: {id: shown, token: "{{ prefect.blocks.secret.s }}"}}, {my_team.steps.look: {id: seen}}`,
      { readers, env: { MARK: 'm' } },
    );
    expect(outputs?.shown).toEqual({ token: 'hunter2secret' });
    expect(outputs?.seen).toMatchObject({ argv: [], stdin: '', here: directory, env: { MARK: 'm' } });
    expect(JSON.stringify(outputs?.seen)).not.toContain('hunter2');
    expect(logged.join('\n')).not.toContain('hunter2');
    expect(await temporary()).toEqual(before);
  });

  it('may not be shadowed by what the program imports, nor shadow it', async () => {
    const directory = await project();
    await writeFile(join(directory, 'json.py'), 'raise SystemExit("shadow")');
    await writeFile(join(directory, 'step.py'), 'def mine(): return {"whose": "the project"}');
    const { outputs } = await run('{step.mine: {}}', { directory });
    expect(outputs?.whose).toBe('the project');
  });
});

describe('a step that Python cannot run', () => {
  it('says what is missing, for which Python, and what else to do', async () => {
    const { message, remedy, where } = await refused(
      '{slipway_test_gone.deployments.steps.push_to_s3: {id: up, bucket: b}}',
    );
    expect(message).toMatch(
      /^the step push_to_s3 \(id up\) is slipway_test_gone\.deployments\.steps\.push_to_s3, which Python 3\.\d+\.\d+ \(.+\) cannot import: No module named 'slipway_test_gone'$/,
    );
    expect(remedy).toMatch(/slipway-test-gone installed.*aws s3 sync.*requires: slipway-test-gone/);
    expect(where).toMatchObject({ line: 1 });
  });

  it.each([
    ['a function that is not there', '{my_team.steps.nope: {}}', /cannot import: AttributeError: .*'nope'/],
    ['a script that is not there', '{"gone.py:f": {}}', /cannot import: ImportError: .*gone\.py/],
    [
      'inputs it does not take',
      '{my_team.steps.later: {minutes: 1}}',
      /failed with TypeError: .*unexpected keyword argument 'minutes'/,
    ],
    ['an exception', '{my_team.steps.boom: {token: ab}}', /^the step boom failed with ValueError: cannot use ab$/],
    ['sys.exit', '{my_team.steps.leave: {}}', /failed with SystemExit: exit code 3/],
    ['a sudden end', '{my_team.steps.die: {}}', /ended Python with exit code 7/],
    ['a name without a module', '{notify: {}}', /is no full name of a function/],
  ])('says why: %s', async (_what, step, message) => {
    expect((await refused(step)).message).toMatch(message);
  });

  it('shows no secret in its error', async () => {
    const readers = {
      readBlockDocument: async () => ({ value: 'hunter2secret' }),
      readBlockDocumentById: async () => undefined,
      readVariable: async () => undefined,
    };
    const { message } = await refused('{my_team.steps.boom: {token: "{{ prefect.blocks.secret.s }}"}}', { readers });
    expect(message).toContain('cannot use ***');
  });

  it('is refused before any step runs when there is no Python', async () => {
    const directory = await makeDirectory();
    const { message, remedy } = await refused(`{${SHELL}: {script: touch made}}, {my_team.steps.show: {}}`, {
      directory,
      env: { PATH: directory },
    });
    expect(message).toBe('the step show is my_team.steps.show, which runs in Python, and there is none on the PATH');
    expect(remedy).toContain('my-team installed');
    expect(await readdir(directory)).toEqual([]);
  });

  it('ends when the job is cancelled', async () => {
    const directory = await project();
    const context = await testContext({
      text: 'build: [{my_team.steps.later: {seconds: 60}}]\ndeployments: [{name: x}]',
      directory,
    });
    const cancelling = new AbortController();
    const world = { ...context.world, signal: cancelling.signal };
    const running = prepare(context.project.entries, { ...context, world });
    setTimeout(() => cancelling.abort(new Error('cancelled')), 300);
    await expect(running).rejects.toThrow('cancelled');
  });
});

describe('in plan mode', () => {
  it('nothing of it runs, its secrets are not read, and what others read of it is known at deploy', async () => {
    const directory = await project();
    const text = `build:
- my_team.steps.show: {id: own, token: "{{ prefect.blocks.secret.s }}"}
- prefect_aws.deployments.steps.push_to_s3: {id: up, bucket: b, folder: "{{ $FOLDER }}", credentials: "{{ prefect.blocks.aws.c }}"}
- ${SHELL}: {id: sha, script: git --version}
pull:
- prefect_aws.deployments.steps.pull_from_s3: {bucket: "{{ up.bucket }}", folder: "{{ up.folder }}"}
deployments:
- name: x
  version: "{{ own.version }}"
  parameters: {a: "{{ own.list[1].x }}", b: "{{ flat.name }}", c: "{{ ctx.flow_run.id }}", d: "{{ sha.stdout }}"}
`;
    const { entries, logged } = await prepared(text, {
      mode: 'plan',
      directory,
      env: { FOLDER: 'f' },
      readers: {
        readBlockDocument: () => Promise.reject(new Error('a block was read')),
        readBlockDocumentById: async () => undefined,
        readVariable: async () => undefined,
      },
    });
    const { own, up, flat, ctx } = entries[0]?.outputs ?? {};
    expect(own).toMatchObject({ version: KNOWN_AT_DEPLOY, list: [KNOWN_AT_DEPLOY, { x: KNOWN_AT_DEPLOY }] });
    expect(up).toMatchObject({ bucket: 'b', folder: 'f' });
    expect({ flat, ctx }).toEqual({ flat: { name: KNOWN_AT_DEPLOY }, ctx: undefined });
    expect(entries[0]?.unknown).toContain('own.version');
    expect(logged.join('\n')).not.toContain('shown');
  });
});
