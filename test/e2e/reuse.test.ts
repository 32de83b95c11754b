import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createImageBuilder } from '../../src/image/builder.ts';
import { withOciLabels } from '../../src/image/labels.ts';
import type { BuiltImage, ImagePlan } from '../../src/image/model.ts';
import { somePlan } from '../../src/image/testing-plan.ts';
import { someRegistryInputs } from '../../src/inputs/testing-registry.ts';
import { openSignIn } from '../../src/registry/sign-in.ts';
import type { Revision } from '../../src/source/model.ts';
import { someRevision } from '../../src/source/testing-revision.ts';
import { openTestWorld, type TestWorld } from '../../src/source/testing-world.ts';
import { BUILDKIT_BUILDER } from '../rig/rig-description.ts';
import { type OwnRegistry, startOwnRegistry, USER } from './own-registry.ts';

const REVISION = someRevision();
const SHA = REVISION.sha ?? '';

/** Real buildx, real registries; each `run` is a run of the action of its own. */
describe('an image that exists already', () => {
  const rig = inject('rig');
  let world: TestWorld;
  let locked: OwnRegistry;
  let context: string;
  let builds: number;
  let repositories = 0;
  let repository: string;

  beforeAll(async () => {
    world = await openTestWorld(rig.env);
    locked = await startOwnRegistry(`${world.directory}/locked`, 'htpasswd');
    context = await world.files.makeTemporaryDirectory('context-');
    await writeFile(`${context}/hello.txt`, 'hello');
  });
  afterAll(async () => {
    await locked?.stop();
    await world?.close();
  });
  beforeEach(() => {
    builds = 0;
    repositories += 1;
    repository = `${locked.host}/team/reuse-${repositories}`;
  });

  it.each([
    ['dockerd', {}],
    ['BuildKit', { builder: BUILDKIT_BUILDER }],
    ['BuildKit for two platforms', { builder: BUILDKIT_BUILDER, platforms: ['linux/amd64', 'linux/arm64'] }],
  ])('made by %s is not built again, and gets further tags in the registry', async (_what, different) => {
    const first = await run({ ...different, tags: [SHA] });
    const second = await run({ ...different, tags: [SHA, 'latest', 'main'] });
    expect(builds).toBe(1);
    expect(second).toMatchObject({ imageRef: first.imageRef, digest: first.digest, isReused: true });
    for (const tag of [SHA, 'latest', 'main']) expect(await digestOf(tag)).toBe(first.digest);
  });

  it('is built again from another Dockerfile, other arguments or another commit', async () => {
    const first = await run({});
    await run({ buildArgs: { A: '1' } });
    await run({
      dockerfile: { kind: 'generated', content: 'FROM scratch\nCOPY hello.txt /x\n', dockerignore: undefined },
    });
    const digest = await digestOf(SHA);
    await run({ tags: ['0123456'] }, { sha: `0123456${'f'.repeat(33)}` });
    expect(builds).toBe(4);
    expect(digest).not.toBe(first.digest);
  });

  it('is built again when the work tree has changes, and does not say then what it was built from', async () => {
    await run({}, { dirty: true });
    expect((await run({})).isReused).toBeUndefined();
    expect(builds).toBe(2);
    expect((await run({})).isReused).toBe(true);
  });

  it('is built again with if-exists: rebuild', async () => {
    await run({});
    await run({}, {}, 'rebuild');
    expect(builds).toBe(2);
  });

  async function run(
    different: Partial<ImagePlan>,
    revision: Partial<Revision> = {},
    ifExists: 'reuse' | 'rebuild' = 'reuse',
  ): Promise<BuiltImage> {
    const commit = someRevision(revision);
    const build = createImageBuilder({
      world: {
        ...world,
        exec: (command, args, options) => {
          if (args[1] === 'build') builds += 1;
          return world.exec(command, args, options);
        },
      },
      reuse: { ifExists, revision: commit, workspace: context },
      signIn: openSignIn(someRegistryInputs({ credentials: USER }), { ...world, fetch }),
      remember: () => undefined,
    });
    const plan = somePlan({
      repository,
      tags: [SHA],
      context,
      dockerfile: { kind: 'generated', content: 'FROM scratch\nCOPY hello.txt /\n', dockerignore: undefined },
      sourceDateEpoch: 1_700_000_000,
      ...different,
    });
    return build(withOciLabels(plan, commit));
  }

  async function digestOf(tag: string): Promise<string | null> {
    const accept = [
      'application/vnd.oci.image.index.v1+json',
      'application/vnd.oci.image.manifest.v1+json',
      'application/vnd.docker.distribution.manifest.v2+json',
    ].join(', ');
    const authorization = `Basic ${Buffer.from(`${USER.username}:${USER.password}`).toString('base64')}`;
    const path = repository.slice(locked.host.length + 1);
    const answer = await fetch(`http://${locked.host}/v2/${path}/manifests/${tag}`, {
      headers: { accept, authorization },
    });
    return answer.headers.get('docker-content-digest');
  }
});
