import { describe, expect, it } from 'vitest';
import { someRevision } from '../source/testing-revision.ts';
import { type FingerprintContext, fingerprint, tagOfCommit } from './fingerprint.ts';
import type { ImagePlan } from './model.ts';
import { somePlan } from './testing-plan.ts';

const CONTEXT: FingerprintContext = {
  revision: someRevision(),
  workspace: '/srv',
  dockerfile: 'FROM scratch\n',
  ownPlatform: 'linux/amd64',
};
const generated = (dockerignore: string | undefined): Partial<ImagePlan> => ({
  dockerfile: { kind: 'generated', content: 'FROM scratch\n', dockerignore },
});

describe('fingerprint', () => {
  it.each<[string, Partial<ImagePlan>]>([
    ['build arguments', { buildArgs: { A: '1' } }],
    ['target', { target: 'release' }],
    ['platforms', { platforms: ['linux/arm64'] }],
    ['labels', { labels: { a: '1' } }],
    ['context', { context: '/srv/other' }],
    ['a build context', { buildContexts: { base: 'docker-image://alpine:3' } }],
    ['secrets', { secrets: ['id=token,env=TOKEN'] }],
    ['the commit’s time', { sourceDateEpoch: 1 }],
    ['the ignore file', generated('.git\n')],
    ['a build that takes the network', { network: 'host' }],
  ])('differs by %s', (_what, different) => {
    expect(hashOf(different)).not.toBe(hashOf({}));
  });

  it.each<[string, Partial<FingerprintContext>]>([
    ['the Dockerfile', { dockerfile: 'FROM alpine\n' }],
    ['the commit', { revision: someRevision({ sha: 'f'.repeat(40) }) }],
    ['the merge commit of a pull request', { revision: someRevision({ mergeSha: 'e'.repeat(40) }) }],
    ['the builder’s own platform', { ownPlatform: 'linux/arm64' }],
  ])('differs by %s', (_what, different) => {
    expect(hashOf({}, different)).not.toBe(hashOf({}));
  });

  it.each<[string, Partial<ImagePlan>, Partial<ImagePlan>]>([
    ['tags and repository', {}, { tags: ['latest'], repository: 'ghcr.io/acme/hello' }],
    ['caches', {}, { cacheFrom: ['type=gha'], cacheTo: ['type=gha'], noCache: true, pull: true }],
    ['the builder', {}, { builder: 'mine' }],
    ['the place that asked', {}, { where: undefined, freshBecause: 'x' }],
    ['the value of a secret', { secretEnv: { A: 'one' } }, { secretEnv: { A: 'two' } }],
    ['where a secret comes from', { secrets: ['id=a,env=A'] }, { secrets: ['type=file,id=a,src=/tmp/x'] }],
    ['which key an agent has', { ssh: ['default=/a'] }, { ssh: ['default=/b'] }],
    ['the order of build arguments', { buildArgs: { A: '1', B: '2' } }, { buildArgs: { B: '2', A: '1' } }],
  ])('is the same whatever %s', (_what, one, other) => {
    expect(hashOf(one)).toBe(hashOf(other));
  });

  it('is the same where the repository is checked out elsewhere', () => {
    const there = somePlan({
      context: '/checkouts/project',
      dockerfile: { kind: 'file', path: '/checkouts/project/Dockerfile' },
      buildContexts: { lib: '/checkouts/lib' },
    });
    const here = somePlan({ buildContexts: { lib: '/srv/lib' } });
    expect(fingerprint(there, { ...CONTEXT, workspace: '/checkouts' })).toEqual(fingerprint(here, CONTEXT));
  });

  it.each<[string, Partial<ImagePlan>, Partial<FingerprintContext>]>([
    ['no commit', {}, { revision: someRevision({ sha: undefined }) }],
    ['changes that are not committed', {}, { revision: someRevision({ dirty: true }) }],
    ['outside the repository', { context: '/tmp/project' }, {}],
    ['outside the repository', { buildContexts: { lib: '/opt/lib' } }, {}],
    ['outside the repository', {}, { workspace: '/srv/project/deep' }],
    ['the step generate ran before', { changedBy: 'the step generate' }, {}],
  ])('is not known with %s', (because, plan, context) => {
    const found = fingerprint(somePlan(plan), { ...CONTEXT, ...context });
    expect(found).toMatchObject({ kind: 'unknown', because: expect.stringContaining(because) });
  });

  function hashOf(plan: Partial<ImagePlan>, context: Partial<FingerprintContext> = {}): string {
    const found = fingerprint(somePlan(plan), { ...CONTEXT, ...context });
    if (found.kind === 'unknown') throw new Error(found.because);
    return found.hash;
  }
});

describe('tagOfCommit', () => {
  const sha = '0123456789abcdef0123456789abcdef01234567';
  it.each<[readonly string[], string | undefined]>([
    [[sha], sha],
    [['latest', '0123456'], '0123456'],
    [['v1.2-0123456789'], 'v1.2-0123456789'],
    [['latest'], undefined],
    [['012345'], undefined],
    [['1234567'], undefined],
    [['main', `${sha}-dirty`], `${sha}-dirty`],
  ])('of %j is %s', (tags, expected) => {
    expect(tagOfCommit(tags, sha)).toBe(expected);
  });
});
