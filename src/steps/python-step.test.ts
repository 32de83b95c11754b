import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { problemsOf } from '../problem.ts';
import { KNOWN_AT_DEPLOY } from './foresight.ts';
import { prepare } from './prepare.ts';
import { prepared, SHELL } from './testing-prepare.ts';
import { makeDirectory, type TestSettings, testContext } from './testing-run.ts';

const MODULE = `
import asyncio, datetime, enum, os, pathlib, sys

def show(**inputs):
    print("shown", sorted(inputs))
    return inputs

async def later(seconds=0):
    await asyncio.sleep(seconds)
    return {"waited": seconds}

def odd():
    return {
        "path": pathlib.PurePosixPath("a/b"), "when": datetime.date(2026, 1, 2), "pair": (1, 2.0), "big": 2**70,
        "nan": float("nan"), 1: "one", "deep": {"list": [{"x": True}]}, "nothing": None, "text": "\\ud800é",
    }

def listing():
    return ["no dict"]

def change():
    os.chdir("sub")
    return {}

def boom(token):
    print("about to fail", file=sys.stderr)
    raise ValueError("cannot use " + token)

def leave():
    sys.exit(3)

def die():
    os._exit(7)

def look():
    return {"argv": sys.argv[1:], "stdin": sys.stdin.read(), "env": dict(os.environ), "here": os.getcwd()}

class Group:
    @staticmethod
    def inside():
        return {"from": "a class"}
`;

/** A project with a team's own steps in `my_team/steps.py`. */
async function project(): Promise<string> {
  const directory = await makeDirectory();
  await mkdir(join(directory, 'my_team'));
  await mkdir(join(directory, 'sub'));
  await writeFile(join(directory, 'my_team/steps.py'), MODULE);
  return directory;
}

async function run(steps: string, settings: TestSettings = {}) {
  const directory = settings.directory ?? (await project());
  return await prepared(`build: [${steps}]\ndeployments: [{name: x}]`, { ...settings, directory });
}

async function refused(steps: string, settings: TestSettings = {}) {
  const thrown = await run(steps, settings).catch((error: unknown) => error);
  const [problem] = problemsOf(thrown) ?? [];
  if (problem === undefined) throw thrown;
  return problem;
}

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
    const { slipway: _slipway, ...rest } = outputs ?? {};
    expect(JSON.parse(JSON.stringify(rest))).toEqual(expected);
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

describe('what a step requires', () => {
  /** A Python whose pip, which is none and reaches no index, installs the module `slipway_test_wanted`, or fails, and writes down what it was asked for. */
  async function withPip(pip: string): Promise<{ PATH: string; asked: () => Promise<string>; directory: string }> {
    const directory = await project();
    const fake = await makeDirectory();
    await mkdir(join(fake, 'lib/pip'), { recursive: true });
    await mkdir(join(fake, 'bin'));
    const asked = join(fake, 'asked');
    await writeFile(join(fake, 'lib/pip/__init__.py'), '');
    await writeFile(
      join(fake, 'lib/pip/__main__.py'),
      `import sys\nopen(${JSON.stringify(asked)}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\nprint('pip at work')\n${pip}`,
    );
    const executable = await pythonExecutable();
    await writeFile(
      join(fake, 'bin/python'),
      `#!/bin/sh\nPIP_NO_INDEX=1 PYTHONPATH=${fake}/lib exec ${executable} "$@"\n`,
      {
        mode: 0o755,
      },
    );
    return {
      PATH: `${join(fake, 'bin')}${delimiter}${process.env.PATH}`,
      asked: () => readFile(asked, 'utf8').catch(() => ''),
      directory,
    };
  }

  async function pythonExecutable(): Promise<string> {
    const context = await testContext();
    const { stdout } = await context.world.exec('python3', ['-c', 'import sys; print(sys.executable)'], {
      cwd: '/',
      env: context.world.env,
      signal: context.world.signal,
    });
    return stdout.trim();
  }

  const INSTALL = `import os\nopen(os.path.join(os.path.dirname(os.path.dirname(__file__)), 'slipway_test_wanted.py'), 'w').write('def go(): return {"went": 1}')`;

  it('is installed when it cannot be imported, all of it, with Prefect’s own integrations as extras', async () => {
    const { PATH, asked, directory } = await withPip(INSTALL);
    const { outputs, logged } = await run(
      '{slipway_test_wanted.go: {requires: ["slipway-test-wanted>=1", prefect-aws, prefect-gcp>=0.6]}}',
      { directory, env: { PATH } },
    );
    expect(outputs?.went).toBe(1);
    expect(await asked()).toMatch(
      /^install (?:prefect==\S+ )?slipway-test-wanted>=1 prefect\[aws\] prefect-gcp>=0\.6\n$/,
    );
    expect(logged).toContain('pip at work');
  });

  it('is left alone when it is there', async () => {
    const { PATH, asked, directory } = await withPip(INSTALL);
    await run('{my_team.steps.show: {requires: my-team~=2}}', { directory, env: { PATH } });
    expect(await asked()).toBe('');
  });

  it('may fail to install when the function can be imported all the same', async () => {
    const { PATH, directory } = await withPip('sys.exit(4)');
    const { outputs } = await run('{my_team.steps.show: {requires: slipway-test-gone, a: 1}}', {
      directory,
      env: { PATH },
    });
    expect(outputs?.a).toBe(1);
  });

  it('is told of in the error otherwise', async () => {
    const { PATH, directory } = await withPip('sys.exit(4)');
    const { message } = await refused('{slipway_test_gone.go: {requires: slipway-test-gone}}', {
      directory,
      env: { PATH },
    });
    expect(message).toContain(
      "cannot import: No module named 'slipway_test_gone'; installing what it requires failed with exit code 4",
    );
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
