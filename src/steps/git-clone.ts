import { resolve, sep } from 'node:path';
import * as z from 'zod';
import { ExecTimeout } from '../world.ts';
import { cloneDirectory } from './clone-directory.ts';
import { type CloneFailure, cloneFailure } from './clone-failure.ts';
import { type GitLogin, gitLogin, UnusableCredentials } from './git-login.ts';
import { withGitSettings } from './git-settings.ts';
import type { StepFunction, StepRun } from './model.ts';
import { runStreaming } from './run-process.ts';
import { lastLines } from './run-shell-script.ts';
import { strip } from './script-text.ts';
import { readInputs, stepProblem } from './step-problem.ts';

const Text = z.string().nullish();
const Inputs = z.object({
  repository: z.string(),
  branch: Text,
  commit_sha: Text,
  include_submodules: z.boolean().nullish(),
  access_token: Text,
  credentials: z.object({ username: Text, password: Text, token: Text, access_token: Text }).nullish(),
  directories: z.array(z.string()).nullish(),
  clone_directory_name: Text,
});
type Inputs = z.infer<typeof Inputs>;

/** A clone's circumstances. */
interface Clone {
  readonly step: StepRun;
  readonly inputs: Inputs;
  readonly login: GitLogin;
  /** Absolute. */
  readonly destination: string;
}

const ATTEMPTS = 3;
/** Of one git command. */
const DEADLINE_MS = 30 * 60_000;

/**
 * `prefect.deployments.steps.git_clone` as a build or push step (contracts/deploy.md §2.4; prefect/runner/storage.py
 * `GitRepository`): clones, or brings a clone that is there already up to date. No lock file is left beside the clone, as
 * nothing else works in a runner's workspace.
 */
export const gitClone: StepFunction = {
  inputs: Object.keys(Inputs.shape),
  required: ['repository'],
  async run(step) {
    const inputs = readInputs(step, Inputs);
    check(step, inputs);
    const directory = cloneDirectory(inputs.repository, inputs.branch, inputs.clone_directory_name, step.directory);
    const destination = resolve(step.directory, directory ?? '.');
    if (directory === undefined || isAtOrAbove(destination, step.directory)) {
      throw stepProblem(step, 'would clone into no directory of its own', 'Give it a `clone_directory_name`.');
    }
    if (step.context.mode === 'plan') {
      step.context.world.log.info('Not run in plan mode, as it writes.');
      return { outputs: { directory } };
    }
    const login = loginOf(step, inputs);
    for (const secret of login.secrets) step.context.world.log.mask(secret);
    const clone: Clone = { step, inputs, login, destination };
    if (await step.context.world.files.exists(`${destination}/.git`)) await update(clone);
    else await cloneWithRetries(clone);
    return { outputs: { directory } };
  },
};

function check(step: StepRun, { repository, branch, commit_sha: sha, access_token, credentials }: Inputs): void {
  const refuse = (reason: string, remedy: string): never => {
    throw stepProblem(step, reason, remedy);
  };
  if (repository.startsWith('-')) refuse('has a repository that begins with a -', 'Give the address of a repository.');
  if (access_token && credentials) refuse('has an access_token and credentials', 'Give one of the two.');
  if (branch && sha) refuse('has a branch and a commit_sha', 'Give one of the two.');
  if (branch?.startsWith('-')) refuse('has a branch that begins with a -', 'Give the name of a branch.');
  if (sha && !/^[0-9a-fA-F]{4,64}$/.test(sha)) {
    refuse(
      `has ${JSON.stringify(sha)} as commit_sha, which is none`,
      'Give 4 to 64 hexadecimal digits, or use `branch` for the name of a branch or tag.',
    );
  }
}

function isAtOrAbove(destination: string, directory: string): boolean {
  return `${directory}${sep}`.startsWith(destination === sep ? sep : `${destination}${sep}`);
}

function loginOf(step: StepRun, { repository, access_token, credentials }: Inputs): GitLogin {
  const given = access_token ? { access_token } : (credentials ?? {});
  try {
    return gitLogin(repository, Object.keys(given).length === 0 ? undefined : given);
  } catch (error) {
    if (!(error instanceof UnusableCredentials)) throw error;
    throw stepProblem(
      step,
      error.message,
      'Give `token` or `password`, with `username` where the host needs one.',
      error,
    );
  }
}

/** A network that fails for a moment is no reason to stop; a wrong name or no right is, at once. */
async function cloneWithRetries(clone: Clone): Promise<void> {
  const { log, clock, signal } = clone.step.context.world;
  for (let attempt = 1; ; attempt += 1) {
    const failure = await cloneOnce(clone);
    if (failure === undefined) return;
    if (attempt === ATTEMPTS || failure.isFinal)
      throw failed(clone, `cannot be cloned: ${failure.reason}`, failure.remedy);
    log.warning(`Cloning ${clone.login.url} failed (attempt ${attempt} of ${ATTEMPTS}); trying again`);
    await clock.sleep(1000 * 2 ** (attempt - 1), signal);
  }
}

async function cloneOnce(clone: Clone): Promise<CloneFailure | undefined> {
  const { step, inputs, login, destination } = clone;
  const { branch, commit_sha: sha } = inputs;
  const args = [
    'clone',
    login.url,
    ...(inputs.include_submodules ? ['--recurse-submodules'] : []),
    ...(inputs.directories?.length ? ['--sparse'] : []),
    ...(sha ? ['--filter=blob:none', '--no-checkout'] : [...(branch ? ['--branch', branch] : []), '--depth', '1']),
    destination,
  ];
  const { exitCode, stderr } = await git(clone, step.directory, args);
  if (exitCode !== 0) return cloneFailure(stderr);
  if (sha) {
    await mustGit(clone, ['fetch', 'origin', sha]);
    await mustGit(clone, ['checkout', sha]);
  }
  if (inputs.directories?.length) await mustGit(clone, ['sparse-checkout', 'set', '--', ...inputs.directories]);
  return undefined;
}

/** Brings an earlier clone up to date; one that cannot be is removed and made anew. */
async function update(clone: Clone): Promise<void> {
  const { inputs, login, destination } = clone;
  const { branch, commit_sha: sha, directories } = inputs;
  const origin = await ask(clone, ['config', '--get', 'remote.origin.url']);
  if (gitLogin(origin, undefined).url !== login.url) {
    throw failed(
      clone,
      'cannot be cloned: another one is there already',
      `Give another clone_directory_name, or remove ${destination}.`,
    );
  }
  if (directories?.length && (await ask(clone, ['config', '--get', 'core.sparseCheckout'])) !== 'true') {
    await mustGit(clone, ['sparse-checkout', 'set', '--', ...directories]);
  }
  if (sha) {
    // Prefect asks `rev-parse SHA`, which answers any full SHA with itself, and so stays at the commit of before.
    if ((await ask(clone, ['rev-parse', 'HEAD'])) === sha) return;
    const isShallow = (await ask(clone, ['rev-parse', '--is-shallow-repository'])) === 'true';
    const { exitCode } = await git(clone, destination, ['fetch', 'origin', isShallow ? '--unshallow' : sha]);
    if (exitCode !== 0) await cloneAnew(clone);
    await mustGit(clone, ['checkout', sha]);
    return;
  }
  const submodules = inputs.include_submodules ? ['--recurse-submodules'] : [];
  const pulled = await git(clone, destination, [
    'pull',
    'origin',
    ...(branch ? [branch] : []),
    ...submodules,
    '--depth',
    '1',
  ]);
  if (pulled.exitCode !== 0) await cloneAnew(clone);
}

async function cloneAnew(clone: Clone): Promise<void> {
  await clone.step.context.world.files.remove(clone.destination);
  await cloneWithRetries(clone);
}

/** The answer of a question to the clone, empty when there is none. */
async function ask(clone: Clone, args: readonly string[]): Promise<string> {
  const { exitCode, stdout } = await git(clone, clone.destination, args, true);
  return exitCode === 0 ? strip(stdout) : '';
}

async function mustGit(clone: Clone, args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await git(clone, clone.destination, args);
  if (exitCode === 0) return;
  throw failed(
    clone,
    `failed at git ${args[0]}: ${lastLines(stderr)}`,
    'Check that the commit and the directories are there.',
  );
}

async function git(clone: Clone, directory: string, args: readonly string[], isSilent = false) {
  const { step, login } = clone;
  const env = withGitSettings({ ...step.env, GIT_TERMINAL_PROMPT: '0' }, login.settings);
  try {
    return await runStreaming(step, ['git', ...args], {
      directory,
      env,
      isSilent,
      whenMissing: 'Use a runner with git.',
      timeoutMs: DEADLINE_MS,
    });
  } catch (error) {
    if (!(error instanceof ExecTimeout)) throw error;
    throw failed(
      clone,
      `has not answered git ${args[0]} within half an hour`,
      'Check the network between here and there.',
    );
  }
}

function failed({ step, login }: Clone, reason: string, remedy: string) {
  return stepProblem(step, `is about ${login.url}, which ${reason}`, remedy);
}
