import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import * as z from 'zod';
import { createImageBuilder } from '../../src/image/builder.ts';
import { somePlan } from '../../src/image/testing-plan.ts';
import { someRegistryInputs } from '../../src/inputs/testing-registry.ts';
import { openSignIn } from '../../src/registry/sign-in.ts';
import { openTestWorld, type TestWorld } from '../../src/source/testing-world.ts';
import { BUILDKIT_BUILDER } from '../rig/rig-description.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const Index = z.object({
  mediaType: z.literal(INDEX),
  manifests: z.array(
    z.object({
      platform: z.object({ os: z.string(), architecture: z.string() }),
      annotations: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

/** What dockerd's own builder cannot do, by a real BuildKit as a remote builder. */
describe('building an image with BuildKit', () => {
  const rig = inject('rig');
  let world: TestWorld;
  let context: string;

  beforeAll(async () => {
    world = await openTestWorld(rig.env);
    context = await world.files.makeTemporaryDirectory('context-');
    await writeFile(`${context}/hello.txt`, 'hello');
  });
  afterAll(() => world?.close());

  it('pushes one index for two platforms and returns its digest', async () => {
    const repository = 'buildkit-test/platforms';
    const build = createImageBuilder({
      world,
      signIn: openSignIn(someRegistryInputs(), { ...world, fetch }),
      remember: () => undefined,
    });
    const built = await build(
      somePlan({
        repository: `${rig.registry}/${repository}`,
        tags: ['one'],
        context,
        dockerfile: { kind: 'generated', content: 'FROM scratch\nCOPY hello.txt /\n', dockerignore: undefined },
        platforms: ['linux/amd64', 'linux/arm64'],
        sourceDateEpoch: 1_700_000_000,
        builder: BUILDKIT_BUILDER,
      }),
    );
    const answer = await fetch(`http://${rig.registry}/v2/${repository}/manifests/one`, { headers: { accept: INDEX } });
    expect(answer.headers.get('docker-content-digest')).toBe(built.digest);
    const { manifests } = Index.parse(await answer.json());
    expect(manifests.map(({ platform }) => `${platform.os}/${platform.architecture}`)).toEqual([
      'linux/amd64',
      'linux/arm64',
    ]);
  });

  it('attests provenance when that is asked for', async () => {
    const repository = 'buildkit-test/provenance';
    const build = createImageBuilder({
      world,
      signIn: openSignIn(someRegistryInputs(), { ...world, fetch }),
      remember: () => undefined,
    });
    const built = await build(
      somePlan({
        repository: `${rig.registry}/${repository}`,
        tags: ['one'],
        context,
        dockerfile: { kind: 'generated', content: 'FROM scratch\nCOPY hello.txt /\n', dockerignore: undefined },
        provenance: 'mode=max',
        builder: BUILDKIT_BUILDER,
      }),
    );
    const answer = await fetch(`http://${rig.registry}/v2/${repository}/manifests/one`, { headers: { accept: INDEX } });
    expect(answer.headers.get('docker-content-digest')).toBe(built.digest);
    const { manifests } = Index.parse(await answer.json());
    expect(manifests.map(({ annotations }) => annotations?.['vnd.docker.reference.type'])).toEqual([
      undefined,
      'attestation-manifest',
    ]);
  });
});
