import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { Problem } from '../../src/problem.ts';
import { proveAccess } from '../../src/registry/access.ts';
import { openDockerConfig } from '../../src/registry/docker-config.ts';
import { dockerCredentials } from '../../src/registry/docker-config-file.ts';
import type { Credentials } from '../../src/registry/model.ts';
import { openTestWorld, type TestWorld } from '../../src/source/testing-world.ts';
import { type OwnRegistry, startOwnRegistry, USER } from './own-registry.ts';

const BOB: Credentials = { kind: 'basic', ...USER, source: 'the test' };
const AUTHORIZATION = `Basic ${Buffer.from(`${USER.username}:${USER.password}`).toString('base64')}`;

describe('a real registry', () => {
  const rig = inject('rig');
  let world: TestWorld;
  let open: OwnRegistry;
  let locked: OwnRegistry;

  beforeAll(async () => {
    world = await openTestWorld();
    open = await startOwnRegistry(`${world.directory}/open`, 'none');
    locked = await startOwnRegistry(`${world.directory}/locked`, 'htpasswd');
  });
  afterAll(async () => {
    await open?.stop();
    await locked?.stop();
    await world?.close();
  });

  describe('asked by us', () => {
    it('without sign-in needs no credentials', async () => {
      const access = await prove(open, undefined);
      expect(await access.readManifestDigest('nothing')).toBeUndefined();
    });

    it('tells the digest of what is under a tag', async () => {
      const digest = await pushEmptyImage(open, 'one');
      expect(await (await prove(open, undefined)).readManifestDigest('one')).toBe(digest);
    });

    it('with a password takes the right one', async () => {
      const digest = await pushEmptyImage(locked, 'one', AUTHORIZATION);
      const access = await prove(locked, BOB);
      expect(await access.readManifestDigest('one')).toBe(digest);
      expect(await access.readManifestDigest('two')).toBeUndefined();
    });

    it.each<[string, Credentials | undefined, string, string]>([
      [
        'a wrong password',
        { ...BOB, password: 'wrong' },
        'refused the credentials from the test',
        'Check user and password',
      ],
      ['another user', { ...BOB, username: 'eve' }, 'refused the credentials from the test', 'Check user and password'],
      ['none', undefined, 'wants a sign-in, and no credentials for it were found', 'registry-password'],
    ])('with a password refuses %s', async (_what, credentials, message, remedy) => {
      const error = await prove(locked, credentials).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(Problem);
      expect(error).toMatchObject({
        message: expect.stringContaining(`registry ${locked.host} ${message}`),
        remedy: expect.stringContaining(remedy),
      });
    });
  });

  describe('asked by docker with our configuration', () => {
    let old: string;
    let tag: string;

    beforeEach(async () => {
      old = await world.files.makeTemporaryDirectory('docker-');
      tag = old.slice(-6);
      await pushEmptyImage(locked, tag, AUTHORIZATION);
    });
    afterEach(() => world.files.remove(old));

    it('lets docker in, and out again when it is closed', async () => {
      const config = await configure();
      expect(await inspect(config.env)).toMatchObject({ exitCode: 0 });
      await config.close();
      expect(await inspect({ ...config.env, DOCKER_CONFIG: old })).toMatchObject({ exitCode: 1 });
    });

    it('lets docker in although a store that is not installed is named for all hosts', async () => {
      await world.files.writeNew(`${old}/config.json`, '{"credsStore":"nosuch"}');
      const config = await configure();
      expect(await inspect(config.env)).toMatchObject({ exitCode: 0, stderr: '' });
      await config.close();
    });

    it('shows docker the user’s plugins and contexts', async () => {
      await mkdir(`${old}/cli-plugins`);
      await world.files.symlink(`${rig.dockerConfigDir}/cli-plugins/docker-buildx`, `${old}/cli-plugins/docker-buildx`);
      await docker(
        { ...world.env, DOCKER_CONFIG: old },
        'context',
        'create',
        'mine',
        '--docker',
        'host=tcp://127.0.0.1:9',
      );
      const config = await configure();
      expect(await docker(config.env, 'buildx', 'version')).toMatchObject({ exitCode: 0 });
      expect((await docker(config.env, 'context', 'ls')).stdout).toContain('mine');
      await config.close();
      expect(await world.files.exists(`${old}/contexts`)).toBe(true);
    });

    it('finds what docker login left', async () => {
      const env = { ...world.env, DOCKER_CONFIG: old };
      const login = await world.exec('docker', ['login', '-u', USER.username, '--password-stdin', locked.host], {
        cwd: '/',
        env,
        stdin: USER.password,
        signal: world.signal,
      });
      expect(login).toMatchObject({ exitCode: 0 });
      const found = await dockerCredentials({ ...world, env }).find(locked.host, world.signal);
      expect(found).toEqual({ kind: 'basic', ...USER, source: `${old}/config.json` });
    });

    function configure() {
      const env = { ...world.env, DOCKER_CONFIG: old };
      return openDockerConfig({
        host: locked.host,
        credentials: BOB,
        env,
        files: world.files,
        remember: () => undefined,
      });
    }

    /** The docker CLI's own way to a registry without a daemon. */
    function inspect(env: Readonly<Record<string, string>>) {
      return docker(env, 'manifest', 'inspect', '--insecure', `${locked.host}/team/hello:${tag}`);
    }

    function docker(env: Readonly<Record<string, string>>, ...args: string[]) {
      return world.exec('docker', args, { cwd: '/', env, signal: world.signal });
    }
  });

  function prove(registry: OwnRegistry, credentials: Credentials | undefined) {
    return proveAccess({
      repository: { host: registry.host, path: 'team/hello' },
      credentials,
      world: { ...world, fetch },
    });
  }
});

/** Puts an image without layers under team/hello, as a client of the registry does, and returns its digest. */
async function pushEmptyImage(registry: OwnRegistry, tag: string, authorization?: string): Promise<string> {
  const base = `http://${registry.host}/v2/team/hello`;
  const headers = authorization === undefined ? {} : { authorization };
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [] },
    config: {},
    tag,
  });
  const start = await fetch(`${base}/blobs/uploads/`, { method: 'POST', headers });
  const upload = new URL(start.headers.get('location') ?? '', base);
  upload.searchParams.set('digest', digestOf(config));
  const put = await fetch(upload, { method: 'PUT', headers, body: config });
  expect(put.status).toBe(201);
  const mediaType = 'application/vnd.docker.distribution.manifest.v2+json';
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: 'application/vnd.docker.container.image.v1+json',
      size: Buffer.byteLength(config),
      digest: digestOf(config),
    },
    layers: [],
  });
  const type = { ...headers, 'content-type': mediaType };
  const pushed = await fetch(`${base}/manifests/${tag}`, { method: 'PUT', headers: type, body: manifest });
  expect(pushed.status).toBe(201);
  return digestOf(manifest);
}

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
