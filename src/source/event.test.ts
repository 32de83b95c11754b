import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../problem.ts';
import { readEvent } from './event.ts';
import type { RunEvent } from './model.ts';
import { openTestWorld, type TestWorld } from './testing-world.ts';

const pull = (head: object, more: object = {}) => ({
  number: 7,
  pull_request: { number: 7, head, base: { ref: 'main', repo: { full_name: 'acme/demo' } }, ...more },
  repository: { full_name: 'acme/demo' },
});
const HEAD = 'a'.repeat(40);

describe('readEvent', () => {
  let world: TestWorld;
  beforeAll(async () => {
    world = await openTestWorld();
  });
  afterAll(() => world.close());

  const cases: [string, Record<string, string>, unknown, RunEvent][] = [
    [
      'a push',
      { GITHUB_EVENT_NAME: 'push', GITHUB_REF: 'refs/heads/main' },
      {},
      { kind: 'push', ref: 'refs/heads/main' },
    ],
    ['no event', {}, {}, { kind: 'other', name: '' }],
    ['a dispatch', { GITHUB_EVENT_NAME: 'workflow_dispatch' }, {}, { kind: 'other', name: 'workflow_dispatch' }],
    [
      'a pull request of this repository',
      { GITHUB_EVENT_NAME: 'pull_request' },
      pull({ sha: HEAD, ref: 'feat', repo: { full_name: 'Acme/Demo' } }),
      { kind: 'pull_request', number: 7, headSha: HEAD, fromFork: false, target: false, headBranch: 'feat' },
    ],
    [
      'a fork’s pull request',
      { GITHUB_EVENT_NAME: 'pull_request' },
      pull({ sha: HEAD, ref: 'main', repo: { full_name: 'eve/demo' } }),
      { kind: 'pull_request', number: 7, headSha: HEAD, fromFork: true, target: false, headBranch: 'main' },
    ],
    [
      'a pull request whose fork was deleted',
      { GITHUB_EVENT_NAME: 'pull_request' },
      pull({ sha: HEAD, ref: 'x', repo: null }),
      { kind: 'pull_request', number: 7, headSha: HEAD, fromFork: true, target: false, headBranch: 'x' },
    ],
    [
      'a pull request within a repository that is itself a fork',
      { GITHUB_EVENT_NAME: 'pull_request' },
      pull({ sha: HEAD, ref: 'x', repo: { full_name: 'acme/demo', fork: true } }),
      { kind: 'pull_request', number: 7, headSha: HEAD, fromFork: false, target: false, headBranch: 'x' },
    ],
    [
      'a closed and merged pull request',
      { GITHUB_EVENT_NAME: 'pull_request' },
      pull({ sha: HEAD, ref: 'x', repo: { full_name: 'acme/demo' } }, { merged: true }),
      { kind: 'pull_request', number: 7, headSha: HEAD, fromFork: false, target: false, headBranch: 'x', merged: true },
    ],
    [
      'pull_request_target',
      { GITHUB_EVENT_NAME: 'pull_request_target' },
      pull({ sha: HEAD, ref: 'x', repo: { full_name: 'eve/demo' } }),
      { kind: 'pull_request', number: 7, headSha: HEAD, fromFork: true, target: true, headBranch: 'x' },
    ],
    [
      'a review of a fork’s pull request',
      { GITHUB_EVENT_NAME: 'pull_request_review' },
      pull({ sha: HEAD, ref: 'x', repo: { full_name: 'eve/demo' } }),
      { kind: 'pull_request', number: 7, headSha: HEAD, fromFork: true, target: false, headBranch: 'x' },
    ],
    [
      'a comment in the review of a pull request',
      { GITHUB_EVENT_NAME: 'pull_request_review_comment' },
      pull({ sha: HEAD, ref: 'x', repo: { full_name: 'acme/demo' } }),
      { kind: 'pull_request', number: 7, headSha: HEAD, fromFork: false, target: false, headBranch: 'x' },
    ],
    [
      'a payload that only GITHUB_REF gives a number',
      { GITHUB_EVENT_NAME: 'pull_request', GITHUB_REF: 'refs/pull/12/merge', GITHUB_HEAD_REF: 'feat' },
      {},
      { kind: 'pull_request', number: 12, headSha: undefined, fromFork: true, target: false, headBranch: 'feat' },
    ],
    [
      'a workflow_run that a fork started',
      { GITHUB_EVENT_NAME: 'workflow_run', GITHUB_REPOSITORY: 'acme/demo' },
      {
        workflow_run: {
          event: 'pull_request',
          head_sha: HEAD,
          head_branch: 'x',
          head_repository: { full_name: 'eve/demo' },
        },
      },
      { kind: 'workflow_run', headSha: HEAD, headBranch: 'x', fromFork: true, ofPullRequest: true },
    ],
    [
      'a workflow_run after pull_request_target',
      { GITHUB_EVENT_NAME: 'workflow_run', GITHUB_REPOSITORY: 'acme/demo' },
      { workflow_run: { event: 'pull_request_target', head_repository: { full_name: 'acme/demo' } } },
      {
        kind: 'workflow_run',
        headSha: undefined,
        headBranch: undefined,
        fromFork: false,
        ofPullRequest: true,
        target: true,
      },
    ],
    [
      'a workflow_run after a push',
      { GITHUB_EVENT_NAME: 'workflow_run', GITHUB_REPOSITORY: 'acme/demo' },
      {
        workflow_run: {
          event: 'push',
          head_sha: HEAD,
          head_branch: 'main',
          head_repository: { full_name: 'acme/demo' },
        },
      },
      { kind: 'workflow_run', headSha: HEAD, headBranch: 'main', fromFork: false, ofPullRequest: false },
    ],
  ];

  it.each(cases)('reads %s', async (_what, env, payload, expected) => {
    const path = await eventFile(JSON.stringify(payload));
    expect(await readEvent({ GITHUB_EVENT_PATH: path, ...env }, world.files)).toEqual(expected);
  });

  it.each([
    ['is missing', async () => '/nonexistent/event.json', 'cannot be read'],
    ['is no JSON', () => eventFile('{"number": 7'), 'is not JSON'],
    ['has a number of the wrong type', () => eventFile('{"number": "seven"}'), 'number'],
    ['names no number', () => eventFile('{}'), 'which number'],
    ['is not named by the environment', async () => '', 'GITHUB_EVENT_PATH is not set'],
  ])('says what is wrong when a pull request’s event file %s', async (_what, make, text) => {
    const read = readEvent({ GITHUB_EVENT_NAME: 'pull_request', GITHUB_EVENT_PATH: await make() }, world.files);
    const error = await read.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Problem);
    expect(String(error)).toContain(text);
  });

  async function eventFile(text: string): Promise<string> {
    const path = `${await world.files.makeTemporaryDirectory('event-')}/event.json`;
    await world.files.writeNew(path, text);
    return path;
  }
});
