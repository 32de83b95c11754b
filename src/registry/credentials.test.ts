import { chmod, mkdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestWorld, type TestWorld } from '../source/testing-world.ts';
import { givenCredentials } from './credentials.ts';
import { dockerCredentials } from './docker-config-file.ts';

const HOST = 'localhost:5000';
const b64 = (text: string) => Buffer.from(text).toString('base64');

describe('credentials', () => {
  let world: TestWorld;
  let old: string;
  let bin: string;
  beforeEach(async () => {
    world = await openTestWorld();
    old = `${world.env.HOME}/.docker`;
    bin = `${world.directory}/bin`;
    await mkdir(old);
    await mkdir(bin);
  });
  afterEach(() => world.close());

  it('shows given ones to the first registry only', async () => {
    const source = givenCredentials({ username: 'bob', password: 'given-secret' }, 'the test');
    const ask = (host: string) => source.find(host, world.signal);
    expect(await ask('ghcr.io')).toMatchObject({ username: 'bob' });
    expect(await ask('evil.example')).toBeUndefined();
    expect(await ask('ghcr.io')).toMatchObject({ username: 'bob' });
  });

  it.each([
    ['ghcr.io', 'ghcr.io', true],
    ['https://ghcr.io/', 'ghcr.io', true],
    ['https://index.docker.io/v1/', 'docker.io', true],
    ['https://index.docker.io/v1/', 'ghcr.io', false],
  ])('shows those for %s to %s: %s', async (registry, host, yes) => {
    const source = givenCredentials({ username: 'bob', password: 'given-secret', registry }, 'the test');
    expect((await source.find(host, world.signal)) !== undefined).toBe(yes);
  });

  it.each([
    ['user and password in one', { auth: b64('u:p:w') }, { kind: 'basic', username: 'u', password: 'p:w' }],
    ['a padded one', { auth: b64('u:p\0\0') }, { kind: 'basic', username: 'u', password: 'p' }],
    ['user and password apart', { username: 'u', password: 'p' }, { kind: 'basic', username: 'u', password: 'p' }],
    ['a refresh token', { auth: b64('0:'), identitytoken: 't' }, { kind: 'identity-token', token: 't' }],
  ])('reads %s of config.json', async (_what, entry, expected) => {
    await config({ auths: { [HOST]: entry } });
    expect(await find(HOST)).toEqual({ ...expected, source: `${old}/config.json` });
  });

  it.each([
    ['the host as a URL', `https://${HOST}/v1/`, HOST],
    ['Docker Hub’s old name', 'https://index.docker.io/v1/', 'docker.io'],
    ['Docker Hub’s new name', 'docker.io', 'docker.io'],
  ])('finds an entry under %s', async (_what, key, host) => {
    await config({ auths: { [key]: { auth: b64('u:p') } } });
    expect(await find(host)).toMatchObject({ username: 'u' });
  });

  it.each([
    ['an empty entry', { auths: { [HOST]: {} } }],
    ['an entry that is no base64 of a pair', { auths: { [HOST]: { auth: b64('nothing') } } }],
    ['another port', { auths: { 'localhost:5001': { auth: b64('u:p') } } }],
  ])('finds nothing in %s', async (_what, text) => {
    await config(text);
    expect(await find(HOST)).toBeUndefined();
  });

  it('believes DOCKER_AUTH_CONFIG before the file, as docker does', async () => {
    await config({ auths: { [HOST]: { auth: b64('file:p') } } });
    const variable = JSON.stringify({ auths: { [HOST]: { auth: b64('variable:p') } } });
    expect(await find(HOST, { DOCKER_AUTH_CONFIG: variable })).toMatchObject({ username: 'variable' });
    expect(await find(HOST, { DOCKER_AUTH_CONFIG: 'nonsense' })).toMatchObject({ username: 'file' });
  });

  it('runs the host’s credential helper', async () => {
    await config({ credHelpers: { [HOST]: 'test' }, credsStore: 'other', auths: { [HOST]: { auth: b64('file:p') } } });
    await helper(
      'test',
      `read host; echo "{\\"ServerURL\\":\\"$host\\",\\"Username\\":\\"for-$host\\",\\"Secret\\":\\"s3cret\\"}"`,
    );
    expect(await find(HOST)).toEqual({
      kind: 'basic',
      username: `for-${HOST}`,
      password: 's3cret',
      source: 'credential helper docker-credential-test',
    });
  });

  it('asks the store for Docker Hub by its old name', async () => {
    await config({ credsStore: 'test' });
    await helper('test', 'read host; echo "{\\"Username\\":\\"$host\\",\\"Secret\\":\\"s\\"}"');
    expect(await find('docker.io')).toMatchObject({ username: 'https://index.docker.io/v1/' });
  });

  it('takes a helper’s token user for a refresh token', async () => {
    await config({ credsStore: 'test' });
    await helper('test', 'echo \'{"Username":"<token>","Secret":"refresh"}\'');
    expect(await find(HOST)).toMatchObject({ kind: 'identity-token', token: 'refresh' });
  });

  it('reads the plain entry when the host’s helper is empty', async () => {
    await config({ credHelpers: { [HOST]: '' }, credsStore: 'nosuch', auths: { [HOST]: { auth: b64('file:p') } } });
    expect(await find(HOST)).toMatchObject({ username: 'file' });
  });

  it('has nothing when the store knows nothing', async () => {
    await config({ credsStore: 'test' });
    await helper('test', 'echo "credentials not found in native keychain"; exit 1');
    expect(await find(HOST)).toBeUndefined();
  });

  it.each([
    ['is not installed', 'nosuch', '', 'docker-credential-nosuch, which is not on the PATH'],
    ['fails', 'test', 'echo "keychain is locked"; exit 1', 'failed for localhost:5000: keychain is locked'],
    ['answers nonsense', 'test', 'echo hello', 'something else than credentials'],
    ['has a name that is a path', '../x', '', 'impossible credential helper "../x"'],
  ])('says so when the helper %s', async (_what, name, script, message) => {
    await config({ credsStore: name });
    if (script !== '') await helper(name, script);
    await expect(find(HOST)).rejects.toThrow(message);
  });

  function find(host: string, env: Record<string, string> = {}) {
    const childEnv = { ...world.env, PATH: `${bin}:${world.env.PATH}`, ...env };
    return dockerCredentials({ ...world, env: childEnv }).find(host, world.signal);
  }

  async function config(value: object): Promise<void> {
    await world.files.writeNew(`${old}/config.json`, JSON.stringify(value));
  }

  async function helper(name: string, script: string): Promise<void> {
    await world.files.writeNew(`${bin}/docker-credential-${name}`, `#!/bin/sh\n${script}\n`);
    await chmod(`${bin}/docker-credential-${name}`, 0o755);
  }
});
