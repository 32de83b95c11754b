import { describe, expect, it } from 'vitest';
import { lackOf } from './abilities.ts';
import type { ImagePlan } from './model.ts';
import type { Builder } from './preflight.ts';
import { somePlan } from './testing-plan.ts';

const CLASSIC: Builder = { name: 'default', driver: 'docker', rewritesTimestamps: false, platform: 'linux/amd64' };
const CONTAINERD: Builder = { ...CLASSIC, rewritesTimestamps: true };
const CONTAINER: Builder = { ...CONTAINERD, name: 'mine', driver: 'docker-container' };
const ALL: Partial<ImagePlan> = {
  platforms: ['linux/amd64', 'linux/arm64'],
  provenance: 'mode=max',
  sbom: 'true',
  cacheTo: ['type=gha,mode=max'],
};

describe('lackOf', () => {
  it.each<[string, Partial<ImagePlan>, string]>([
    [
      'several platforms',
      { platforms: ['linux/amd64', 'linux/arm64'] },
      'build for several platforms (linux/amd64, linux/arm64)',
    ],
    ['provenance', { provenance: 'true' }, 'attest provenance'],
    ['an SBOM', { sbom: 'true' }, 'attest an SBOM'],
    ['a cache of GitHub', { cacheTo: ['type=gha'] }, 'write the cache type=gha'],
    ['a cache by its image alone', { cacheTo: ['type=inline', 'acme/cache'] }, 'write the cache acme/cache'],
    ['several things', { provenance: 'true', sbom: 'true' }, 'attest provenance and attest an SBOM'],
  ])('names %s for Docker’s own builder, and which builders can', (_what, different, lacking) => {
    const problem = lackOf(somePlan(different), CLASSIC);
    expect(problem?.message).toBe(
      `the builder default, Docker’s own, cannot ${lacking} (image localhost:5000/hello:f3d46caf)`,
    );
    expect(problem?.remedy).toMatch(/docker-container, kubernetes or remote.*setup-buildx-action/);
  });

  it.each<[string, Partial<ImagePlan>]>([
    ['one platform', { platforms: ['linux/arm64'] }],
    ['an inline cache', { cacheTo: ['type=inline'] }],
    ['caches to read', { cacheFrom: ['type=registry,ref=acme/cache'] }],
  ])('has nothing against %s', (_what, different) => {
    expect(lackOf(somePlan(different), CLASSIC)).toBeUndefined();
  });

  it.each([
    ['a daemon with the containerd image store', CONTAINERD],
    ['a builder in a container', CONTAINER],
  ])('has nothing against anything for %s', (_what, builder) => {
    expect(lackOf(somePlan(ALL), builder)).toBeUndefined();
  });
});
