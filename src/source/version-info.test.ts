import { describe, expect, it } from 'vitest';
import type { Head, Revision } from './model.ts';
import { inferVersionInfo, UnknownVersionType, type VersionWish } from './version-info.ts';

const SHA = '0123456789abcdef0123456789abcdef01234567';
const HEAD: Head = {
  sha: 'f3d46caf00000000000000000000000000000000',
  shortSha: 'f3d46ca',
  branch: 'master',
  committedAt: 1_700_000_000,
  message: 'first commit',
  remoteUrl: 'https://github.com/acme/demo.git',
  changed: [],
};

function revision(head: Head | undefined): Revision {
  return {
    sha: head?.sha,
    shortSha: head?.shortSha,
    branch: head?.branch,
    refName: undefined,
    dirty: false,
    committedAt: head?.committedAt,
    message: head?.message,
    repositoryUrl: undefined,
    repository: undefined,
    origin: 'HEAD',
    ...(head === undefined ? {} : { head }),
  };
}

const NO_WISH: VersionWish = { type: undefined, version: undefined, flowVersion: undefined };
const GITHUB = {
  GITHUB_SHA: SHA,
  GITHUB_REF_NAME: '12/merge',
  GITHUB_REPOSITORY: 'acme/demo',
  GITHUB_SERVER_URL: 'https://github.com',
};
const GITLAB = {
  CI_COMMIT_SHA: SHA,
  CI_COMMIT_REF_NAME: 'main',
  CI_PROJECT_NAME: 'demo',
  CI_PROJECT_URL: 'https://gitlab.example/acme/demo',
};

// Expected values were read off prefect 3.8.8's own get_*_version_info for the same variables and repository.
describe('inferVersionInfo', () => {
  const common = { version: '01234567', commit_sha: SHA, message: 'first commit' };
  it.each([
    [
      'GitHub Actions',
      GITHUB,
      {
        ...common,
        type: 'vcs:github',
        branch: '12/merge',
        repository: 'acme/demo',
        url: `https://github.com/acme/demo/tree/${SHA}`,
      },
    ],
    [
      'GitHub Actions without a server URL',
      { ...GITHUB, GITHUB_SERVER_URL: undefined },
      {
        ...common,
        type: 'vcs:github',
        branch: '12/merge',
        repository: 'acme/demo',
        url: `None/acme/demo/tree/${SHA}`,
      },
    ],
    [
      'GitLab',
      GITLAB,
      {
        ...common,
        type: 'vcs:gitlab',
        branch: 'main',
        repository: 'demo',
        url: `https://gitlab.example/acme/demo/-/tree/${SHA}`,
      },
    ],
    [
      'Bitbucket',
      {
        BITBUCKET_COMMIT: SHA,
        BITBUCKET_BRANCH: 'main',
        BITBUCKET_REPO_SLUG: 'demo',
        BITBUCKET_GIT_HTTP_ORIGIN: 'https://bitbucket.org/acme/demo',
      },
      {
        ...common,
        type: 'vcs:bitbucket',
        branch: 'main',
        repository: 'demo',
        url: `https://bitbucket.org/acme/demo/src/${SHA}`,
      },
    ],
    [
      'Azure DevOps, whose address carries the organisation’s name as a user',
      {
        BUILD_SOURCEVERSION: SHA,
        BUILD_SOURCEBRANCHNAME: 'main',
        BUILD_REPOSITORY_NAME: 'demo',
        BUILD_REPOSITORY_URI: 'https://org:secret@dev.azure.com/org/p/_git/demo',
      },
      {
        ...common,
        type: 'vcs:azuredevops',
        branch: 'main',
        repository: 'demo',
        url: `https://dev.azure.com/org/p/_git/demo?version=GC${SHA}`,
      },
    ],
    [
      'git alone',
      {},
      {
        type: 'vcs:git',
        version: 'f3d46caf',
        commit_sha: HEAD.sha,
        message: 'first commit',
        branch: 'master',
        repository: 'acme/demo',
        url: 'https://github.com/acme/demo.git',
      },
    ],
  ])('on %s', (_where, env, info) => {
    expect(inferVersionInfo(env, revision(HEAD), NO_WISH)).toEqual({ version: info.version, info });
  });

  it.each([
    ['git@github.com:acme/demo.git', 'git@github.com:acme/demo'],
    ['ssh://git@github.com/acme/demo.git', 'acme/demo'],
    ['github.com:acme/demo.git', 'acme/demo'],
    ['/srv/git/demo.git', 'srv/git/demo'],
    ['https://github.com/acme/demo/?x=1#y', 'acme/demo'],
  ])('names the repository of remote %s as %s', (remoteUrl, repository) => {
    const found = inferVersionInfo({}, revision({ ...HEAD, remoteUrl }), NO_WISH);
    expect(found.info).toMatchObject({ type: 'vcs:git', repository, url: remoteUrl });
  });

  it('calls a detached HEAD’s branch HEAD', () => {
    const found = inferVersionInfo({}, revision({ ...HEAD, branch: undefined }), NO_WISH);
    expect(found.info).toMatchObject({ branch: 'HEAD' });
  });

  it.each([
    ['there is no repository', GITHUB, undefined],
    ['the commit has no message', GITHUB, { ...HEAD, message: undefined }],
    ['git has no remote and no CI is known', {}, { ...HEAD, remoteUrl: undefined }],
    ['a variable is empty', { ...GITHUB, GITHUB_REPOSITORY: '' }, { ...HEAD, remoteUrl: undefined }],
  ])('is simple when %s', (_why, env, head) => {
    const wish = { ...NO_WISH, flowVersion: '7' };
    expect(inferVersionInfo(env, revision(head), wish)).toEqual({
      version: '7',
      info: { type: 'prefect:simple', version: '7' },
    });
  });

  it('tries GitHub before GitLab, and GitLab before git', () => {
    expect(inferVersionInfo({ ...GITLAB, ...GITHUB }, revision(HEAD), NO_WISH).info.type).toBe('vcs:github');
    expect(inferVersionInfo(GITLAB, revision(HEAD), NO_WISH).info.type).toBe('vcs:gitlab');
  });

  it('lets a written version win, also inside version_info', () => {
    const found = inferVersionInfo(GITHUB, revision(HEAD), { ...NO_WISH, version: '2.0', flowVersion: '7' });
    expect(found).toMatchObject({ version: '2.0', info: { type: 'vcs:github', version: '2.0', commit_sha: SHA } });
  });

  it('prefers the inferred version to the flow’s own', () => {
    expect(inferVersionInfo(GITHUB, revision(HEAD), { ...NO_WISH, flowVersion: '7' }).version).toBe('01234567');
  });

  it('tries only the type that is given', () => {
    expect(inferVersionInfo(GITHUB, revision(HEAD), { ...NO_WISH, type: 'vcs:git' }).info.type).toBe('vcs:git');
    expect(inferVersionInfo(GITHUB, revision(HEAD), { ...NO_WISH, type: 'vcs:gitlab' }).info).toEqual({
      type: 'prefect:simple',
      version: '',
    });
    expect(inferVersionInfo(GITHUB, revision(HEAD), { ...NO_WISH, type: 'prefect:simple' })).toEqual({
      version: undefined,
      info: { type: 'prefect:simple', version: '' },
    });
  });

  it('refuses a type that Prefect does not know', () => {
    expect(() => inferVersionInfo({}, revision(HEAD), { ...NO_WISH, type: 'vcs:svn' })).toThrow(UnknownVersionType);
  });
});
