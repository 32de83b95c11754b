import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readImageInputs } from '../inputs/image.ts';
import { readerOf } from '../inputs/testing-reader.ts';
import { problemsOf } from '../problem.ts';
import { projectFrom } from '../project/testing-project.ts';
import type { Revision } from '../source/model.ts';
import { makeDirectory, testWorld } from '../steps/testing-run.ts';
import { planOwnImage } from './own-image.ts';

const SHA = '0123456789abcdef0123456789abcdef01234567';
const REVISION: Revision = {
  sha: SHA,
  shortSha: '0123456',
  branch: 'main',
  refName: 'main',
  dirty: false,
  committedAt: 1_700_000_000,
  message: 'Say hello',
  repositoryUrl: undefined,
  repository: undefined,
  origin: 'HEAD',
};
const CHANGE = 'prefect.deployments.steps.set_working_directory';

describe('the action’s own image', () => {
  it('is planned from its inputs, with paths that start at the working directory', async () => {
    const { plan, directory } = await planned({
      files: { 'docker/Dockerfile': 'FROM scratch\n', 'src/flow.py': '' },
      inputs: {
        tags: 'latest\n{short_sha}',
        file: 'docker/Dockerfile',
        context: 'src',
        platforms: 'linux/arm64',
        target: 'flow',
        'build-args': 'A=1',
        'build-contexts': 'lib=../lib\nbase=docker-image://alpine',
        secrets: 'token=hunter2\nid=key,src=key.pem',
        ssh: 'default=id_rsa',
        labels: 'team=data',
        'cache-from': 'type=local,src=cache',
        'cache-to': 'type=local,dest=cache,mode=max',
        'no-cache': 'true',
        pull: 'true',
        provenance: 'mode=max',
        sbom: 'true',
        network: 'host',
        'add-hosts': 'db:10.0.0.1',
      },
    });
    expect(plan).toEqual({
      repository: 'ghcr.io/acme/hello',
      tags: ['latest', '0123456'],
      context: `${directory}/src`,
      dockerfile: { kind: 'file', path: `${directory}/docker/Dockerfile` },
      platforms: ['linux/arm64'],
      target: 'flow',
      buildArgs: { A: '1' },
      buildContexts: { lib: join(directory, '../lib'), base: 'docker-image://alpine' },
      secrets: ['id=token,env=SLIPWAY_BUILD_SECRET_1', `id=key,src=${directory}/key.pem`],
      secretEnv: { SLIPWAY_BUILD_SECRET_1: 'hunter2' },
      ssh: [`default=${directory}/id_rsa`],
      labels: { team: 'data' },
      cacheFrom: [`type=local,src=${directory}/cache`],
      cacheTo: [`type=local,dest=${directory}/cache,mode=max`],
      noCache: true,
      pull: true,
      network: 'host',
      addHosts: ['db:10.0.0.1'],
      allow: [],
      shmSize: undefined,
      provenance: 'mode=max',
      sbom: 'true',
      builder: undefined,
      sourceDateEpoch: 1_700_000_000,
      push: true,
      freshBecause: 'pull asks for the newest base image',
      where: undefined,
    });
  });

  it('takes the Dockerfile of the context, whose working directory is where the code lies', async () => {
    const { plan, place, directory } = await planned({ files: { Dockerfile: 'FROM scratch\n' } });
    expect(plan.dockerfile).toEqual({ kind: 'file', path: `${directory}/Dockerfile` });
    expect(place).toBeUndefined();
  });

  it('has a Dockerfile generated when there is none, and knows where it puts the project', async () => {
    const { plan, place, logged } = await planned({ files: { 'requirements.txt': 'httpx\n' } });
    expect(place).toBe('/opt/prefect/hello');
    expect(plan.dockerfile).toMatchObject({
      kind: 'generated',
      content: expect.stringContaining('COPY requirements.txt /opt/prefect/hello/requirements.txt\nRUN uv pip install'),
      dockerignore: expect.stringContaining('**/.git\n'),
    });
    expect(logged).toEqual(['> Generated Dockerfile', expect.stringMatching(/^FROM prefecthq\/prefect:3-latest\n/)]);
  });

  it('has one generated beside a Dockerfile when `file: auto` says so', async () => {
    const { plan } = await planned({ files: { Dockerfile: 'FROM scratch\n' }, inputs: { file: 'auto' } });
    expect(plan.dockerfile.kind).toBe('generated');
  });

  it('knows where the project lies below a larger context', async () => {
    expect((await planned({ inputs: { context: '..' } })).place).toMatch(/^\/opt\/prefect\/slipway-test-\w+\/hello$/);
  });

  it.each([
    ['/opt/prefect/flows', '/opt/prefect/flows'],
    ['/opt/prefect/flows/sub', '/opt/prefect/flows'],
    ['/srv/flows/', '/srv/flows'],
    ['/opt/prefect', '/opt/prefect'],
    ['{{ clone.directory }}', '/opt/prefect/hello'],
    ['sub', '/opt/prefect/hello'],
    ['/', '/opt/prefect/hello'],
  ])('puts the code where the pull step changes to: %s', async (pull, place) => {
    const yaml = `pull: [{${CHANGE}: {directory: "${pull}"}}]\ndeployments: [{name: a}]`;
    expect((await planned({ yaml })).place).toBe(place);
  });

  it('does not mind where deployments with an image of their own pull from', async () => {
    const yaml = `deployments:
- {name: a, pull: [{${CHANGE}: {directory: /srv/a}}]}
- {name: b, pull: [{${CHANGE}: {directory: /srv/b}}], work_pool: {job_variables: {image: other}}}`;
    expect((await planned({ yaml })).place).toBe('/srv/a');
  });

  it('cannot be generated for two directories at once', async () => {
    const yaml = `deployments:
- {name: a, pull: [{${CHANGE}: {directory: /srv/a}}]}
- {name: b, pull: [{${CHANGE}: {directory: /srv/b}}]}`;
    const [problem] = await problems({ yaml });
    expect(problem?.message).toContain('pull steps change to /srv/a and /srv/b');
    expect(problem?.where).toMatchObject({ line: 3 });
  });

  it.each([
    'https://github.com/acme/hello.git',
    'git@github.com:acme/hello.git',
    '-',
  ])('is not built from %s', async (context) => {
    const [problem] = await problems({ inputs: { context } });
    expect(problem?.message).toContain('which is no directory of the checkout');
  });

  it.each([
    ['a Dockerfile', { file: 'docker/Dockerfile' }, 'the input file is "docker/Dockerfile", and there is no such'],
    ['a context', { context: 'flows' }, 'the input context is "flows", and there is no such directory'],
  ])('is refused without %s that an input names, in a plan too', async (_what, inputs, message) => {
    const [problem] = await problems({ inputs });
    expect(problem?.message).toContain(message);
  });

  it('is told when dependencies are not installed', async () => {
    const { logged } = await planned({ files: { 'pyproject.toml': '[project]\ndynamic = ["dependencies"]\n' } });
    expect(logged[0]).toMatch(/^warning: pyproject\.toml computes its dependencies .*installs nothing$/);
  });

  it.each<[string, Record<string, string>, boolean]>([
    ['COPY . /app', {}, true],
    ['COPY --chown=1000 . .', {}, true],
    ['COPY flows /app', {}, false],
    ['COPY . /app', { '.dockerignore': '.git\n' }, false],
    ['COPY . /app', { 'Dockerfile.dockerignore': '.git\n' }, false],
  ])('warns of git’s folder in it only when that may be: %s with %j', async (line, files, isWarned) => {
    const { logged } = await planned({ files: { Dockerfile: `FROM scratch\n${line}\n`, '.git/HEAD': 'x', ...files } });
    expect(logged.some((one) => one.includes('.git, which holds the job’s token'))).toBe(isWarned);
  });

  interface Setting {
    readonly files?: Record<string, string>;
    readonly inputs?: Record<string, string>;
    readonly yaml?: string;
  }

  async function planned({ files = {}, inputs = {}, yaml = 'deployments: [{name: a}]' }: Setting) {
    const directory = join(await makeDirectory(), 'hello');
    await mkdir(directory);
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), text);
    }
    const reader = readerOf({ image: 'ghcr.io/acme/hello', ...inputs });
    const image = readImageInputs(reader);
    if (image === undefined || reader.problems.length > 0) throw new Error('the inputs are wrong');
    const project = { ...(await projectFrom(yaml)), directory };
    const world = testWorld();
    const { plan, directory: place } = await planOwnImage(image, project.entries, {
      directory,
      project,
      revision: REVISION,
      inputs: { baseImage: 'prefecthq/prefect:3-latest', builder: undefined },
      world,
    });
    return { plan, place, directory, logged: world.logged };
  }

  async function problems(setting: Setting) {
    return problemsOf(await planned(setting).catch((thrown: unknown) => thrown)) ?? [];
  }
});
