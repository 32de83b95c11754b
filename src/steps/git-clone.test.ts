import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '@slipway/prefect/json';
import { beforeEach, describe, expect, it } from 'vitest';
import { Problem } from '../problem.ts';
import { cloneDirectory } from './clone-directory.ts';
import { gitClone } from './git-clone.ts';
import { gitLogin, UnusableCredentials } from './git-login.ts';
import { serveGit } from './testing-git-server.ts';
import { prepared } from './testing-prepare.ts';
import { makeDirectory, type TestSettings, testRun } from './testing-run.ts';

const CLONE = 'prefect.deployments.steps.git_clone';

let root: string;
let work: string;

async function git(directory: string, ...args: string[]): Promise<string> {
  const { context } = await testRun({});
  const identity = {
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@b',
    GIT_COMMITTER_NAME: 'a',
    GIT_COMMITTER_EMAIL: 'a@b',
  };
  const result = await context.world.exec('git', args, {
    cwd: directory,
    env: { ...context.world.env, ...identity, HOME: root, GIT_CONFIG_NOSYSTEM: '1', GIT_ALLOW_PROTOCOL: 'file:http' },
    signal: context.world.signal,
  });
  if (result.exitCode !== 0) throw new Error(result.stderr);
  return result.stdout.trim();
}

async function commit(file: string, text: string): Promise<string> {
  await mkdir(join(root, 'flows', file, '..'), { recursive: true });
  await writeFile(join(root, 'flows', file), text);
  await git(join(root, 'flows'), 'add', '-A');
  await git(join(root, 'flows'), 'commit', '-q', '-m', file);
  return await git(join(root, 'flows'), 'rev-parse', 'HEAD');
}

beforeEach(async () => {
  root = await makeDirectory();
  work = await makeDirectory();
  await mkdir(join(root, 'flows'));
  await git(join(root, 'flows'), 'init', '-q', '-b', 'main');
  await git(join(root, 'flows'), 'config', 'uploadpack.allowFilter', 'true');
  await git(join(root, 'flows'), 'config', 'uploadpack.allowAnySHA1InWant', 'true');
});

async function clone(inputs: JsonObject, settings: TestSettings = {}) {
  const step = await testRun(inputs, { step: { function: CLONE, inputs }, env: { HOME: root }, ...settings });
  const slept: number[] = [];
  const clock = { ...step.context.world.clock, sleep: async (ms: number) => void slept.push(ms) };
  const world = { ...step.context.world, clock };
  const run = { ...step, directory: work, context: { ...step.context, world } };
  return { result: await gitClone.run(run), logged: world.logged, slept };
}

async function problemOf(inputs: JsonObject, settings: TestSettings = {}): Promise<Problem> {
  const thrown = await clone(inputs, settings).catch((error: unknown) => error);
  if (!(thrown instanceof Problem)) throw thrown;
  return thrown;
}

const read = (path: string) => readFile(join(work, path), 'utf8');

describe('git_clone', () => {
  it('clones the default branch and says where', async () => {
    await commit('a.txt', 'one');
    const { url } = await serveGit(root);
    const { result } = await clone({ repository: `${url}/flows/.git`, clone_directory_name: 'here/./it' });
    expect(result).toEqual({ outputs: { directory: 'here/it' } });
    expect(await read('here/it/a.txt')).toBe('one');
    expect(await git(join(work, 'here/it'), 'rev-parse', '--is-shallow-repository')).toBe('true');
  });

  it('clones a branch, and brings the clone up to date when it is there already', async () => {
    await commit('a.txt', 'one');
    await git(join(root, 'flows'), 'checkout', '-q', '-b', 'team/next');
    await commit('a.txt', 'two');
    const { url } = await serveGit(root);
    const inputs = { repository: `${url}/flows`, branch: 'team/next' };
    expect((await clone(inputs)).result.outputs).toEqual({ directory: 'flows-team-next' });
    expect(await read('flows-team-next/a.txt')).toBe('two');
    await commit('a.txt', 'three');
    await clone(inputs);
    expect(await read('flows-team-next/a.txt')).toBe('three');
  });

  it('makes a clone anew whose branch was rewritten', async () => {
    await commit('a.txt', 'one');
    const { url } = await serveGit(root);
    await clone({ repository: `${url}/flows` });
    await git(join(root, 'flows'), 'checkout', '-q', '--orphan', 'other');
    await commit('a.txt', 'new');
    await git(join(root, 'flows'), 'branch', '-M', 'main');
    await clone({ repository: `${url}/flows`, branch: 'main', clone_directory_name: 'flows' });
    expect(await read('flows/a.txt')).toBe('new');
  });

  it('checks out one commit, then another', async () => {
    const first = await commit('a.txt', 'one');
    const second = await commit('a.txt', 'two');
    const { url } = await serveGit(root);
    await clone({ repository: `${url}/flows`, commit_sha: first });
    expect(await read('flows/a.txt')).toBe('one');
    await clone({ repository: `${url}/flows`, commit_sha: second });
    expect(await read('flows/a.txt')).toBe('two');
  });

  it('checks out some directories only', async () => {
    await commit('top.txt', '1');
    await commit('in/a.txt', '1');
    await commit('out/b.txt', '1');
    const { url } = await serveGit(root);
    await clone({ repository: `${url}/flows`, directories: ['in'] });
    expect((await readdir(join(work, 'flows'))).sort()).toEqual(['.git', 'in', 'top.txt']);
  });

  it('signs in, also for submodules, and leaves no trace of the secret', async () => {
    await commit('a.txt', 'one');
    const { url, logins } = await serveGit(root, 'me:s3cr3t/token');
    await mkdir(join(root, 'outer'));
    await git(join(root, 'outer'), 'init', '-q', '-b', 'main');
    const withLogin = url.replace('//', '//me:s3cr3t%2Ftoken@');
    await git(join(root, 'outer'), 'submodule', 'add', '-q', `${withLogin}/flows`, 'inner');
    await git(join(root, 'outer'), 'config', '-f', '.gitmodules', 'submodule.inner.url', `${url}/flows`);
    await git(join(root, 'outer'), 'commit', '-q', '-a', '-m', 'x');
    logins.length = 0;
    const { logged } = await clone({ repository: `${withLogin}/outer`, include_submodules: true });
    expect(await read('outer/inner/a.txt')).toBe('one');
    expect(new Set(logins)).toEqual(new Set(['me:s3cr3t/token']));
    const kept = (await read('outer/.git/config')) + (await read('outer/.git/modules/inner/config'));
    expect(kept).toContain(`url = ${url}/outer`);
    expect(`${kept}${logged.join('\n')}`).not.toContain('s3cr3t');
  });

  it('tries again when the server fails for a moment', async () => {
    await commit('a.txt', 'one');
    const { url } = await serveGit(root, undefined, 2);
    const { slept, logged } = await clone({ repository: `${url}/flows` });
    expect(slept).toEqual([1000, 2000]);
    expect(logged.join('\n')).toContain('attempt 2 of 3');
    expect(await read('flows/a.txt')).toBe('one');
  });

  it('gives up after three attempts', async () => {
    const { url } = await serveGit(root, undefined, 9);
    const { message } = await problemOf({ repository: `${url}/flows` });
    expect(message).toContain(`is about ${url}/flows, which cannot be cloned`);
    expect(message).toContain('503');
  });

  it('says at once when it may not read, without the secret', async () => {
    const { url, logins } = await serveGit(root, 'me:right');
    const { message, remedy } = await problemOf({ repository: `${url.replace('//', '//me:hunter2wrong@')}/flows` });
    expect(message).not.toContain('hunter2wrong');
    expect(remedy).toContain('access_token');
    expect(new Set(logins)).toEqual(new Set(['me:hunter2wrong']));
  });

  it.each<[string, JsonObject, RegExp]>([
    ['two ways to sign in', { access_token: 'a', credentials: { token: 'b' } }, /access_token and credentials/],
    ['a branch and a commit', { branch: 'a', commit_sha: 'abcd' }, /branch and a commit_sha/],
    ['an option as branch', { branch: '--upload-pack=x' }, /begins with a -/],
    ['no commit', { commit_sha: 'main' }, /"main" as commit_sha, which is none/],
    ['credentials without a secret', { credentials: { username: 'x' } }, /without a token or a password/],
    ['no name', { repository: 'https://example.com/' }, /no directory of its own/],
    ['the directory itself', { clone_directory_name: '.' }, /no directory of its own/],
    ['the directory above', { clone_directory_name: '..' }, /no directory of its own/],
    ['a place elsewhere', { clone_directory_name: '/elsewhere' }, /no directory of its own/],
    ['an option as repository', { repository: '--upload-pack=x' }, /repository that begins with a -/],
  ])('refuses %s', async (_what, inputs, message) => {
    const repository = 'https://bitbucketserver.example.com/a/b.git';
    expect((await problemOf({ repository, ...inputs })).message).toMatch(message);
  });

  it('refuses a directory that holds another repository', async () => {
    await commit('a.txt', 'one');
    const { url } = await serveGit(root);
    await clone({ repository: `${url}/flows` });
    expect((await problemOf({ repository: `${url}/other/flows` })).message).toMatch(/another one is there already/);
    expect(await read('flows/a.txt')).toBe('one');
  });

  it('is foreseen in plan mode, without its secrets', async () => {
    const text = `build:
- ${CLONE}: {id: code, repository: "https://example.com/team/flows.git", branch: a/b, access_token: "{{ prefect.blocks.secret.no }}"}
deployments: [{name: x}]
`;
    const { outputs, directory } = await prepared(text, { mode: 'plan' });
    expect(outputs?.code).toEqual({ directory: 'flows-a-b' });
    expect(await readdir(directory)).toEqual([]);
  });

  it('goes to the worker as it is written when it is a pull step', async () => {
    const step = `{${CLONE}: {repository: "https://example.com/a.git", access_token: "{{ prefect.blocks.secret.s }}"}}`;
    const { entries } = await prepared(`pull: [${step}]\ndeployments: [{name: x}]`);
    expect(entries[0]?.pull?.map(({ raw }) => raw)).toEqual([
      { [CLONE]: { repository: 'https://example.com/a.git', access_token: '{{ prefect.blocks.secret.s }}' } },
    ]);
  });
});

describe('where a repository is cloned to', () => {
  it.each([
    ['https://github.com/org/repo.git', undefined, undefined, 'repo'],
    ['https://github.com/org/repo', 'feature/x', undefined, 'repo-feature-x'],
    ['https://github.com/org/my.github.repo.git?a#b', undefined, undefined, 'myhub.repo'],
    ['git@github.com:org/repo.git', undefined, undefined, 'repo'],
    ['ssh://git@github.com/org/repo.git', 'main', 'own//name/', 'own/name'],
    ['/srv/git/repo.git', undefined, undefined, 'repo'],
    ['https://github.com/org/repo/', 'main', undefined, '-main'],
    ['https://github.com/org/repo.git', undefined, '/project/sub', 'sub'],
  ])('%s, branch %s, name %s: %s', (repository, branch, name, expected) => {
    expect(cloneDirectory(repository, branch, name, '/project')).toBe(expected);
  });
});

describe('how git signs in', () => {
  it.each([
    ['https://github.com/o/r', { token: 'tok' }, 'tok:'],
    ['https://github.com/o/r', { access_token: 'a:b' }, 'a:b:'],
    ['https://github.com/o/r', { username: 'me', password: 'p:w' }, 'me:p:w'],
    ['https://gitlab.com/o/r', { access_token: 'tok' }, 'oauth2:tok'],
    ['https://gitlab.com/o/r', { access_token: 'oauth2:tok' }, 'oauth2:tok'],
    ['https://gitlab.com/o/r', { access_token: 'deploy:tok' }, 'deploy:tok'],
    ['https://bitbucket.org/o/r', { token: 'tok' }, 'x-token-auth:tok'],
    ['https://bitbucket.org/o/r', { token: 'x-token-auth:tok' }, 'x-token-auth:tok'],
    ['https://bitbucketserver.x.com/o/r', { token: 'me:tok' }, 'me:tok'],
    ['https://u:p%40@example.com:8443/o/r', undefined, 'u:p@'],
    ['https://u@example.com/o/r', { token: 'tok' }, 'tok:'],
    ['http://example.com/o/r', { token: 'tok' }, undefined],
    ['git@github.com:o/r', { token: 'tok' }, undefined],
    ['ssh://git@github.com/o/r', { token: 'tok' }, undefined],
    ['https://example.com/o/r', undefined, undefined],
  ])('to %s with %j as %s', (repository, credentials, expected) => {
    const { url, settings } = gitLogin(repository, credentials);
    const basic = /^Authorization: Basic (.+)$/.exec(settings.at(-1)?.[1] ?? '')?.[1];
    expect(basic && Buffer.from(basic, 'base64').toString()).toBe(expected);
    if (repository.startsWith('http')) expect(url).not.toContain('@');
    else expect(url).toBe(repository);
    expect(settings.map(([key]) => key)).toEqual(
      expected === undefined ? [] : [1, 2].map(() => `http.${new URL(repository).origin}/.extraHeader`),
    );
  });

  it.each<[string, object]>([
    ['https://github.com/o/r', { username: 'me' }],
    ['https://bitbucketserver.x.com/o/r', { token: 'tok' }],
  ])('not to %s with %j', (repository, credentials) => {
    expect(() => gitLogin(repository, credentials)).toThrow(UnusableCredentials);
  });
});
