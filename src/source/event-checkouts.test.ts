import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fillTags, tagNames } from '../image/tags.ts';
import { findRevision } from './revision.ts';
import { openTestWorld, type TestWorld } from './testing-world.ts';

/** A repository with a branch, its test merge as GitHub makes it, and a tag, on real git. */
type Commit = 'main' | 'head' | 'merge';
type Checkout = 'branch' | 'shallow' | 'detached' | 'worktree' | 'submodule' | 'foreign owner' | 'no git';

interface Event {
  readonly name: string;
  readonly ref: string;
  /** What GITHUB_SHA names. */
  readonly sha: Commit;
}
const EVENTS = {
  push: { name: 'push', ref: 'refs/heads/main', sha: 'main' },
  'push of a tag': { name: 'push', ref: 'refs/tags/v1.2.3', sha: 'main' },
  release: { name: 'release', ref: 'refs/tags/v1.2.3', sha: 'main' },
  workflow_dispatch: { name: 'workflow_dispatch', ref: 'refs/heads/feat/x', sha: 'head' },
  schedule: { name: 'schedule', ref: 'refs/heads/main', sha: 'main' },
  pull_request: { name: 'pull_request', ref: 'refs/pull/7/merge', sha: 'merge' },
  pull_request_target: { name: 'pull_request_target', ref: 'refs/heads/main', sha: 'main' },
  workflow_run: { name: 'workflow_run', ref: 'refs/heads/main', sha: 'main' },
  issue_comment: { name: 'issue_comment', ref: 'refs/heads/main', sha: 'main' },
} satisfies Record<string, Event>;

describe('the tags of an image, by event and checkout', () => {
  let world: TestWorld;
  let origin: string;
  let commits: Record<Commit, string>;

  beforeAll(async () => {
    world = await openTestWorld({
      ...Object.fromEntries(['AUTHOR', 'COMMITTER'].map((who) => [`GIT_${who}_NAME`, 'a'])),
      ...Object.fromEntries(['AUTHOR', 'COMMITTER'].map((who) => [`GIT_${who}_EMAIL`, 'a@example.com'])),
    });
    origin = `${world.directory}/origin`;
    await git(world.directory, 'init', '--quiet', '--initial-branch=main', origin);
    await git(origin, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
    await git(origin, 'commit', '--quiet', '--allow-empty', '-m', 'First');
    await git(origin, 'checkout', '--quiet', '-b', 'feat/x');
    const head = await commit('On the branch');
    await git(origin, 'checkout', '--quiet', 'main');
    const main = await commit('On main');
    await git(origin, 'tag', 'v1.2.3');
    await git(origin, 'checkout', '--quiet', '--detach');
    await git(origin, 'merge', '--quiet', '--no-ff', '-m', 'Merge', 'feat/x');
    const merge = await git(origin, 'rev-parse', 'HEAD');
    await git(origin, 'checkout', '--quiet', 'main');
    commits = { main, head, merge };
  });
  afterAll(() => world.close());

  it.each<[keyof typeof EVENTS, Checkout, Commit, { sha: Commit; branch?: string; refName: string; version?: string }]>(
    [
      ['push', 'branch', 'main', { sha: 'main', branch: 'main', refName: 'main' }],
      ['push', 'shallow', 'main', { sha: 'main', branch: 'main', refName: 'main' }],
      ['push', 'detached', 'main', { sha: 'main', branch: 'main', refName: 'main' }],
      ['push', 'worktree', 'main', { sha: 'main', branch: 'main', refName: 'main' }],
      ['push', 'submodule', 'main', { sha: 'main', branch: 'main', refName: 'main' }],
      ['push', 'foreign owner', 'main', { sha: 'main', branch: 'main', refName: 'main' }],
      ['push', 'no git', 'main', { sha: 'main', branch: 'main', refName: 'main' }],
      ['push', 'detached', 'head', { sha: 'head', refName: 'main' }],
      ['push of a tag', 'shallow', 'main', { sha: 'main', refName: 'v1.2.3', version: '1.2.3' }],
      ['push of a tag', 'no git', 'main', { sha: 'main', refName: 'v1.2.3', version: '1.2.3' }],
      ['release', 'detached', 'main', { sha: 'main', refName: 'v1.2.3', version: '1.2.3' }],
      ['workflow_dispatch', 'shallow', 'head', { sha: 'head', branch: 'feat-x', refName: 'feat-x' }],
      ['schedule', 'branch', 'main', { sha: 'main', branch: 'main', refName: 'main' }],
      ['pull_request', 'shallow', 'merge', { sha: 'head', branch: 'feat-x', refName: '7-merge' }],
      ['pull_request', 'detached', 'merge', { sha: 'head', branch: 'feat-x', refName: '7-merge' }],
      ['pull_request', 'shallow', 'head', { sha: 'head', branch: 'feat-x', refName: '7-merge' }],
      ['pull_request', 'no git', 'merge', { sha: 'head', branch: 'feat-x', refName: '7-merge' }],
      ['pull_request_target', 'shallow', 'main', { sha: 'main', branch: 'main', refName: 'main' }],
      ['pull_request_target', 'detached', 'head', { sha: 'head', branch: 'feat-x', refName: 'main' }],
      ['workflow_run', 'shallow', 'main', { sha: 'main', branch: 'main', refName: 'main' }],
      ['workflow_run', 'detached', 'head', { sha: 'head', branch: 'feat-x', refName: 'main' }],
    ],
  )('on %s with a checkout that is %s at %s', async (event, checkout, commit, expected) => {
    const { revision, env } = await find(EVENTS[event], checkout, commit);
    const tag = (template: string) => fillTags([template], tagNames(revision, env))[0];
    expect(tag('{sha}')).toBe(commits[expected.sha]);
    expect(commits[expected.sha]).toContain(tag('{short_sha}'));
    expect(tag('{ref_name}')).toBe(expected.refName);
    for (const name of ['branch', 'version'] as const) {
      if (expected[name] === undefined) expect(() => tag(`{${name}}`)).toThrow('comes to nothing');
      else expect(tag(`{${name}}`)).toBe(expected[name]);
    }
  });

  it.each<[keyof typeof EVENTS, Checkout, Commit, boolean]>([
    ['push', 'shallow', 'main', false],
    ['issue_comment', 'shallow', 'main', false],
    ['issue_comment', 'shallow', 'head', true],
    ['issue_comment', 'no git', 'main', false],
    ['pull_request', 'shallow', 'merge', false],
    ['pull_request_target', 'detached', 'head', false],
    ['workflow_run', 'detached', 'head', false],
  ])('on %s with a checkout that is %s at %s: of another commit than the event speaks of: %s', async (event, checkout, commit, elsewhere) => {
    const { revision } = await find(EVENTS[event], checkout, commit);
    expect(revision.elsewhere ?? false).toBe(elsewhere);
  });

  it('end in -dirty with files that are not committed, in each checkout', async () => {
    for (const checkout of ['branch', 'shallow', 'worktree', 'submodule'] as const) {
      const { revision, env } = await find(EVENTS.push, checkout, 'main', true);
      expect(fillTags(['{sha}'], tagNames(revision, env))).toEqual([`${commits.main}-dirty`]);
    }
  });

  it('have more digits where seven do not tell two commits apart', async () => {
    const [one, other] = await twoCommitsAlike();
    const directory = await checkedOut('detached', one);
    const revision = await findRevision({ ...world, directory });
    const [tag] = fillTags(['{short_sha}'], tagNames(revision, {}));
    expect(one.startsWith(tag)).toBe(true);
    expect(other.startsWith(tag)).toBe(false);
    expect(tag.length).toBeGreaterThan(7);
  });

  async function find(event: Event, checkout: Checkout, at: Commit, isDirty = false) {
    const directory = await checkedOut(checkout, commits[at]);
    if (isDirty) await world.files.writeNew(`${directory}/new.txt`, 'x');
    const payload = `${await world.files.makeTemporaryDirectory('event-')}/event.json`;
    const repo = { full_name: 'acme/demo' };
    const head = { sha: commits.head, ref: 'feat/x', repo };
    const body = {
      number: 7,
      repository: repo,
      pull_request: { head, base: { repo } },
      workflow_run: { event: 'push', head_sha: commits.head, head_branch: 'feat/x', head_repository: repo },
    };
    await world.files.writeNew(payload, JSON.stringify(body));
    const env = {
      ...world.env,
      ...(checkout === 'foreign owner' ? { GIT_TEST_ASSUME_DIFFERENT_OWNER: '1' } : {}),
      GITHUB_EVENT_NAME: event.name,
      GITHUB_EVENT_PATH: payload,
      GITHUB_REPOSITORY: 'acme/demo',
      GITHUB_SHA: commits[event.sha],
      GITHUB_REF: event.ref,
      GITHUB_REF_NAME: event.ref.replace(/^refs\/(?:heads|tags|pull)\//, ''),
    };
    return { env, revision: await findRevision({ ...world, env, directory }) };
  }

  /** A directory as the workflow leaves it; `shallow` is what actions/checkout makes. */
  async function checkedOut(checkout: Checkout, sha: string): Promise<string> {
    const directory = await world.files.makeTemporaryDirectory('checkout-');
    if (checkout === 'no git') return directory;
    if (checkout === 'shallow') {
      await git(directory, 'init', '--quiet');
      await git(directory, 'fetch', '--quiet', '--depth=1', `file://${origin}`, sha);
      await git(directory, 'checkout', '--quiet', '--detach', 'FETCH_HEAD');
      return directory;
    }
    if (checkout === 'submodule') {
      await git(directory, 'init', '--quiet');
      await git(
        directory,
        '-c',
        'protocol.file.allow=always',
        'submodule',
        '--quiet',
        'add',
        `file://${origin}`,
        'sub',
      );
      await git(`${directory}/sub`, 'checkout', '--quiet', '--detach', sha);
      return `${directory}/sub`;
    }
    await git(directory, 'clone', '--quiet', `file://${origin}`, 'clone');
    await git(`${directory}/clone`, 'fetch', '--quiet', 'origin', sha);
    if (checkout === 'branch') return `${directory}/clone`;
    if (checkout === 'worktree') {
      await git(`${directory}/clone`, 'worktree', 'add', '--quiet', '--detach', `${directory}/tree`, sha);
      return `${directory}/tree`;
    }
    await git(`${directory}/clone`, 'checkout', '--quiet', '--detach', sha);
    return `${directory}/clone`;
  }

  /** Two commits whose names begin with the same seven digits: among 40,000 there are some. */
  async function twoCommitsAlike(): Promise<[string, string]> {
    const tree = await git(origin, 'rev-parse', 'main^{tree}');
    const seen = new Map<string, string>();
    for (let number = 0; ; number += 1) {
      const text = `tree ${tree}\nauthor a <a@example.com> 1 +0000\ncommitter a <a@example.com> 1 +0000\n\n${number}\n`;
      const sha = createHash('sha1').update(`commit ${text.length}\0${text}`).digest('hex');
      const alike = seen.get(sha.slice(0, 7));
      if (alike !== undefined) {
        await git(origin, 'branch', 'alike-1', await stored(alike));
        await git(origin, 'branch', 'alike-2', await stored(text));
        return [sha, await git(origin, 'rev-parse', 'alike-1')];
      }
      seen.set(sha.slice(0, 7), text);
    }
  }

  async function stored(text: string): Promise<string> {
    const path = `${await world.files.makeTemporaryDirectory('object-')}/commit`;
    await world.files.writeNew(path, text);
    return await git(origin, 'hash-object', '-t', 'commit', '-w', path);
  }

  async function commit(message: string): Promise<string> {
    await world.files.writeNew(`${origin}/${message}.txt`, message);
    await git(origin, 'add', '--all');
    await git(origin, 'commit', '--quiet', '-m', message);
    return await git(origin, 'rev-parse', 'HEAD');
  }

  async function git(cwd: string, ...args: string[]): Promise<string> {
    const result = await world.exec('git', args, { cwd, env: world.env, signal: world.signal });
    if (result.exitCode !== 0) throw new Error(`git ${args.join(' ')}: ${result.stderr}`);
    return result.stdout.trim();
  }
});
