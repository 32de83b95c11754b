import { describe, expect, it } from 'vitest';
import { problemsOf } from '../problem.ts';
import type { Revision } from '../source/model.ts';
import { isTag } from '../source/tag.ts';
import { fillTags, tagNames } from './tags.ts';

const SHA = '0123456789abcdef0123456789abcdef01234567';
const REVISION: Revision = {
  sha: SHA,
  shortSha: '0123456',
  branch: 'feature/Größe #1',
  refName: '7/merge',
  dirty: false,
  committedAt: 1_700_000_000,
  message: 'Say hello',
  repositoryUrl: 'https://github.com/acme/hello',
  repository: 'acme/hello',
  origin: 'HEAD',
};
const ENV = { GITHUB_REF: 'refs/tags/v1.2.3+build.4', GITHUB_RUN_NUMBER: '42' };

const fill = (templates: [string, ...string[]], revision: Partial<Revision> = {}, env: Record<string, string> = ENV) =>
  fillTags(templates, tagNames({ ...REVISION, ...revision }, env));

describe('tags', () => {
  it.each([
    ['{sha}', SHA],
    ['{short_sha}', '0123456'],
    ['{branch}', 'feature-Gr-e-1'],
    ['{ref_name}', '7-merge'],
    ['{run_number}', '42'],
    ['{version}', '1.2.3-build.4'],
    ['pr-{branch}-{short_sha}', 'pr-feature-Gr-e-1-0123456'],
    ['latest', 'latest'],
    ['_x.Y-1', '_x.Y-1'],
  ])('are filled in: %s', (template, tag) => {
    expect(fill([template])).toEqual([tag]);
  });

  it('keep their order and come once', () => {
    expect(fill(['latest', '{sha}', SHA, 'latest'])).toEqual(['latest', SHA]);
  });

  it('say of a dirty tree that it is one, where they name the commit', () => {
    expect(fill(['{sha}', '{short_sha}', '{run_number}'], { dirty: true })).toEqual([
      `${SHA}-dirty`,
      '0123456-dirty',
      '42',
    ]);
  });

  it('have no leading dots and hyphens from a branch', () => {
    expect(fill(['{branch}'], { branch: '.-/hidden' })).toEqual(['hidden']);
  });

  it('tell long branches apart that begin alike', () => {
    const [one] = fill(['{branch}'], { branch: `${'x'.repeat(200)}-one` });
    const [two] = fill(['{branch}'], { branch: `${'x'.repeat(200)}-two` });
    expect([isTag(one), isTag(two), one === two]).toEqual([true, true, false]);
  });

  it('keep a version whose name does not begin with v and a number', () => {
    expect(fill(['{version}'], {}, { GITHUB_REF: 'refs/tags/vogon' })).toEqual(['vogon']);
  });

  it.each<[string, Partial<Revision>, Record<string, string>, string]>([
    ['{sha}', { sha: undefined }, {}, 'because there is neither a git checkout nor GITHUB_SHA'],
    ['{branch}', { branch: undefined }, {}, 'because the checkout is on no branch'],
    ['x-{branch}', { branch: undefined }, ENV, 'because the event is about the git tag v1.2.3+build.4'],
    ['{branch}', { branch: '主' }, {}, 'because "主" has no character that a tag may have'],
    ['{ref_name}', { refName: undefined }, {}, 'because there is no GITHUB_REF_NAME'],
    ['{run_number}', {}, {}, 'because there is no GITHUB_RUN_NUMBER'],
    ['{version}', {}, { GITHUB_REF: 'refs/heads/main' }, 'because the event is about no git tag (refs/heads/main)'],
  ])('are refused when %s stands for nothing', (template, revision, env, why) => {
    expect(refusals([template], revision, env)).toEqual([expect.stringContaining(why)]);
  });

  it.each([
    ['{date}', 'has the placeholder {date}'],
    ['{}', 'has the placeholder {}'],
    ['{sha', 'is no tag'],
    ['my tag', 'is no tag'],
    ['-{sha}', 'is no tag'],
    ['.x', 'is no tag'],
    ['type=sha', 'is no tag'],
    ['ghcr.io/acme/hello:1', 'is no tag'],
  ])('are refused when they cannot be tags: %s', (template, what) => {
    expect(refusals([template])).toEqual([expect.stringContaining(what)]);
  });

  it('are refused all at once', () => {
    expect(refusals(['{date}', '{sha}', 'my tag'])).toHaveLength(2);
  });

  function refusals(...args: Parameters<typeof fill>): string[] {
    try {
      fill(...args);
      return [];
    } catch (error) {
      return (problemsOf(error) ?? []).map((problem) => problem.message);
    }
  }
});
