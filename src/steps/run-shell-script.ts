import { resolve } from 'node:path';
import type { JsonObject } from '@slipway/prefect/json';
import * as z from 'zod';
import { isUnknown, KNOWN_AT_DEPLOY } from './foresight.ts';
import type { StepFunction, StepResult, StepRun } from './model.ts';
import { planGitEnvironment, readOnlyGit } from './read-only-git.ts';
import { checkDirectory, runStreaming } from './run-process.ts';
import { fillVariables, splitLines, strip } from './script-text.ts';
import { splitWords, UnfinishedWord } from './shell-words.ts';
import { readInputs, stepProblem } from './step-problem.ts';

const Inputs = z.object({
  script: z.string(),
  directory: z.string().nullish(),
  env: z.record(z.string(), z.string()).nullish(),
  stream_output: z.boolean().nullish(),
  expand_env_vars: z.boolean().nullish(),
  shell: z.boolean().nullish(),
});
type Inputs = z.infer<typeof Inputs>;

/** Commands that only a shell knows; without one each line is a program of its own. */
const SHELL_ONLY = ['cd', 'export', 'source', '.', 'set', 'alias', 'unset', 'eval', 'ulimit', 'umask', 'if', 'for'];

/**
 * `prefect.deployments.steps.run_shell_script` (contracts/deploy.md §2.2): every line is a process of its own, without a
 * shell unless asked for; the outputs of all lines are concatenated and stripped. In plan mode only git's readers run.
 */
export const runShellScript: StepFunction = {
  inputs: ['script', 'directory', 'env', 'stream_output', 'expand_env_vars', 'shell'],
  required: ['script'],
  onlyReads: (step) => onlyReads(readInputs(step, Inputs), step.env, step.inputs),
  async run(step) {
    const inputs = readInputs(step, Inputs);
    if (step.context.mode === 'plan') return await foresee(step, inputs);
    const env = { ...step.env, ...step.context.programEnv, ...inputs.env };
    return await runLines(step, inputs, env, (command) => argvOf(step, command, inputs.shell === true));
  },
};

async function foresee(step: StepRun, inputs: Inputs): Promise<StepResult> {
  const env = planGitEnvironment(step.env);
  if (!onlyReads(inputs, env, step.inputs)) {
    step.context.world.log.info('Not run in plan mode, as it could write: its outputs are known at deploy.');
    return { outputs: { stdout: KNOWN_AT_DEPLOY, stderr: KNOWN_AT_DEPLOY } };
  }
  return await runLines(step, inputs, env, (command) => readOnlyGit(splitWords(command)));
}

/** True when every line is a command of git that is known to print and no more. */
function onlyReads(inputs: Inputs, env: Readonly<Record<string, string>>, given: JsonObject): boolean {
  // An environment of its own could name programs that git starts.
  if (inputs.shell === true || Object.keys(inputs.env ?? {}).length > 0 || isUnknown(given)) return false;
  try {
    return commandsOf(inputs, env)
      .map(splitWords)
      .every((words) => words.length === 0 || readOnlyGit(words) !== undefined);
  } catch (error) {
    if (!(error instanceof UnfinishedWord)) throw error;
    return false;
  }
}

function commandsOf(inputs: Inputs, env: Readonly<Record<string, string>>): string[] {
  const lines = splitLines(inputs.script);
  return inputs.expand_env_vars === true ? lines.map((line) => fillVariables(line, env)) : lines;
}

/** @param argvFor the program and arguments of a line; undefined for one that has no command. */
async function runLines(
  step: StepRun,
  inputs: Inputs,
  env: Readonly<Record<string, string>>,
  argvFor: (command: string) => [string, ...string[]] | undefined,
): Promise<StepResult> {
  const directory = resolve(step.directory, inputs.directory ?? '.');
  await checkDirectory(step, directory);
  const collected = { stdout: '', stderr: '' };
  for (const command of commandsOf(inputs, env)) {
    const argv = argvFor(command);
    if (argv === undefined) continue;
    const result = await runStreaming(step, argv, {
      directory,
      env,
      isSilent: inputs.stream_output === false,
      whenMissing: `Each line of the script runs as a program of its own, without a shell; ${remedyFor(argv[0])}`,
    });
    collected.stdout += result.stdout;
    collected.stderr += result.stderr;
    if (result.exitCode !== 0) throw failed(step, result.exitCode, collected.stderr, command);
  }
  return { outputs: { stdout: strip(collected.stdout), stderr: strip(collected.stderr) } };
}

/** The program and its arguments; undefined for a line without a command. */
function argvOf(step: StepRun, command: string, shell: boolean): [string, ...string[]] | undefined {
  if (shell) {
    const line = strip(command);
    return line === '' ? undefined : ['/bin/sh', '-c', line];
  }
  try {
    const [program, ...rest] = splitWords(command);
    return program === undefined ? undefined : [program, ...rest];
  } catch (error) {
    if (!(error instanceof UnfinishedWord)) throw error;
    throw stepProblem(
      step,
      `cannot read the line ${JSON.stringify(command)}: ${error.message}`,
      'Close the quote in that line. A command cannot go on in the next line: every line runs by itself, also with a ' +
        'backslash at its end.',
      error,
    );
  }
}

function remedyFor(program: string): string {
  if (program === '#') return 'remove the comment line, or set `shell: true`.';
  if (program === 'cd') return 'use the `directory` input, or set `shell: true` and join commands of a line with `&&`.';
  if (program === 'export') return 'use the `env` input, or set `shell: true` and join commands of a line with `&&`.';
  if (SHELL_ONLY.includes(program)) return 'set `shell: true`, or call a script file.';
  return 'check the spelling, install the program in a workflow step before, or give its full path.';
}

function failed(step: StepRun, exitCode: number, stderr: string, command: string) {
  const words = lastLines(stderr);
  const lines = words === '' ? '' : `: ${words}`;
  return stepProblem(
    step,
    `failed with exit code ${exitCode} at ${JSON.stringify(strip(command))}${lines}`,
    'Mend the script; nothing has been deployed. Its whole output stands in the log.',
  );
}

const LAST_LINES = 10;

/** The end of what a program complained of; the whole stands in the log. */
export function lastLines(stderr: string): string {
  return strip(stderr).split('\n').slice(-LAST_LINES).join('\n');
}
