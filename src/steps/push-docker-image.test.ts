import type { JsonObject } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import type { StepSpec } from '../project/model.ts';
import { KNOWN_AT_DEPLOY } from './foresight.ts';
import { pushDockerImage } from './push-docker-image.ts';
import { build, spec } from './testing-build.ts';
import { BUILD, PUSH } from './testing-prepare.ts';
import { testRun } from './testing-run.ts';

describe('a push right after its build', () => {
  const inputs = { image_name: 'acme/hello', tag: 'v1', additional_tags: ['v2', 'v3'] };
  const byId = { image_name: '{{ build-image.image_name }}', tag: '{{ build-image.tag }}' };
  const shell = spec('prefect.deployments.steps.run_shell_script', { script: 'echo' });

  it.each<[string, StepSpec[], readonly string[] | 'no push']>([
    ['named by the outputs of the build', [spec(PUSH, byId)], ['v1']],
    ['named by outputs without an id', [spec(PUSH, { image_name: '{{ image_name }}', tag: '{{ tag }}' })], ['v1']],
    ['named literally', [spec(PUSH, { image_name: 'acme/hello', tag: 'v1' })], ['v1']],
    [
      'with additional tags',
      [spec(PUSH, { ...byId, additional_tags: '{{ build-image.additional_tags }}' })],
      ['v1', 'v2', 'v3'],
    ],
    ['without a tag, which is all of them', [spec(PUSH, { image_name: 'acme/hello' })], ['v1', 'v2', 'v3']],
    ['of one additional tag', [spec(PUSH, { image_name: 'acme/hello', tag: 'v3' })], ['v3']],
    ['by two steps', [spec(PUSH, { image_name: 'acme/hello', tag: 'v2' }), spec(PUSH, byId)], ['v1', 'v2']],
    ['behind a build of another image', [spec(BUILD, { image_name: 'other' }), spec(PUSH, byId)], ['v1']],
    ['of another image', [spec(PUSH, { image_name: 'acme/other', tag: 'v1' })], 'no push'],
    ['of another tag', [spec(PUSH, { image_name: 'acme/hello', tag: 'v9' })], 'no push'],
    ['of an image that cannot be told', [spec(PUSH, { tag: 'v1' })], 'no push'],
    ['behind another step', [shell, spec(PUSH, byId)], 'no push'],
    [
      'by the outputs of a later build',
      [spec(BUILD, { image_name: 'other' }), spec(PUSH, { image_name: '{{ image_name }}', tag: '{{ tag }}' })],
      'no push',
    ],
    ['that does not come', [], 'no push'],
  ])('%s', async (_what, following, tags) => {
    const { plan, step } = await build(inputs, { id: 'build-image', following });
    expect(step.context.builds).toHaveLength(1);
    expect(plan?.push).toBe(tags !== 'no push');
    expect(plan?.tags).toEqual(tags === 'no push' ? ['v1', 'v2', 'v3'] : tags);
  });

  it('lets an image be built for several platforms', async () => {
    const { plan } = await build(
      { ...inputs, platforms: ['linux/amd64', 'linux/arm64'] },
      { id: 'build-image', following: [spec(PUSH, byId)] },
    );
    expect(plan?.platforms).toEqual(['linux/amd64', 'linux/arm64']);
  });

  it('signs in with the credentials of the push step, which are masked', async () => {
    const credentials = '{{ prefect.blocks.docker-registry-credentials.dev }}';
    const data = { username: 'u', password: 'hunter2', registry_url: 'registry.io', reauth: true };
    const { step } = await build(inputs, {
      id: 'build-image',
      following: [spec(PUSH, { ...byId, credentials })],
      readers: {
        readBlockDocument: async (type, name) =>
          type === 'docker-registry-credentials' && name === 'dev' ? data : undefined,
        readBlockDocumentById: async () => undefined,
        readVariable: async () => undefined,
      },
    });
    expect(step.context.builds[0]?.credentials).toEqual({
      username: 'u',
      password: 'hunter2',
      registry: 'registry.io',
    });
    expect(step.context.world.masked).toContain('hunter2');
  });

  it('is refused with credentials that lack a password', async () => {
    const following = [spec(PUSH, { ...byId, credentials: { username: 'u' } })];
    await expect(build(inputs, { id: 'build-image', following })).rejects.toThrow(
      'credentials without a username and a password',
    );
  });
});

describe('push_docker_image', () => {
  async function push(inputs: JsonObject, built: JsonObject | undefined, following: StepSpec[] = []) {
    const first = built === undefined ? undefined : await build(built, { following });
    const step = await testRun(inputs, { step: { function: PUSH } });
    const images = { ...(first?.step.images ?? step.images), queue: step.images.queue };
    const result = await pushDockerImage.run({ ...step, images });
    await images.queue.run();
    return { result, builds: step.context.builds, world: step.context.world };
  }
  const image = { image_name: 'acme/hello', tag: 'v1' };

  it('has nothing left to do when the build pushed', async () => {
    const { result, builds, world } = await push(image, image, [spec(PUSH, image)]);
    expect(builds).toEqual([]);
    expect(result).toEqual({
      outputs: { image_name: 'acme/hello', tag: 'v1', image: 'acme/hello:v1', additional_tags: [] },
    });
    expect(world.logged).toEqual(['acme/hello:v1 is pushed together with its build.']);
  });

  it('builds again, with the push, when another step stood between', async () => {
    const { result, builds } = await push({ ...image, additional_tags: ['v2'] }, { ...image, additional_tags: ['v2'] });
    expect(builds).toMatchObject([{ plan: { push: true, repository: 'acme/hello', tags: ['v1', 'v2'] } }]);
    expect((await result.image?.made)?.imageRef).toMatch(/^acme\/hello@sha256:/);
  });

  it('pushes all tags that were built when it is given none', async () => {
    const { result, builds } = await push({ image_name: 'acme/hello' }, { ...image, additional_tags: ['v2'] });
    expect(builds).toMatchObject([{ plan: { push: true, tags: ['v1', 'v2'] } }]);
    expect(result.outputs).toMatchObject({ tag: null, image: 'acme/hello:None' });
  });

  it.each<[string, JsonObject, JsonObject | undefined]>([
    ['nothing was built', image, undefined],
    ['another tag was built', { image_name: 'acme/hello', tag: 'v9' }, image],
    ['another image was built', { image_name: 'acme/other' }, image],
  ])('is refused when %s', async (_what, inputs, built) => {
    await expect(push(inputs, built)).rejects.toThrow('which no build_docker_image step has built in this run');
  });
});

describe('Docker steps in plan mode', () => {
  it('foresee the image, and build nothing', async () => {
    const { result, step, world } = await build({ image_name: 'acme/hello', tag: 'v1' }, { mode: 'plan' });
    expect(step.context.builds).toEqual([]);
    expect(world.logged).toEqual(['A deploy builds acme/hello:v1.']);
    expect(result.outputs).toEqual({
      image_name: 'acme/hello',
      tag: 'v1',
      image: 'acme/hello:v1',
      image_id: KNOWN_AT_DEPLOY,
      additional_tags: [],
    });
    expect(await result.image?.made).toMatchObject({ image: 'acme/hello:v1', imageRef: undefined, digest: undefined });
  });

  it('carry on a tag that is known at deploy', async () => {
    const { result } = await build({ image_name: 'acme/hello', tag: KNOWN_AT_DEPLOY }, { mode: 'plan' });
    expect(result.outputs).toMatchObject({ image: `acme/hello:${KNOWN_AT_DEPLOY}` });
  });
});
