import { describe, expect, it } from 'vitest';
import { type Exec, ExecNotStarted, type ExecResult, ExecTimeout } from '../../world.ts';
import { askImages } from './ask.ts';
import type { Question } from './model.ts';

const question = (entrypoint: string, more: Partial<Question> = {}): Question => ({
  image: 'localhost:5000/hello@sha256:1',
  isOurs: true,
  directories: ['/opt/prefect/hello'],
  entrypoint,
  ...more,
});
const OK: ExecResult = { exitCode: 0, stdout: '', stderr: '' };
const failed = (exitCode: number, stderr: string): ExecResult => ({ exitCode, stdout: '', stderr });

type Script = Partial<Record<'image' | 'pull' | 'run' | 'rm', (args: readonly string[], stdin: string) => ExecResult>>;

/** Docker as a script of its subcommands; what it was asked is kept. The real one is asked in test/e2e/schema.test.ts. */
async function ask(questions: readonly Question[], script: Script) {
  const commands: (readonly string[])[] = [];
  const exec: Exec = async (_command, args, { stdin }) => {
    commands.push(args);
    return (script[args[0] as keyof Script] ?? (() => OK))(args, stdin ?? '');
  };
  const log = { info() {}, debug() {}, warning() {}, group: <T>(_: string, body: () => Promise<T>) => body() };
  const answers = await askImages(questions, {
    world: {
      env: { PREFECT_API_KEY: 'hunter2', PATH: '/bin' },
      exec,
      log: { ...log, mask() {}, redact: (text) => text },
      random: () => 0.5,
      signal: new AbortController().signal,
    },
    cwd: '/r',
    signIn: async () => ({ env: {}, close: async () => undefined }),
  });
  return { answers, commands };
}

/** What the program prints: its word before each line. */
const says =
  (...lines: object[]) =>
  (args: readonly string[]): ExecResult => {
    const word = args.find((arg) => /^slipway-\w+:$/.test(arg)) ?? '';
    return {
      ...OK,
      stdout: `noise of the image\n${[{ kind: 'begun' }, ...lines].map((line) => `${word}${JSON.stringify(line)}\n`).join('')}`,
    };
  };

const told = (entrypoint: string, group = 0) => ({
  kind: 'flow',
  group,
  entrypoint,
  name: 'f',
  description: null,
  version: null,
  schema: { title: 'Parameters' },
});
const answer = { kind: 'flow', name: 'f', description: undefined, version: undefined, schema: { title: 'Parameters' } };

describe('the flows of an image', () => {
  it('are asked for in one container without network, secrets and this machine’s files', async () => {
    const { answers, commands } = await ask([question('a.py:a'), question('b.py:b')], {
      run: says(told('a.py:a'), told('b.py:b')),
    });
    expect(answers).toEqual([answer, answer]);
    expect(commands.map(([name]) => name)).toEqual(['image', 'run']);
    const run = commands[1] ?? [];
    expect(run.slice(0, run.indexOf('python'))).toEqual(
      expect.arrayContaining(['--rm', '--network', 'none', 'localhost:5000/hello@sha256:1']),
    );
    expect(run).not.toContain('--volume');
    expect(run.join(' ')).not.toContain('hunter2');
    expect(run).toContain('HTTPS_PROXY=');
  });

  it('are asked for by directory, each entrypoint once', async () => {
    const questions = [question('a.py:a'), question('a.py:a'), question('a.py:a', { directories: [] })];
    let asked: unknown;
    const { answers } = await ask(questions, {
      run: (args, stdin) => {
        asked = JSON.parse(stdin);
        return says(told('a.py:a', 0), { ...told('a.py:a', 1), name: 'g' })(args);
      },
    });
    expect(asked).toEqual([
      { directories: ['/opt/prefect/hello'], entrypoints: ['a.py:a'] },
      { directories: [], entrypoints: ['a.py:a'] },
    ]);
    expect(answers).toEqual([answer, answer, { ...answer, name: 'g' }]);
  });

  it.each<[string, boolean, Script, string[]]>([
    ['fetched when Docker has not got it', true, { image: () => failed(1, 'No such image') }, ['image', 'pull', 'run']],
    ['taken as it is when this run built it', true, {}, ['image', 'run']],
    ['fetched anew when somebody else’s tag may have moved', false, {}, ['image', 'pull', 'run']],
    [
      'taken as it is when it cannot be fetched anew',
      false,
      { pull: () => failed(1, 'denied') },
      ['image', 'pull', 'run'],
    ],
  ])('are in an image that is %s', async (_name, isOurs, script, expected) => {
    const { commands, answers } = await ask([question('a.py:a', { image: 'hello:1', isOurs })], {
      run: says(told('a.py:a')),
      ...script,
    });
    expect(answers).toEqual([answer]);
    expect(commands.map(([name]) => name)).toEqual(expected);
  });

  it.each<[string, Script, string]>([
    [
      'no docker',
      {
        image: () => {
          throw new ExecNotStarted('docker', 'ENOENT', undefined);
        },
      },
      'docker is not on the PATH',
    ],
    [
      'no daemon',
      { image: () => failed(1, 'Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?') },
      'no Docker daemon can run images here',
    ],
    [
      'no such image',
      { image: () => failed(1, 'x'), pull: () => failed(1, 'a\nmanifest unknown') },
      'cannot be fetched: manifest unknown',
    ],
    ['another platform', { run: () => failed(1, 'exec /usr/bin/tini: exec format error') }, 'for another platform'],
    ['no python', { run: () => failed(127, 'exec: "python": executable file not found') }, 'has no python on its PATH'],
    ['a refusal of docker', { run: () => failed(125, 'docker: Error response: no space left') }, 'no space left'],
    ['no Prefect', { run: says({ kind: 'no prefect', error: 'ModuleNotFoundError: x' }) }, 'cannot import Prefect 3'],
    ['another directory', { run: says({ kind: 'no directory', group: 0, error: 'gone' }) }, 'not in the image: gone'],
    ['the program’s deadline', { run: (args) => ({ ...says()(args), exitCode: 124 }) }, 'not loaded within 180 s'],
    [
      'an ENTRYPOINT that does something else',
      { run: () => failed(0, 'usage: etl') },
      'did not run Python: usage: etl',
    ],
  ])('cannot be asked for with %s', async (_name, script, reason) => {
    const { answers } = await ask([question('a.py:a')], script);
    expect(answers).toMatchObject([{ kind: 'not asked', reason: expect.stringContaining(reason) }]);
  });

  it('leave no container behind when docker does not come back', async () => {
    const { answers, commands } = await ask([question('a.py:a')], {
      run: () => {
        throw new ExecTimeout('docker', 240_000);
      },
    });
    expect(answers).toMatchObject([{ kind: 'not asked' }]);
    const name = commands[1]?.[(commands[1]?.indexOf('--name') ?? 0) + 1];
    expect(commands[2]).toEqual(['rm', '--force', name]);
  });

  it.each<[string, NonNullable<Script['run']>, object]>([
    [
      'that cannot be loaded are told with their line',
      says({ kind: 'not loaded', group: 0, entrypoint: 'a.py:a', error: 'E', place: { file: 'a.py', line: 2 } }),
      { kind: 'not loaded', error: 'E', place: { file: 'a.py', line: 2 } },
    ],
    [
      'that end the interpreter are told of',
      says(),
      { kind: 'not loaded', error: 'Python ended (exit code 0) before the flow was loaded' },
    ],
  ])('%s', async (_name, run, expected) => {
    expect((await ask([question('a.py:a')], { run })).answers).toMatchObject([expected]);
  });
});
