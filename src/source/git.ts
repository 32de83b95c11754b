import { dirname, relative, resolve } from 'node:path';
import type { Exec } from '../world.ts';
import { ExecNotStarted, ExecTimeout } from '../world.ts';
import type { Head } from './model.ts';
import { stripCredentials } from './remote-url.ts';

/**
 * Reading the work tree's revision with the git of the PATH. Failure model: no git, no repository, a repository
 * without a commit or of another owner are ordinary findings (`NoHead`), since a flow can be deployed without git;
 * git never writes (no optional locks), never asks anything, and has a deadline.
 */

export interface GitOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly exec: Exec;
  /** Any directory of the work tree, absolute. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

/** Why there is no HEAD to read. `advice` is for the user when it is not simply a directory without git. */
export interface NoHead {
  readonly reason: 'git missing' | 'no repository' | 'no commit' | 'foreign owner' | 'git failed';
  readonly advice: string | undefined;
}

export type HeadFinding = { readonly head: Head } | { readonly none: NoHead };

const DEADLINE_MS = 60_000;

/**
 * What git says of HEAD in a directory: a worktree, a submodule, a detached or shallow checkout are all fine.
 *
 * `changed` covers the whole repository and counts untracked files, since `COPY . .` takes those too
 * (anchors/action.md §3.3). @throws only the signal's reason.
 */
export async function readHead(options: GitOptions): Promise<HeadFinding> {
  const git = (...args: string[]) => runGit(options, args);
  let commit: GitOutput;
  try {
    // %B is the whole message; the hash and time lines before it can hold no line break.
    commit = await git(
      'log',
      '-1',
      '--no-show-signature',
      '--no-color',
      '--encoding=UTF-8',
      '--format=%H%n%h%n%ct%n%B',
    );
  } catch (error) {
    if (error instanceof ExecNotStarted) return { none: { reason: 'git missing', advice: undefined } };
    if (error instanceof ExecTimeout) return { none: { reason: 'git failed', advice: error.message } };
    throw error;
  }
  if (commit.exitCode !== 0) return { none: whyNot(commit.stderr, options.directory) };
  const [sha = '', shortSha = '', time = '', ...message] = commit.stdout.split('\n');

  const branch = await git('symbolic-ref', '--quiet', '--short', 'HEAD');
  const remote = await git('config', '--get', 'remote.origin.url');
  const status = await git('status', '--porcelain=v1', '-z', '--untracked-files=normal', '--ignore-submodules=none');
  return {
    head: {
      sha,
      shortSha,
      branch: branch.exitCode === 0 ? firstLine(branch.stdout) : undefined,
      committedAt: Number(time),
      message: firstLine(message.join('\n')),
      remoteUrl: remote.exitCode === 0 ? mapDefined(firstLine(remote.stdout), stripCredentials) : undefined,
      changed: status.exitCode === 0 ? changedPaths(status.stdout) : [],
      ...(status.exitCode === 0 ? {} : { unclear: firstLine(status.stderr) ?? `exit code ${status.exitCode}` }),
    },
  };
}

interface GitOutput {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

function runGit(options: GitOptions, args: readonly string[]): Promise<GitOutput> {
  return options.exec('git', args, {
    cwd: options.directory,
    env: gitEnvironment(options.env, options.directory),
    signal: options.signal,
    timeoutMs: DEADLINE_MS,
  });
}

/**
 * The child's environment: messages in English (we read them), no prompts, no index refresh written back, and the
 * directory and the workspace around it marked safe although another user owns them, as in container jobs. This is
 * said to our own git alone; no configuration file is touched (anchors/action.md §3.3).
 */
export function gitEnvironment(env: Readonly<Record<string, string>>, directory: string): Record<string, string> {
  const safe = safeDirectories(directory, env.GITHUB_WORKSPACE);
  const given = Number.parseInt(env.GIT_CONFIG_COUNT ?? '0', 10) || 0;
  const entries = safe.flatMap((path, index) => [
    [`GIT_CONFIG_KEY_${given + index}`, 'safe.directory'] as const,
    [`GIT_CONFIG_VALUE_${given + index}`, path] as const,
  ]);
  return {
    ...env,
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    ...Object.fromEntries(entries),
    GIT_CONFIG_COUNT: String(given + safe.length),
  };
}

/** The directory and its parents up to the workspace; a directory outside the workspace stands for itself alone. */
function safeDirectories(directory: string, workspace: string | undefined): string[] {
  const paths = [resolve(directory)];
  if (workspace === undefined || workspace === '') return paths;
  const top = resolve(workspace);
  if (relative(top, resolve(directory)).startsWith('..')) return paths;
  for (let path = resolve(directory); path !== top && path !== dirname(path); ) {
    path = dirname(path);
    paths.push(path);
  }
  return paths;
}

function whyNot(stderr: string, directory: string): NoHead {
  if (/dubious ownership/.test(stderr)) {
    const path = /repository at '([^']+)'/.exec(stderr)?.[1] ?? directory;
    return {
      reason: 'foreign owner',
      advice: `git refuses the repository at ${path} because another user owns it; run \`git config --global --add safe.directory ${path}\` before this step`,
    };
  }
  if (/not a git repository/i.test(stderr)) return { reason: 'no repository', advice: undefined };
  if (/does not have any commits yet|bad default revision|unknown revision/.test(stderr)) {
    return { reason: 'no commit', advice: `the git repository at ${directory} has no commit yet` };
  }
  return { reason: 'git failed', advice: `git cannot read the repository at ${directory}: ${firstLine(stderr) ?? ''}` };
}

/** Paths of `git status --porcelain=v1 -z`: a renamed file is followed by its old name, which is left out. */
function changedPaths(output: string): string[] {
  const paths: string[] = [];
  const fields = output.split('\0');
  for (let index = 0; index < fields.length; index += 1) {
    const field = fields[index] ?? '';
    if (field.length < 4) continue;
    paths.push(field.slice(3));
    if (/^[RC]|^.[RC]/.test(field)) index += 1;
  }
  return paths;
}

function firstLine(text: string): string | undefined {
  const line = text.trim().split(/\r?\n/)[0]?.trim();
  return line === '' ? undefined : line;
}

function mapDefined(text: string | undefined, change: (text: string) => string): string | undefined {
  return text === undefined ? undefined : change(text);
}
