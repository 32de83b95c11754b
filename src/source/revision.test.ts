import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gitEnvironment } from './git.ts';
import { findRevision } from './revision.ts';
import { openTestWorld, type TestWorld } from './testing-world.ts';

describe('findRevision on a real repository', () => {
  let world: TestWorld;
  let repository: string;

  beforeEach(async () => {
    world = await openTestWorld({
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@example.com',
      GIT_COMMITTER_NAME: 'c',
      GIT_COMMITTER_EMAIL: 'c@example.com',
      GIT_COMMITTER_DATE: '1700000000 +0200',
      GIT_AUTHOR_DATE: '1600000000 +0000',
    });
    repository = `${world.directory}/repository`;
    await git(world.directory, 'init', '--quiet', '--initial-branch=main', repository);
    await commit('Say hello\n\nand more');
  });
  afterEach(() => world.close());

  it('names the commit that is checked out', async () => {
    const sha = await git(repository, 'rev-parse', 'HEAD');
    const revision = await find({});
    expect(revision).toMatchObject({
      sha,
      shortSha: await git(repository, 'rev-parse', '--short', 'HEAD'),
      branch: 'main',
      refName: 'main',
      dirty: false,
      committedAt: 1_700_000_000,
      message: 'Say hello',
      origin: 'HEAD',
      repository: undefined,
      repositoryUrl: undefined,
    });
    expect(revision.warnings).toBeUndefined();
  });

  it('takes repository and branch from the runner on a push', async () => {
    const sha = await git(repository, 'rev-parse', 'HEAD');
    const revision = await find({
      GITHUB_EVENT_NAME: 'push',
      GITHUB_SHA: sha,
      GITHUB_REF: 'refs/heads/release/1',
      GITHUB_REF_NAME: 'release/1',
      GITHUB_REPOSITORY: 'acme/demo',
      GITHUB_SERVER_URL: 'https://github.example',
    });
    expect(revision).toMatchObject({
      sha,
      branch: 'release/1',
      repository: 'acme/demo',
      repositoryUrl: 'https://github.example/acme/demo',
    });
  });

  it('has no branch on a tag', async () => {
    const sha = await git(repository, 'rev-parse', 'HEAD');
    await git(repository, 'checkout', '--quiet', '--detach');
    const revision = await find({
      GITHUB_EVENT_NAME: 'push',
      GITHUB_SHA: sha,
      GITHUB_REF: 'refs/tags/v1',
      GITHUB_REF_NAME: 'v1',
    });
    expect(revision).toMatchObject({ sha, branch: undefined, refName: 'v1' });
  });

  it('names a pull request’s test merge by its head, and keeps the merge', async () => {
    await git(repository, 'checkout', '--quiet', '-b', 'feat');
    const head = await commit('On the branch');
    await git(repository, 'checkout', '--quiet', 'main');
    await write('other.txt', 'x');
    await git(repository, 'add', '--all');
    await git(repository, 'commit', '--quiet', '-m', 'On main');
    await git(repository, 'merge', '--quiet', '--no-ff', '-m', 'Merge', 'feat');
    const merge = await git(repository, 'rev-parse', 'HEAD');
    await git(repository, 'checkout', '--quiet', '--detach');
    const env = await pullRequest(head, { GITHUB_SHA: merge, GITHUB_REF_NAME: '7/merge' });
    expect(await find(env)).toMatchObject({
      sha: head,
      shortSha: head.slice(0, 7),
      mergeSha: merge,
      branch: 'feat',
      refName: '7/merge',
      origin: 'pull request head (its test merge with the base branch is checked out)',
    });
  });

  it('is the pull request’s head itself when that is checked out', async () => {
    const head = await git(repository, 'rev-parse', 'HEAD');
    const revision = await find(await pullRequest(head, { GITHUB_SHA: 'b'.repeat(40) }));
    expect(revision).toMatchObject({ sha: head, branch: 'feat', origin: 'pull request head' });
    expect(revision.mergeSha).toBeUndefined();
    expect(revision.warnings).toBeUndefined();
  });

  it('is the base branch’s commit once the pull request is merged', async () => {
    const sha = await git(repository, 'rev-parse', 'HEAD');
    const env = await pullRequest('d'.repeat(40), { GITHUB_SHA: sha, GITHUB_REF: 'refs/heads/main' }, { merged: true });
    expect(await find(env)).toMatchObject({ sha, branch: 'main', origin: 'HEAD' });
  });

  it('is the base branch’s commit on pull_request_target', async () => {
    const sha = await git(repository, 'rev-parse', 'HEAD');
    const env = await pullRequest('d'.repeat(40), { GITHUB_EVENT_NAME: 'pull_request_target', GITHUB_SHA: sha });
    const revision = await find(env);
    expect(revision).toMatchObject({ sha, origin: 'HEAD' });
    expect(revision.mergeSha).toBeUndefined();
  });

  it('follows a checkout that is not the event’s commit, and says so', async () => {
    await git(repository, 'remote', 'add', 'origin', 'https://u:secret@git.example/other/thing.git');
    const sha = await git(repository, 'rev-parse', 'HEAD');
    const revision = await find({
      GITHUB_EVENT_NAME: 'push',
      GITHUB_SHA: 'c'.repeat(40),
      GITHUB_REF: 'refs/heads/x',
      GITHUB_REPOSITORY: 'acme/demo',
    });
    expect(revision).toMatchObject({
      sha,
      branch: 'main',
      repository: 'other/thing',
      repositoryUrl: 'https://git.example/other/thing',
    });
    expect(revision.warnings?.join()).toContain(`the checkout is at ${sha}, not at this event’s commit ccc`);
    expect(JSON.stringify(revision)).not.toContain('secret');
  });

  it.each([
    ['an untracked file', () => write('new.txt', 'x'), 'new.txt'],
    ['a changed file', () => write('file.txt', 'other'), 'file.txt'],
    ['a renamed file', () => git(repository, 'mv', 'file.txt', 'moved.txt'), 'moved.txt'],
  ])('is dirty with %s', async (_what, change, path) => {
    await change();
    const revision = await find({});
    expect(revision.dirty).toBe(true);
    expect(revision.head?.changed).toEqual([path]);
    expect(revision.warnings?.join()).toContain(path);
  });

  it('is dirty, not clean, where git cannot tell', async () => {
    await git(repository, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', repository, 'sub');
    await commit('With a submodule');
    await world.files.remove(`${repository}/.git/modules/sub/HEAD`);
    const revision = await find({});
    expect(revision.dirty).toBe(true);
    expect(revision.warnings?.join()).toContain('git cannot say whether the work tree is that of');
  });

  it('is clean with ignored files alone', async () => {
    await write('.gitignore', 'ignored/\n');
    await commit('Ignore');
    await git(repository, 'init', '--quiet', 'ignored');
    expect((await find({})).dirty).toBe(false);
  });

  it('names five changed files and counts the rest', async () => {
    for (const name of ['1', '2', '3', '4', '5', '6', '7']) await write(name, name);
    expect((await find({})).warnings?.join()).toContain('1, 2, 3, 4, 5 and 2 more');
  });

  it('reads a worktree', async () => {
    const worktree = `${world.directory}/worktree`;
    await git(repository, 'worktree', 'add', '--quiet', '-b', 'side', worktree);
    const revision = await findRevision({ ...world, directory: worktree });
    expect(revision).toMatchObject({ sha: await git(repository, 'rev-parse', 'HEAD'), branch: 'side' });
  });

  it('reads a shallow clone', async () => {
    await commit('Second');
    const shallow = `${world.directory}/shallow`;
    await git(world.directory, 'clone', '--quiet', '--depth=1', `file://${repository}`, shallow);
    const revision = await findRevision({ ...world, directory: shallow });
    expect(revision).toMatchObject({ sha: await git(repository, 'rev-parse', 'HEAD'), message: 'Second' });
    expect(revision.repositoryUrl).toBeUndefined();
  });

  it('lengthens the short name to at least 7 digits, and follows a longer core.abbrev', async () => {
    const sha = await git(repository, 'rev-parse', 'HEAD');
    await git(repository, 'config', 'core.abbrev', '4');
    expect((await find({})).shortSha).toBe(sha.slice(0, 7));
    await git(repository, 'config', 'core.abbrev', '12');
    expect((await find({})).shortSha).toBe(sha.slice(0, 12));
  });

  it('reads a repository that another user owns, without touching git’s configuration', async () => {
    const env = { ...world.env, GIT_TEST_ASSUME_DIFFERENT_OWNER: '1' };
    const plain = await world.exec('git', ['log'], { cwd: repository, env, signal: world.signal });
    expect(plain.stderr).toContain('dubious ownership');
    const revision = await findRevision({ ...world, env, directory: repository });
    expect(revision).toMatchObject({ message: 'Say hello', origin: 'HEAD' });
  });

  it('reads it from a subdirectory of the workspace too', async () => {
    await world.exec('mkdir', [`${repository}/project`], { cwd: repository, env: world.env, signal: world.signal });
    const env = { ...world.env, GIT_TEST_ASSUME_DIFFERENT_OWNER: '1' };
    const inside = { ...world, env: { ...env, GITHUB_WORKSPACE: repository }, directory: `${repository}/project` };
    expect((await findRevision(inside)).message).toBe('Say hello');
    const refused = await findRevision({ ...world, env, directory: `${repository}/project` });
    expect(refused.sha).toBeUndefined();
    expect(refused.warnings?.join()).toContain(`git config --global --add safe.directory ${repository}`);
  });

  it.each([
    ['without git on the PATH', { PATH: '/nonexistent' }],
    ['without a repository', {}],
  ])('falls back to GITHUB_SHA %s', async (_what, env) => {
    const empty = await world.files.makeTemporaryDirectory('empty-');
    const revision = await findRevision({
      ...world,
      directory: empty,
      env: { ...world.env, GITHUB_SHA: 'e'.repeat(40), GITHUB_REF: 'refs/heads/main', ...env },
    });
    expect(revision).toMatchObject({
      sha: 'e'.repeat(40),
      shortSha: 'eeeeeee',
      branch: 'main',
      dirty: false,
      committedAt: undefined,
      origin: 'GITHUB_SHA',
    });
    expect(revision.warnings?.join()).toContain('nothing proves it');
  });

  it('knows nothing in a repository without a commit and says so', async () => {
    const unborn = `${world.directory}/unborn`;
    await git(world.directory, 'init', '--quiet', unborn);
    const revision = await findRevision({ ...world, directory: unborn });
    expect(revision.sha).toBeUndefined();
    expect(revision.warnings?.join()).toContain('no commit yet');
  });

  function find(env: Record<string, string>) {
    return findRevision({ ...world, env: { ...world.env, ...env }, directory: repository });
  }

  async function git(cwd: string, ...args: string[]): Promise<string> {
    const result = await world.exec('git', args, { cwd, env: world.env, signal: world.signal });
    if (result.exitCode !== 0) throw new Error(`git ${args.join(' ')}: ${result.stderr}`);
    return result.stdout.trim();
  }

  async function write(name: string, text: string): Promise<void> {
    await world.files.remove(`${repository}/${name}`);
    await world.files.writeNew(`${repository}/${name}`, text);
  }

  async function commit(message: string): Promise<string> {
    await write('file.txt', message);
    await git(repository, 'add', '--all');
    await git(repository, 'commit', '--quiet', '-m', message);
    return git(repository, 'rev-parse', 'HEAD');
  }

  async function pullRequest(
    sha: string,
    env: Record<string, string>,
    more: object = {},
  ): Promise<Record<string, string>> {
    const path = `${await world.files.makeTemporaryDirectory('event-')}/event.json`;
    const base = { repo: { full_name: 'acme/demo' } };
    const head = { sha, ref: 'feat', repo: { full_name: 'acme/demo' } };
    await world.files.writeNew(path, JSON.stringify({ number: 7, pull_request: { head, base, ...more } }));
    return { GITHUB_EVENT_NAME: 'pull_request', GITHUB_EVENT_PATH: path, GITHUB_REPOSITORY: 'acme/demo', ...env };
  }
});

describe('gitEnvironment', () => {
  it('adds to configuration that the environment already carries', () => {
    const env = gitEnvironment(
      { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'user.name', GIT_CONFIG_VALUE_0: 'x' },
      '/srv/project',
    );
    expect(env).toMatchObject({
      GIT_CONFIG_COUNT: '2',
      GIT_CONFIG_KEY_0: 'user.name',
      GIT_CONFIG_KEY_1: 'safe.directory',
      GIT_CONFIG_VALUE_1: '/srv/project',
    });
  });
});
