import { mkdir, writeFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import * as z from 'zod';
import { createImageBuilder } from '../../src/image/builder.ts';
import { ignoreFor } from '../../src/image/dockerfile/ignore.ts';
import { withOciLabels } from '../../src/image/labels.ts';
import type { DockerfileSource, ImagePlan } from '../../src/image/model.ts';
import { somePlan } from '../../src/image/testing-plan.ts';
import { someRegistryInputs } from '../../src/inputs/testing-registry.ts';
import { Problem } from '../../src/problem.ts';
import { openSignIn } from '../../src/registry/sign-in.ts';
import { someRevision } from '../../src/source/testing-revision.ts';
import { openTestWorld, type TestWorld } from '../../src/source/testing-world.ts';
import { pickPorts } from '../rig/ports.ts';
import { type OwnRegistry, startOwnRegistry, USER } from './own-registry.ts';

const REVISION = someRevision();

/** Real docker, real buildx, real registries. */
describe('building an image', () => {
  const rig = inject('rig');
  let world: TestWorld;
  let context: string;
  let remembered: string[];

  beforeAll(async () => {
    world = await openTestWorld(rig.env);
  });
  afterAll(() => world?.close());
  beforeEach(async () => {
    remembered = [];
    context = await world.files.makeTemporaryDirectory('context-');
    await writeFile(`${context}/hello.txt`, 'hello');
    await writeFile(`${context}/secret.env`, 'TOKEN=x');
  });

  it('pushes every tag under the digest that is returned', async () => {
    const built = await build(plan({ repository: `${rig.registry}/image-test/tags`, tags: ['one', 'two'] }));
    expect(built.image).toBe(`${rig.registry}/image-test/tags:one`);
    expect(built.imageRef).toBe(`${rig.registry}/image-test/tags@${built.digest}`);
    for (const tag of ['one', 'two']) {
      expect((await manifestOf(rig.registry, 'image-test/tags', tag)).digest).toBe(built.digest);
    }
    expect(world.logged.filter((line) => line.startsWith('warning: '))).toEqual([]);
  });

  it('labels the image with its commit', async () => {
    const labelled = withOciLabels(
      plan({ repository: `${rig.registry}/image-test/labels`, labels: { mine: 'x y' } }),
      REVISION,
    );
    await build(labelled);
    const { config } = await manifestOf(rig.registry, 'image-test/labels', 'one');
    expect(await labelsOf(rig.registry, 'image-test/labels', config)).toEqual({
      'org.opencontainers.image.revision': REVISION.sha,
      'org.opencontainers.image.source': 'https://github.com/acme/demo',
      'org.opencontainers.image.created': '2023-11-14T22:13:20Z',
      'org.opencontainers.image.version': 'one',
      mine: 'x y',
    });
  });

  it('gives an unchanged commit the same digest again', async () => {
    const same = plan({ repository: `${rig.registry}/image-test/same`, sourceDateEpoch: 1_700_000_000 });
    const first = await build(same);
    await writeFile(`${context}/hello.txt`, 'hello');
    expect((await build(same)).digest).toBe(first.digest);
    await writeFile(`${context}/hello.txt`, 'other');
    expect((await build(same)).digest).not.toBe(first.digest);
  });

  it('keeps what the generated ignore file names out of the image, and the work tree untouched', async () => {
    const dockerfile: DockerfileSource = {
      kind: 'generated',
      content: 'FROM scratch\nCOPY . /app/\n',
      dockerignore: '*.env\n',
    };
    await build(plan({ repository: `${rig.registry}/image-test/ignore`, dockerfile }));
    expect(await filesIn(rig.registry, 'image-test/ignore')).toEqual(['app/', 'app/hello.txt']);
    expect(await world.files.list(context)).toEqual(['hello.txt', 'secret.env']);
  });

  it('follows the user’s own ignore file, with git’s folder left out besides', async () => {
    await writeFile(`${context}/.dockerignore`, 'hello.txt\n.dockerignore\n');
    await mkdir(`${context}/.git`);
    await writeFile(`${context}/.git/config`, 'x');
    const dockerfile: DockerfileSource = {
      kind: 'generated',
      content: 'FROM scratch\nCOPY . /app/\n',
      dockerignore: await ignoreFor(context, world.files),
    };
    await build(plan({ repository: `${rig.registry}/image-test/own-ignore`, dockerfile }));
    expect(await filesIn(rig.registry, 'image-test/own-ignore')).toEqual(['app/', 'app/secret.env']);
  });

  it('keeps an image that is not pushed in Docker alone', async () => {
    const built = await build(plan({ repository: 'image-test/local', push: false }));
    expect(built).toMatchObject({ image: 'image-test/local:one', imageRef: undefined, digest: undefined });
    const found = await world.exec('docker', ['image', 'inspect', built.image], {
      cwd: '/',
      env: world.env,
      signal: world.signal,
    });
    expect(found.exitCode).toBe(0);
  });

  describe('for a registry with a password', () => {
    let locked: OwnRegistry;
    beforeAll(async () => {
      locked = await startOwnRegistry(`${world.directory}/locked`, 'htpasswd');
    });
    afterAll(() => locked?.stop());

    it('signs in with the given one, and leaves nothing of it behind', async () => {
      const built = await build(plan({ repository: `${locked.host}/team/hello` }), USER);
      expect(built.imageRef).toMatch(/@sha256:[0-9a-f]{64}$/);
      expect(remembered).toHaveLength(1);
      expect(await world.files.exists(remembered[0] ?? '')).toBe(false);
      expect(await world.files.readText(`${rig.dockerConfigDir}/config.json`)).not.toContain(locked.host);
      expect(world.logged.join('\n')).not.toContain(USER.password);
    });

    it('signs in anew when the user’s own sign-in there is stale', async () => {
      const auth = Buffer.from('bob:old').toString('base64');
      const stale = { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [locked.host]: { auth } } }) };
      const built = await build(plan({ repository: `${locked.host}/team/stale` }), USER, stale);
      expect(built.digest).toBeDefined();
    });

    it('says before the build that the password is wrong', async () => {
      const problem = await refuse(plan({ repository: `${locked.host}/team/hello` }), { ...USER, password: 'wrong' });
      expect(problem.message).toContain(`registry ${locked.host} refused the credentials`);
      expect(remembered).toEqual([]);
    });
  });

  it('names the line of the Dockerfile whose step failed', async () => {
    const path = `${context}/Dockerfile`;
    await writeFile(path, 'FROM prefecthq/prefect:3-latest\n\nRUN echo to stderr >&2 \\\n  && exit 3\n');
    const problem = await refuse(plan({ dockerfile: { kind: 'file', path } }), undefined, {
      GITHUB_WORKSPACE: context,
    });
    expect(problem.message).toMatch(/^the step `RUN echo to stderr >&2 +&& exit 3` failed: exit code: 3$/);
    expect(problem.where).toEqual({ file: 'Dockerfile', line: 3, column: 1 });
    expect(world.logged.join('\n')).toContain('to stderr');
  });

  it.each<[string, Partial<ImagePlan>, string]>([
    ['several platforms', { platforms: ['linux/amd64', 'linux/arm64'] }, 'cannot build for several platforms'],
    ['provenance', { provenance: 'mode=max' }, 'cannot attest provenance'],
    [
      'a registry’s cache',
      { cacheTo: ['type=registry,ref=example.com/cache'] },
      'cannot write the cache type=registry',
    ],
  ])('says which builders can, where the daemon’s own cannot make %s', async (_what, different, message) => {
    const problem = await refuse(plan(different));
    expect(problem.message).toContain(message);
    expect(problem.remedy).toContain('docker-container');
  });

  it.each<[string, () => Partial<ImagePlan>, string]>([
    [
      'a base image that does not exist',
      () => generated(`FROM ${rig.registry}/nosuch/base:1\n`),
      'nosuch/base:1 does not exist',
    ],
    [
      'a file that is not there',
      () => generated('FROM scratch\nCOPY nosuch.txt /\n'),
      '/nosuch.txt is to be copied into the image',
    ],
    ['a stage that is not there', () => ({ target: 'release' }), 'no stage "release"'],
    ['a builder that is not there', () => ({ builder: 'nosuch' }), 'there is no builder "nosuch"'],
    ['a Dockerfile that cannot be read', () => generated('FORM scratch\n'), 'the Dockerfile cannot be read'],
  ])('says what is wrong with %s', async (_what, different, message) => {
    const problem = await refuse(plan(different()));
    expect(problem.message).toContain(message);
    expect(problem.remedy).not.toBe('');
  });

  it('says that nobody runs the registry, before the build', async () => {
    const {
      ports: [port],
      release,
    } = await pickPorts(1);
    release();
    const problem = await refuse(plan({ repository: `127.0.0.1:${port}/hello` }));
    expect(problem.message).toBe(
      `registry 127.0.0.1:${port} cannot be reached: nothing listens at http://127.0.0.1:${port}`,
    );
  });

  it.each([
    ['docker', { PATH: '/nonexistent' }, 'docker is not on the PATH'],
    ['buildx', { DOCKER_CONFIG: '/nonexistent' }, 'docker has no buildx plugin'],
    ['a daemon', { DOCKER_HOST: 'unix:///nonexistent/docker.sock' }, 'the Docker daemon does not answer'],
  ])('says that %s is missing', async (_what, env, message) => {
    expect((await refuse(plan(), undefined, env)).message).toContain(message);
  });

  function plan(different: Partial<ImagePlan> = {}): ImagePlan {
    return somePlan({
      repository: `${rig.registry}/image-test/hello`,
      tags: ['one'],
      context,
      dockerfile: { kind: 'generated', content: 'FROM scratch\nCOPY hello.txt /\n', dockerignore: undefined },
      where: undefined,
      ...different,
    });
  }

  function generated(content: string): Partial<ImagePlan> {
    return { dockerfile: { kind: 'generated', content, dockerignore: undefined } };
  }

  /** Each call is a run of its own: nothing is remembered from the one before. */
  function build(
    wanted: ImagePlan,
    credentials?: { username: string; password: string },
    env: Record<string, string> = {},
  ) {
    const own = { ...world, env: { ...world.env, ...env } };
    const builder = createImageBuilder({
      world: own,
      signIn: openSignIn(someRegistryInputs({ credentials }), { ...own, fetch }),
      remember: (directory) => remembered.push(directory),
    });
    return builder(wanted);
  }

  async function refuse(...args: Parameters<typeof build>): Promise<Problem> {
    const error = await build(...args).then(
      () => undefined,
      (caught: unknown) => caught,
    );
    if (error instanceof Problem) return error;
    throw new Error('there was no Problem', { cause: error });
  }
});

const Manifest = z.object({
  config: z.object({ digest: z.string() }),
  layers: z.array(z.object({ digest: z.string() })),
});
const Config = z.object({ config: z.object({ Labels: z.record(z.string(), z.string()) }) });

async function manifestOf(registry: string, name: string, tag: string) {
  const accept = 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json';
  const answer = await fetch(`http://${registry}/v2/${name}/manifests/${tag}`, { headers: { accept } });
  const { config, layers } = Manifest.parse(await answer.json());
  return { digest: answer.headers.get('docker-content-digest'), config: config.digest, layers };
}

async function labelsOf(registry: string, name: string, config: string): Promise<Record<string, string>> {
  const answer = await fetch(`http://${registry}/v2/${name}/blobs/${config}`);
  return Config.parse(await answer.json()).config.Labels;
}

/** Names in the only layer, sorted: the first 100 bytes of each 512-byte tar header (POSIX ustar). */
async function filesIn(registry: string, name: string): Promise<string[]> {
  const { layers } = await manifestOf(registry, name, 'one');
  expect(layers).toHaveLength(1);
  const blob = await fetch(`http://${registry}/v2/${name}/blobs/${layers[0]?.digest}`);
  const tar = gunzipSync(Buffer.from(await blob.arrayBuffer()));
  const names: string[] = [];
  for (let at = 0; at < tar.length && tar[at] !== 0; ) {
    const field = (from: number, length: number) =>
      tar.toString('utf8', at + from, at + from + length).replace(/\0.*$/s, '');
    names.push(field(0, 100));
    at += 512 + Math.ceil(Number.parseInt(field(124, 12), 8) / 512) * 512;
  }
  return names.sort();
}
