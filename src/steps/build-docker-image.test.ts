import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import { Problem } from '../problem.ts';
import { buildDockerImage } from './build-docker-image.ts';
import { timeTag } from './image-name.ts';
import { build, spec } from './testing-build.ts';
import { BUILD } from './testing-prepare.ts';
import { makeDirectory, testRun } from './testing-run.ts';

async function refusal(inputs: JsonObject, settings: Parameters<typeof build>[1] = {}): Promise<string> {
  const thrown = await build(inputs, settings).catch((error: unknown) => error);
  if (!(thrown instanceof Problem)) throw thrown;
  expect(thrown.where).toMatchObject({ file: 'prefect.yaml', line: 3 });
  return `${thrown.message} | ${thrown.remedy}`;
}

describe('build_docker_image', () => {
  it('makes one image plan of its inputs', async () => {
    const { plan, result } = await build({ image_name: 'localhost:5000/hello', tag: 'v1', additional_tags: ['v2', 3] });
    expect(plan).toEqual({
      repository: 'localhost:5000/hello',
      tags: ['v1', 'v2', '3'],
      context: '/repo/project',
      dockerfile: { kind: 'file', path: '/repo/project/Dockerfile' },
      platforms: [],
      target: undefined,
      buildArgs: {},
      labels: {},
      cacheFrom: [],
      cacheTo: [],
      noCache: false,
      pull: true,
      network: undefined,
      addHosts: [],
      secrets: [],
      secretEnv: {},
      ssh: [],
      buildContexts: {},
      allow: [],
      shmSize: undefined,
      provenance: undefined,
      sbom: undefined,
      builder: undefined,
      sourceDateEpoch: 1_700_000_000,
      push: false,
      where: { file: 'prefect.yaml', line: 3, column: 3 },
    });
    expect(result.outputs).toEqual({
      image_name: 'localhost:5000/hello',
      tag: 'v1',
      image: 'localhost:5000/hello:v1',
      image_id: 'localhost:5000/hello:v1',
      additional_tags: ['v2', 3],
    });
  });

  it.each<[string, JsonObject, object]>([
    ['path', { path: 'sub' }, { context: '/repo/project/sub', dockerfile: { path: '/repo/project/sub/Dockerfile' } }],
    [
      'dockerfile',
      { dockerfile: 'docker/flow.Dockerfile' },
      { dockerfile: { path: '/repo/project/docker/flow.Dockerfile' } },
    ],
    ['platform', { platform: 'linux/amd64' }, { platforms: ['linux/amd64'] }],
    ['one of platforms', { platforms: ['linux/arm64'], build_backend: 'buildx' }, { platforms: ['linux/arm64'] }],
    ['target', { target: 'flow' }, { target: 'flow' }],
    ['buildargs', { buildargs: { A: '1', B: 2, C: null, D: true } }, { buildArgs: { A: '1', B: '2', D: 'True' } }],
    ['build_args', { build_args: { A: '1' } }, { buildArgs: { A: '1' } }],
    ['labels', { labels: { a: 'b' } }, { labels: { a: 'b' } }],
    ['a cache_from of docker-py', { cache_from: ['acme/a', 'acme/b'] }, { cacheFrom: ['acme/a', 'acme/b'] }],
    ['a cache_from of buildx', { cache_from: { type: 'gha', scope: 'x' } }, { cacheFrom: ['type=gha,scope=x'] }],
    ['cache_to', { cache_to: 'type=gha,mode=max' }, { cacheTo: ['type=gha,mode=max'] }],
    ['nocache', { nocache: true }, { noCache: true }],
    ['cache: false', { cache: false }, { noCache: true }],
    ['pull: false', { pull: false }, { pull: false }],
    ['network_mode', { network_mode: 'host' }, { network: 'host' }],
    ['extra_hosts', { extra_hosts: { 'db.local': '10.0.0.1' } }, { addHosts: ['db.local:10.0.0.1'] }],
    ['builder', { builder: 'big' }, { builder: 'big' }],
    ['a secret', { secrets: 'id=a,env=A' }, { secrets: ['id=a,env=A'] }],
    [
      'secrets in files, relative to the project',
      { path: 'sub', secrets: ['id=a,src=a.txt', 'type=file,id=b,source=../b', 'id=c,src=/c'] },
      { secrets: ['id=a,src=/repo/project/a.txt', 'type=file,id=b,source=/repo/b', 'id=c,src=/c'] },
    ],
    ['an ssh agent', { ssh: 'default' }, { ssh: ['default'] }],
    ['an ssh key', { ssh: 'key=id_ed25519' }, { ssh: ['key=/repo/project/id_ed25519'] }],
    [
      'build_contexts',
      { build_contexts: { lib: '../lib', base: 'docker-image://alpine' } },
      { buildContexts: { lib: '/repo/lib', base: 'docker-image://alpine' } },
    ],
    ['allow', { allow: 'network.host' }, { allow: ['network.host'] }],
    ['shmsize', { shmsize: 67108864 }, { shmSize: '67108864' }],
    [
      'a local cache, relative to the project',
      { path: 'sub', cache_from: 'type=local,src=cache', cache_to: { type: 'local', dest: 'cache' } },
      { cacheFrom: ['type=local,src=/repo/project/cache'], cacheTo: ['type=local,dest=/repo/project/cache'] },
    ],
    ['push of its own', { push: true, build_backend: 'buildx' }, { push: true, tags: ['v1'] }],
    ['provenance with a push', { provenance: { mode: 'max' }, push: true }, { provenance: 'mode=max' }],
    ['an SBOM with a push', { sbom: true, push: true }, { sbom: 'true' }],
    [
      'attestations with a push',
      { attest: ['type=sbom', { type: 'provenance', mode: 'min' }], push: true },
      { sbom: 'true', provenance: 'mode=min' },
    ],
    ['an output into the registry', { output: { type: 'registry' } }, { push: true }],
    ['an image as output that is pushed', { output: 'type=image,push=true' }, { push: true }],
    ['an image as output', { output: { type: 'image', push: false } }, { push: false }],
    ['an output into Docker', { output: ['type=docker'] }, { push: false }],
    [
      'what is said to leave things as they are',
      { squash: false, isolation: 'default', container_limits: {}, custom_context: false, fileobj: null },
      {},
    ],
    ['disabled attestations', { attest: ['type=sbom,disabled=true', { type: 'provenance', disabled: true }] }, {}],
    ['what means nothing to BuildKit', { rm: true, forcerm: true, quiet: false, timeout: 60, sbom: false }, {}],
  ])('takes %s', async (_what, options, expected) => {
    const { plan } = await build({ image_name: 'acme/hello', tag: 'v1', ...options });
    expect(plan).toMatchObject(expected);
  });

  it("uses the action's builder when it names none", async () => {
    expect((await build({ image_name: 'a/b', tag: 't' }, { builder: 'mine' })).plan?.builder).toBe('mine');
  });

  it.each<[string, JsonObject, string]>([
    ['white space in the name', { image_name: 'my image' }, 'has "my image" as image_name'],
    ['capital letters', { image_name: 'ghcr.io/Acme/flows' }, 'A name has lower-case letters'],
    ['a tag in the name', { image_name: 'acme/flows:v1' }, 'Give what follows the colon as the input `tag`'],
    ['no name', {}, 'has no image_name | Add the input image_name.'],
    ['an impossible tag', { tag: 'a b' }, 'has "a b" as a tag'],
    ['tags that are no list', { additional_tags: 'v1' }, 'cannot take its input additional_tags'],
    ['an unknown back end', { build_backend: 'kaniko' }, 'cannot take its input build_backend'],
    ['an output into files', { output: { type: 'local', dest: 'out' } }, 'option output | It must be type=registry'],
    ['several outputs', { output: ['type=registry', 'type=docker'] }, 'option output | It must be type=registry'],
    ['a path as output', { output: 'out' }, 'option output | It must be type=registry'],
    ['keys of an output', { output: 'type=registry,compression=zstd' }, '(without further keys)'],
    ['resource limits', { container_limits: { memory: 1 } }, 'BuildKit has no limits for one build'],
    ['joined layers', { squash: true }, 'BuildKit does not join layers'],
    ['Windows isolation', { isolation: 'hyperv' }, 'Windows containers'],
    ['a file object', { fileobj: 'x' }, 'cannot come out of YAML'],
    ['a tar as context', { custom_context: true }, 'the context is a directory'],
    ['an attestation without a push', { attest: 'type=provenance,mode=max' }, 'which the registry keeps'],
    ['an unknown attestation', { attest: { type: 'vex' } }, 'It must be of type=provenance or type=sbom'],
    ['an option nobody has', { sqash: true }, 'has the option sqash, which Slipway does not support'],
    ['provenance without a push', { provenance: true }, 'which the registry keeps, and is not pushed'],
    ['an SBOM that is a number', { sbom: 1 }, 'cannot take its option sbom | It must be true, false or text'],
    [
      'build arguments that are a list',
      { buildargs: ['A=1'] },
      'cannot take its option buildargs | It must be a mapping',
    ],
    ['a flag that is text', { nocache: 'false' }, 'cannot take its option nocache | It must be true or false.'],
    ['several platforms without a push', { platforms: ['linux/amd64', 'linux/arm64'] }, 'builds for several platforms'],
  ])('refuses %s', async (_what, inputs, saying) => {
    expect(
      await refusal({
        ...('image_name' in inputs || _what === 'no name' ? {} : { image_name: 'acme/hello' }),
        ...inputs,
      }),
    ).toContain(saying);
  });

  it.each([
    ['{{ $IMAGE_NAME }}', 'Set IMAGE_NAME in the job’s `env:`'],
    ['{{ $HOST }}{{ $NAME }}', 'Set HOST and NAME in the job’s `env:`'],
    ['{{ names.stdout }}', 'Let what it names have a value.'],
  ])('says where an empty image_name comes from: %s', async (written, remedy) => {
    const step = { function: BUILD, inputs: { image_name: written } };
    const text = await refusal({ image_name: '', tag: 't' }, { step });
    expect(text).toContain(`has an empty image_name: ${written} comes to nothing`);
    expect(text).toContain(remedy);
  });

  it.each([
    ['hello', {}, 'hello'],
    ['hello', { dockerNamespace: 'acme' }, 'acme/hello'],
    ['other/hello', { dockerNamespace: 'acme' }, 'other/hello'],
    ['registry.io/a/b', { dockerNamespace: 'acme' }, 'registry.io/a/b'],
  ])('names %s with %j %s', async (name, settings, repository) => {
    expect((await build({ image_name: name, tag: 't' }, settings)).plan?.repository).toBe(repository);
  });

  it('tags with the time when it has no tag, and warns when the tag came to nothing', async () => {
    expect((await build({ image_name: 'a/b' })).plan?.tags).toEqual(['2026-08-21t05-06-07-089000-00-00']);
    const written = { function: BUILD, inputs: { image_name: 'a/b', tag: '{{ nope.stdout }}' } };
    const step = await testRun({ image_name: 'a/b' }, { step: written });
    await buildDockerImage.run(step);
    expect(step.context.world.logged[0]).toContain('warning: the tag of this image comes to nothing');
  });

  it.each([
    [Date.UTC(2026, 7, 21, 5, 6, 7), 0, '2026-08-21t05-06-07-00-00'],
    [Date.UTC(2026, 7, 21, 5, 6, 7, 5), 3, '2026-08-21t05-06-07-005003-00-00'],
  ])('writes the time %i as Prefect does', (time, serial, tag) => {
    expect(timeTag(time, serial)).toBe(tag);
  });
});

describe('dockerfile: auto', () => {
  const inputs = { image_name: 'acme/hello', tag: 'v1', dockerfile: 'auto' };

  it("generates Prefect's Dockerfile and writes it nowhere", async () => {
    const directory = await makeDirectory();
    await writeFile(join(directory, 'requirements.txt'), 'pandas\n');
    const name = directory.split('/').at(-1);
    const { plan, world } = await build(inputs, { directory, baseImage: 'prefecthq/prefect:3.8.8-python3.12' });
    const content = `FROM prefecthq/prefect:3.8.8-python3.12
ARG PYC_INVALIDATION_MODE=CHECKED_HASH
COPY requirements.txt /opt/prefect/${name}/requirements.txt
RUN uv pip install -r /opt/prefect/${name}/requirements.txt
COPY . /opt/prefect/${name}/
WORKDIR /opt/prefect/${name}/
`;
    expect(plan?.dockerfile).toEqual({ kind: 'generated', content, dockerignore: expect.any(String) });
    expect(world.logged).toEqual(['> Generated Dockerfile', content]);
    expect(await world.files.list(directory)).toEqual(['requirements.txt']);
  });

  it('installs nothing without requirements.txt, and keeps git and secrets out', async () => {
    const { plan } = await build(inputs);
    expect(plan?.dockerfile).toMatchObject({
      content: 'FROM prefecthq/prefect:3-latest\nCOPY . /opt/prefect/project/\nWORKDIR /opt/prefect/project/\n',
      dockerignore: expect.stringMatching(/^\*\*\/\.git\n\*\*\/\.env\n/),
    });
  });

  it('copies to where the pull step goes', async () => {
    const pull = [spec('prefect.deployments.steps.set_working_directory', { directory: '/opt/prefect/hello' })];
    const { plan } = await build(inputs, { pull });
    expect(plan?.dockerfile).toMatchObject({ content: expect.stringContaining('COPY . /opt/prefect/hello/\n') });
  });

  it('copes with a folder whose name needs quotes', async () => {
    const directory = '/repo/my "flows"';
    const { plan } = await build(inputs, { directory });
    expect(plan?.dockerfile).toMatchObject({
      content: expect.stringContaining('COPY [".","/opt/prefect/my \\"flows\\"/"]\n'),
    });
  });

  it('is refused beside a Dockerfile, as in Prefect', async () => {
    const directory = await makeDirectory();
    await writeFile(join(directory, 'Dockerfile'), 'FROM scratch\n');
    expect(await refusal(inputs, { directory })).toContain('has `dockerfile: auto` beside a Dockerfile');
  });

  it('says that persist_dockerfile writes no file', async () => {
    const { world } = await build({ ...inputs, persist_dockerfile: true, dockerfile_output_path: 'x' });
    expect(world.logged.at(-1)).toContain('warning: persist_dockerfile writes no file here');
  });
});
