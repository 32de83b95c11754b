import { lstat, mkdir, readlink } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestWorld, type TestWorld } from '../source/testing-world.ts';
import { openDockerConfig, removeDockerConfig, withCredentials } from './docker-config.ts';
import type { Credentials } from './model.ts';

const HOST = 'localhost:5000';
const BOB: Credentials = { kind: 'basic', username: 'bob', password: 'pw:with:colon$', source: 'the test' };
const AUTH = Buffer.from('bob:pw:with:colon$').toString('base64');

describe('withCredentials', () => {
  it('keeps what the user has and adds our host', () => {
    const old = { auths: { 'ghcr.io': { auth: 'x' } }, proxies: { default: {} }, currentContext: 'c1' };
    expect(withCredentials(old, HOST, BOB, '/home/u/.docker')).toEqual({
      auths: { 'ghcr.io': { auth: 'x' }, [HOST]: { auth: AUTH } },
      proxies: { default: {} },
      currentContext: 'c1',
      cliPluginsExtraDirs: ['/home/u/.docker/cli-plugins'],
    });
  });

  it('replaces every spelling of our host', () => {
    const old = { auths: { [`https://${HOST}/v1/`]: { auth: 'old' }, [HOST]: { auth: 'older' } } };
    expect(withCredentials(old, HOST, BOB, undefined)).toEqual({ auths: { [HOST]: { auth: AUTH } } });
  });

  it('keeps a credential store for other hosts and bypasses it for ours', () => {
    const config = withCredentials({ credsStore: 'desktop' }, HOST, BOB, undefined);
    expect(config).toMatchObject({ credsStore: 'desktop', credHelpers: { [HOST]: '' } });
  });

  it('bypasses the helper of our host, and leaves those of others', () => {
    const config = withCredentials({ credHelpers: { [HOST]: 'mine', 'ghcr.io': 'gh' } }, HOST, BOB, undefined);
    expect(config.credHelpers).toEqual({ 'ghcr.io': 'gh', [HOST]: '' });
  });

  it('names no helper when none is in the way', () => {
    expect(withCredentials({ credHelpers: { 'ghcr.io': 'gh' } }, HOST, BOB, undefined).credHelpers).toEqual({
      'ghcr.io': 'gh',
    });
  });

  it('keeps the user’s plugin directories before theirs by default', () => {
    const config = withCredentials({ cliPluginsExtraDirs: ['/opt/plugins'] }, HOST, BOB, '/home/u/.docker');
    expect(config.cliPluginsExtraDirs).toEqual(['/opt/plugins', '/home/u/.docker/cli-plugins']);
  });

  it('writes a refresh token as Docker does', () => {
    const config = withCredentials(
      {},
      'acme.azurecr.io',
      { kind: 'identity-token', token: 't', source: 'x' },
      undefined,
    );
    expect(config.auths).toEqual({
      'acme.azurecr.io': { auth: 'MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAwOg==', identitytoken: 't' },
    });
  });

  it('knows Docker Hub by its old name', () => {
    const config = withCredentials({ auths: { 'docker.io': { auth: 'old' } } }, 'docker.io', BOB, undefined);
    expect(config.auths).toEqual({ 'https://index.docker.io/v1/': { auth: AUTH } });
  });
});

describe('openDockerConfig', () => {
  let world: TestWorld;
  let old: string;
  let remembered: string[];
  beforeEach(async () => {
    world = await openTestWorld();
    old = `${world.env.HOME}/.docker`;
    remembered = [];
    await mkdir(`${old}/contexts`, { recursive: true });
  });
  afterEach(() => world.close());

  it('is a directory that only its owner can enter, with a file that only its owner can read', async () => {
    const config = await open();
    expect((await lstat(config.directory)).mode & 0o777).toBe(0o700);
    expect((await lstat(`${config.directory}/config.json`)).mode & 0o777).toBe(0o600);
    expect(remembered).toEqual([config.directory]);
    await config.close();
    expect(await world.files.exists(config.directory)).toBe(false);
  });

  it('removes what Docker leaves in it, and leaves the user’s own alone', async () => {
    const config = await open();
    await world.files.writeNew(`${config.directory}/.token_seed`, 'x');
    await removeDockerConfig(config.directory, world.files);
    await removeDockerConfig(config.directory, world.files);
    expect(await world.files.exists(config.directory)).toBe(false);
    expect(await world.files.exists(`${old}/contexts`)).toBe(true);
  });

  it('shows docker the user’s contexts and builders', async () => {
    const config = await open();
    expect(await readlink(`${config.directory}/contexts`)).toBe(`${old}/contexts`);
    expect(config.env).toMatchObject({ DOCKER_CONFIG: config.directory, BUILDX_CONFIG: `${old}/buildx` });
  });

  it('respects DOCKER_CONFIG and BUILDX_CONFIG of the user', async () => {
    await mkdir(`${world.directory}/mine`);
    await world.files.writeNew(`${world.directory}/mine/config.json`, '{"auths":{"ghcr.io":{"auth":"x"}}}');
    const config = await open({ DOCKER_CONFIG: `${world.directory}/mine`, BUILDX_CONFIG: '/srv/buildx' });
    expect(config.env.BUILDX_CONFIG).toBe('/srv/buildx');
    const written = JSON.parse(await world.files.readText(`${config.directory}/config.json`));
    expect(written.auths).toEqual({ 'ghcr.io': { auth: 'x' }, [HOST]: { auth: AUTH } });
    expect(written.cliPluginsExtraDirs).toEqual([`${world.directory}/mine/cli-plugins`]);
  });

  it.each([
    ['a stale entry of our host goes', { auths: { [HOST]: { auth: 'b2xk' } } }, undefined],
    [
      'entries of other hosts stay',
      { auths: { [HOST]: { auth: 'b2xk' }, 'ghcr.io': { auth: 'x' } } },
      '{"auths":{"ghcr.io":{"auth":"x"}}}',
    ],
  ])('in DOCKER_AUTH_CONFIG %s', async (_what, variable, expected) => {
    const config = await open({ DOCKER_AUTH_CONFIG: JSON.stringify(variable) });
    expect(config.env.DOCKER_AUTH_CONFIG).toBe(expected);
  });

  it('changes the environment of nobody else', async () => {
    await open();
    expect(world.env.DOCKER_CONFIG).toBeUndefined();
  });

  it('says which file of the user is broken, before anything is made', async () => {
    await world.files.writeNew(`${old}/config.json`, '{"auths": ');
    await expect(open()).rejects.toThrow(`Docker’s configuration ${old}/config.json cannot be read`);
    expect(remembered).toEqual([]);
  });

  it('removes the directory again when it cannot be filled', async () => {
    const files = { ...world.files, symlink: () => Promise.reject(new Error('no symlinks here')) };
    const opening = openDockerConfig({ host: HOST, credentials: BOB, env: world.env, files, remember });
    await expect(opening).rejects.toThrow('no symlinks here');
    expect(await world.files.exists(remembered[0] ?? '')).toBe(false);
  });

  function open(env: Record<string, string> = {}) {
    return openDockerConfig({
      host: HOST,
      credentials: BOB,
      env: { ...world.env, ...env },
      files: world.files,
      remember,
    });
  }

  function remember(directory: string): void {
    remembered.push(directory);
  }
});
