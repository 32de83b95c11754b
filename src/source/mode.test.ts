import { describe, expect, it } from 'vitest';
import { decideMode, type ModeInput } from './mode.ts';
import type { RunEvent } from './model.ts';

const pull = (fromFork: boolean, target = false): RunEvent => ({
  kind: 'pull_request',
  number: 7,
  headSha: undefined,
  fromFork,
  target,
});
const run = (fromFork: boolean, ofPullRequest: boolean, target = false): RunEvent => ({
  kind: 'workflow_run',
  headSha: undefined,
  headBranch: undefined,
  fromFork,
  ofPullRequest,
  target,
});
const push: RunEvent = { kind: 'push', ref: 'refs/heads/main' };
const HERE = {};
const other = (name: string): RunEvent => ({ kind: 'other', name });

describe('decideMode', () => {
  const cases: [ModeInput, string, RunEvent, 'deploy' | 'plan', boolean][] = [
    ['auto', 'a push', push, 'deploy', false],
    ['auto', 'a dispatch', other('workflow_dispatch'), 'deploy', false],
    ['auto', 'a schedule', other('schedule'), 'deploy', false],
    ['auto', 'no event at all', other(''), 'deploy', false],
    ['auto', 'a merge queue’s commit', other('merge_group'), 'plan', false],
    ['auto', 'a pull request', pull(false), 'plan', false],
    ['auto', 'a fork’s pull request', pull(true), 'plan', false],
    ['auto', 'pull_request_target', pull(false, true), 'plan', false],
    ['auto', 'a workflow after a push', run(false, false), 'deploy', false],
    ['auto', 'a workflow after a pull request', run(false, true), 'plan', false],
    ['auto', 'a workflow after a fork’s push', run(true, false), 'plan', false],
    ['deploy', 'a push', push, 'deploy', false],
    ['deploy', 'a pull request', pull(false), 'deploy', false],
    ['deploy', 'a fork’s pull request', pull(true), 'plan', true],
    ['deploy', 'pull_request_target', pull(false, true), 'plan', true],
    ['deploy', 'a fork’s pull_request_target', pull(true, true), 'plan', true],
    ['deploy', 'a workflow after a fork’s pull request', run(true, true), 'plan', true],
    ['deploy', 'a workflow after pull_request_target', run(false, true, true), 'plan', true],
    ['auto', 'a comment, at the event’s commit', other('issue_comment'), 'deploy', false],
    ['plan', 'a push', push, 'plan', false],
    ['plan', 'a fork’s pull request', pull(true), 'plan', false],
  ];

  it.each(cases)('%s on %s', (input, _what, event, mode, refused) => {
    expect(decideMode(input, event, HERE, false)).toMatchObject({ mode, refused });
  });

  it('tells why a deploy was refused', () => {
    expect(decideMode('deploy', pull(true), HERE, false).reason).toBe(
      'pull request #7 comes from a fork, and those never write unless `allow-untrusted` says so',
    );
  });

  it.each<[string, ModeInput, RunEvent, 'deploy' | 'plan']>([
    ['a fork’s pull request when deploying is asked for', 'deploy', pull(true), 'deploy'],
    ['pull_request_target when deploying is asked for', 'deploy', pull(true, true), 'deploy'],
    ['a workflow after a fork’s push', 'auto', run(true, false), 'deploy'],
    ['a fork’s pull request otherwise', 'auto', pull(true), 'plan'],
  ])('with allow-untrusted treats %s like one of our own', (_what, input, event, mode) => {
    expect(decideMode(input, event, HERE, true)).toMatchObject({ mode, refused: false });
  });

  it.each<[string, ModeInput, boolean, 'deploy' | 'plan', boolean]>([
    ['issue_comment', 'auto', false, 'plan', false],
    ['issue_comment', 'deploy', false, 'plan', true],
    ['issue_comment', 'deploy', true, 'deploy', false],
    ['issues', 'auto', false, 'plan', false],
    ['discussion', 'auto', false, 'plan', false],
    ['discussion_comment', 'auto', false, 'plan', false],
    ['workflow_dispatch', 'auto', false, 'deploy', false],
    ['schedule', 'auto', false, 'deploy', false],
  ])('on %s with a checkout elsewhere, mode %s, allow-untrusted %s', (name, input, allow, mode, refused) => {
    expect(decideMode(input, other(name), { elsewhere: true }, allow)).toMatchObject({ mode, refused });
  });
});
