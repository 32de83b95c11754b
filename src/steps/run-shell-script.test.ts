import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '@slipway/prefect/json';
import { beforeEach, describe, expect, it } from 'vitest';
import { Problem } from '../problem.ts';
import { KNOWN_AT_DEPLOY } from './foresight.ts';
import { runShellScript } from './run-shell-script.ts';
import { makeDirectory, type TestSettings, testRun } from './testing-run.ts';

interface Case {
  name: string;
  inputs: JsonObject;
  outputs?: JsonObject;
  error?: string;
}
const goldens: Case[] = JSON.parse(readFileSync(new URL('./fixtures/run-shell-script.json', import.meta.url), 'utf8'));

let directory: string;
beforeEach(async () => {
  directory = join(await makeDirectory(), 'oracle');
  await mkdir(directory);
});

async function run(inputs: JsonObject, settings: TestSettings = {}) {
  const step = await testRun(inputs, { directory, env: { FOO: 'foo bar' }, ...settings });
  return { result: await runShellScript.run(step), world: step.context.world };
}

async function problemOf(inputs: JsonObject, settings: TestSettings = {}): Promise<Problem> {
  const thrown = await run(inputs, settings).catch((error: unknown) => error);
  if (thrown instanceof Problem) return thrown;
  throw thrown;
}

/** What our message must say where Prefect raises this. */
function sayings(error: string): string[] {
  const failure = /with error code (-?\d+): (.*)$/s.exec(error);
  if (failure !== null) {
    const complaints = (failure[2] ?? '')
      .trim()
      .split('\n')
      .filter((line) => line !== '');
    return [`failed with exit code ${failure[1]}`, ...complaints.map((line) => line.split(': ').at(-1) ?? '')];
  }
  const [, missing] = /^FileNotFoundError .*: '(.*)'$/.exec(error) ?? [];
  if (missing !== undefined) return [missing];
  const [, unreadable] = /^ValueError (.*)$/.exec(error) ?? [];
  if (unreadable !== undefined) return [unreadable];
  return error.startsWith('TypeError') ? ['cannot take its input env.A'] : [`no rule for ${error}`];
}

describe('run_shell_script, against Prefect 3.8.8', () => {
  it.each(goldens)('$name', async ({ inputs, outputs, error }) => {
    if (outputs !== undefined) {
      expect((await run(inputs)).result).toEqual({ outputs });
      return;
    }
    const { message, where } = await problemOf(inputs);
    for (const saying of sayings(error ?? '')) expect(message).toContain(saying);
    expect(where).toEqual({ file: 'prefect.yaml', line: 3, column: 3 });
  });

  it('has all 30 cases of the contract and ten more', () => {
    expect(goldens).toHaveLength(40);
    const text = readFileSync(new URL('./fixtures/run-shell-script-results.txt', import.meta.url), 'utf8');
    const verdicts = [...text.matchAll(/^([a-z].*?) (->|EXC) (.*)$/gm)].map(([, name, verdict, rest]) => {
      return { name, outcome: verdict === '->' ? 'outputs' : rest?.split(' ')[0] };
    });
    expect(verdicts).toHaveLength(30);
    const ours = goldens.map(({ name, error }) => ({ name, outcome: error?.split(' ')[0] ?? 'outputs' }));
    expect(ours).toEqual(expect.arrayContaining(verdicts));
  });
});

describe('run_shell_script', () => {
  it.each([
    ['cd /tmp', 'use the `directory` input'],
    ['export A=1', 'use the `env` input'],
    ['# note', 'remove the comment line'],
    ['source x', 'set `shell: true`'],
    ['nosuchcmd', 'check the spelling'],
  ])('says what to do instead of %s', async (script, remedy) => {
    expect((await problemOf({ script })).remedy).toContain(remedy);
  });

  it('shows the output in the log as it comes, unless told not to', async () => {
    expect((await run({ script: 'echo a\nsh -c "echo b >&2"' })).world.logged).toEqual(['a', 'b']);
    expect((await run({ script: 'echo a', stream_output: false })).world.logged).toEqual([]);
  });

  it('runs in a directory relative to the project', async () => {
    await mkdir(join(directory, 'sub'));
    expect((await run({ script: 'pwd', directory: 'sub' })).result.outputs.stdout).toBe(join(directory, 'sub'));
  });

  it('keeps masked secrets out of its error', async () => {
    const step = await testRun({ script: 'sh -c "echo hunter2 >&2; exit 1"' }, { directory });
    step.context.world.log.mask('hunter2');
    const thrown = await runShellScript.run(step).catch((error: unknown) => error);
    expect(String(thrown)).toContain('***');
    expect(String(thrown)).not.toContain('hunter2');
  });

  it('shows only the end of a long complaint', async () => {
    const { message } = await problemOf({ script: 'sh -c "seq 1 50 >&2; exit 1"' });
    expect(message).toContain('41\n42');
    expect(message).not.toContain('40\n');
  });

  it('ends with the job', async () => {
    const abort = new AbortController();
    const step = await testRun({ script: 'sleep 60' }, { directory });
    const world = { ...step.context.world, signal: abort.signal };
    const running = runShellScript.run({ ...step, context: { ...step.context, world } });
    setTimeout(() => abort.abort(new Error('cancelled')), 100);
    await expect(running).rejects.toThrow('cancelled');
  });
});

describe('run_shell_script in plan mode', () => {
  const plan = { mode: 'plan' } as const;

  it("runs git's readers", async () => {
    const { result } = await run({ script: 'git rev-parse --git-dir', directory: process.cwd() }, plan);
    expect(result.outputs.stdout).toMatch(/\.git/);
  });

  it.each([
    ['another program', { script: 'touch made' }],
    ['git and another program', { script: 'git status\ntouch made' }],
    ['a shell', { script: 'git log; touch made', shell: true }],
    ['an environment of its own', { script: 'git log', env: { GIT_EXTERNAL_DIFF: 'touch made' } }],
    ['what is not known yet', { script: `git log ${KNOWN_AT_DEPLOY}` }],
    ['a line that cannot be read', { script: "git log '" }],
  ])('does not run %s: the outputs are known at deploy', async (_what, inputs) => {
    const { result, world } = await run(inputs, plan);
    expect(result.outputs).toEqual({ stdout: KNOWN_AT_DEPLOY, stderr: KNOWN_AT_DEPLOY });
    expect(world.logged).toEqual(['Not run in plan mode, as it could write: its outputs are known at deploy.']);
    expect(await world.files.exists(join(directory, 'made'))).toBe(false);
  });

  it('does not heed the configuration of a repository that hides in a plain directory', async () => {
    const hidden = join(directory, 'hidden');
    const made = join(directory, 'made');
    const prepare = await testRun({
      script: `git init -q --bare ${hidden}\ngit -C ${hidden} config core.fsmonitor "touch ${made}"\ngit -C ${hidden} config core.bare false\ngit -C ${hidden} config core.worktree ${directory}`,
    });
    await runShellScript.run({ ...prepare, directory });
    const error = await problemOf({ script: 'git status', directory: 'hidden' }, plan);
    expect(error.message).toContain('failed with exit code 128');
    expect(await prepare.context.world.files.exists(made)).toBe(false);
  });
});
