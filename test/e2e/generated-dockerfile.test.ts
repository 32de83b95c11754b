import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createImageBuilder } from '../../src/image/builder.ts';
import { findDependencies } from '../../src/image/dockerfile/dependencies.ts';
import { generatedDockerfile } from '../../src/image/dockerfile/generate.ts';
import { ignoreFor } from '../../src/image/dockerfile/ignore.ts';
import type { ImagePlan } from '../../src/image/model.ts';
import { somePlan } from '../../src/image/testing-plan.ts';
import { someRegistryInputs } from '../../src/inputs/testing-registry.ts';
import { openSignIn } from '../../src/registry/sign-in.ts';
import { openTestWorld, type TestWorld } from '../../src/source/testing-world.ts';
import { BUILDKIT_BUILDER } from '../rig/rig-description.ts';

const BASE = 'prefecthq/prefect:3-latest';
const PYPROJECT = '[project]\nname = "hello"\nversion = "1"\nrequires-python = ">=3.9"\ndependencies = ["cowsay"]\n';
const DIRECTORY = '/opt/prefect/hello';

/** Real buildx, a real index of packages: what is installed, where the code lies, and what stays out. */
describe('an image from a generated Dockerfile', () => {
  const rig = inject('rig');
  let world: TestWorld;

  beforeAll(async () => {
    world = await openTestWorld(rig.env);
  });
  afterAll(() => world?.close());

  it.each<[string, Record<string, string>]>([
    ['requirements.txt', { 'requirements.txt': 'cowsay\n' }],
    ['pyproject.toml', { 'pyproject.toml': PYPROJECT }],
    ['uv.lock', { 'pyproject.toml': PYPROJECT, 'uv.lock': 'made by uv' }],
  ])('has what %s asks for, in the Python that Prefect is in', async (kind, files) => {
    const context = await project(files);
    if (kind === 'uv.lock') await lock(context);
    const built = await build(context, { tags: [kind] });
    const said = await docker(
      'run',
      '--rm',
      built.imageRef ?? '',
      'python',
      '-c',
      'import cowsay, prefect; import hello',
    );
    expect(said).toBe(`hello from ${DIRECTORY}\n`);
  });

  it('installs nothing again when only the code changed', async () => {
    const context = await project({ 'requirements.txt': 'cowsay\n' });
    await build(context, { tags: ['before'] });
    await writeFile(`${context}/hello.py`, 'print("changed")\n');
    world.logged.length = 0;
    await build(context, { tags: ['after'] });
    const log = world.logged.join('\n');
    expect(log).toMatch(/#\d+ \[\d\/\d\] RUN uv pip install[^\n]*\n(?:[^\n]*\n)*?info: #\d+ CACHED/);
  });

  it('holds no secrets and nothing of git', async () => {
    const context = await project({
      '.env': 'TOKEN=x',
      'sub/.env': 'TOKEN=x',
      'key.pem': 'x',
      '.git/config': 'x',
      '.venv/x': 'x',
      'node_modules/x/y': 'x',
      'gha-creds-1.json': 'x',
      'data/kept.json': '{}',
    });
    const built = await build(context, { tags: ['ignore'] });
    const files = await docker('run', '--rm', built.imageRef ?? '', 'find', '.', '-type', 'f');
    expect(files.trim().split('\n').sort()).toEqual(['./data/kept.json', './hello.py']);
  });

  it('lends a secret to the installation and keeps none of it', async () => {
    const context = await project({ 'requirements.txt': 'cowsay\n' });
    const secret = 'towel-42-towel';
    const plan = { secrets: ['id=INDEX_TOKEN,env=SLIPWAY_TEST'], secretEnv: { SLIPWAY_TEST: secret }, noCache: true };
    const built = await build(context, { tags: ['secret'], builder: BUILDKIT_BUILDER, ...plan }, ['INDEX_TOKEN']);
    expect(built.digest).toBeDefined();
    expect(world.logged.join('\n')).toContain('--mount=type=secret,id=INDEX_TOKEN,env=INDEX_TOKEN');
    await docker('pull', '--quiet', built.imageRef ?? '');
    expect(await docker('inspect', built.imageRef ?? '')).not.toContain(secret);
    expect(await docker('history', '--no-trunc', built.imageRef ?? '')).not.toContain(secret);
  });

  it('has the same digest whenever a commit is built, also from nothing', async () => {
    const context = await project({ 'requirements.txt': 'cowsay\n' });
    const plan: Partial<ImagePlan> = { builder: BUILDKIT_BUILDER, noCache: true, sourceDateEpoch: 1_700_000_000 };
    const first = await build(context, { tags: ['same'], ...plan });
    await writeFile(`${context}/hello.py`, HELLO);
    const second = await build(context, { tags: ['same'], ...plan });
    expect(second.digest).toBe(first.digest);
  });

  const HELLO = 'import os\nprint("hello from", os.getcwd())\n';

  async function project(files: Record<string, string>): Promise<string> {
    const context = await world.files.makeTemporaryDirectory('context-');
    for (const [path, text] of Object.entries({ 'hello.py': HELLO, ...files })) {
      await mkdir(dirname(`${context}/${path}`), { recursive: true });
      await writeFile(`${context}/${path}`, text);
    }
    return context;
  }

  async function lock(context: string): Promise<void> {
    await world.files.remove(`${context}/uv.lock`);
    await docker('run', '--rm', '--network', 'host', '-v', `${context}:/w`, '-w', '/w', BASE, 'uv', 'lock', '--quiet');
  }

  /** Each call is a run of its own: nothing is remembered from the one before. */
  async function build(context: string, different: Partial<ImagePlan>, secretIds: string[] = []) {
    const dockerfile = generatedDockerfile({
      baseImage: BASE,
      directory: DIRECTORY,
      dependencies: await findDependencies(context, world.files),
      ignore: await ignoreFor(context, world.files),
      secretIds,
    });
    const signIn = openSignIn(someRegistryInputs(), { ...world, fetch });
    const builder = createImageBuilder({ world, signIn, remember: () => undefined });
    const repository = `${rig.registry}/generated/hello`;
    return await builder(somePlan({ repository, context, dockerfile, where: undefined, ...different }));
  }

  async function docker(...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)('docker', args, { env: { ...process.env, ...rig.env } });
    return stdout;
  }
});
