import { describe, expect, it } from 'vitest';
import type { BuiltImage } from '../image/model.ts';
import { somePlan } from '../image/testing-plan.ts';
import { someRevision } from '../source/testing-revision.ts';
import { KNOWN_AT_DEPLOY } from './foresight.ts';
import { slipwayOutputs } from './slipway-outputs.ts';

const { sha, shortSha: short_sha } = someRevision();
const revision = someRevision();
const image = 'ghcr.io/acme/hello:v1';
const imageRef = `ghcr.io/acme/hello@sha256:${'0'.repeat(64)}`;

describe('what is there before the first step', () => {
  it('is the commit', () => {
    const outputs = slipwayOutputs({ revision, ownImage: undefined, mode: 'deploy' });
    expect(outputs).toEqual({ sha, short_sha, slipway: { sha, short_sha } });
  });

  it('is nothing without a commit', () => {
    const none = someRevision({ sha: undefined, shortSha: undefined });
    expect(slipwayOutputs({ revision: none, ownImage: undefined, mode: 'deploy' })).toEqual({ slipway: {} });
  });

  it.each<[string, 'deploy' | 'plan', Partial<BuiltImage>, boolean, string | undefined]>([
    ['the image by its digest', 'deploy', { imageRef }, true, imageRef],
    ['the image, whose digest a deploy will know', 'plan', {}, true, KNOWN_AT_DEPLOY],
    ['the image without a digest when it is not pushed', 'deploy', {}, false, undefined],
    ['the image without a digest when it will not be pushed', 'plan', {}, false, undefined],
  ])('is also %s', (_what, mode, different, push, reference) => {
    const plan = somePlan({ repository: 'ghcr.io/acme/hello', tags: ['v1', 'latest'], push });
    const ownImage: BuiltImage = { plan, image, imageRef: undefined, digest: undefined, seconds: 1, ...different };
    const { slipway, ...plain } = slipwayOutputs({ revision, ownImage, mode });
    expect(plain).toEqual({
      sha,
      short_sha,
      image,
      tag: 'v1',
      ...(reference === undefined ? {} : { image_ref: reference }),
    });
    expect(slipway).toEqual(plain);
  });
});
