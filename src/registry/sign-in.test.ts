import { mkdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RegistryInputs } from '../inputs/registry.ts';
import { someRegistryInputs } from '../inputs/testing-registry.ts';
import { openTestWorld, type TestWorld } from '../source/testing-world.ts';
import type { GivenCredentials } from './model.ts';
import { openSignIn } from './sign-in.ts';

const b64 = (text: string) => Buffer.from(text).toString('base64');

/** Against a registry with basic auth, called `ghcr` so that the surroundings have something: the input github-token. */
describe('signIn', () => {
  let world: TestWorld;
  let server: Server;
  let host: string;
  /** `user:password` that the registry takes. */
  let taken: string[];
  let tried: string[];

  beforeEach(async () => {
    world = await openTestWorld();
    taken = [];
    tried = [];
    server = createServer((request, response) => {
      const pair = Buffer.from(request.headers.authorization?.slice('Basic '.length) ?? '', 'base64').toString('utf8');
      if (pair !== '' && !tried.includes(pair)) tried.push(pair);
      const status = taken.includes(pair) ? (request.method === 'POST' ? 202 : 200) : 401;
      response.writeHead(status, status === 401 ? { 'www-authenticate': 'Basic realm="r"' } : {}).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await world.close();
  });

  const STEP = { username: 'step', password: 'step-secret' };
  const GIVEN = { username: 'given', password: 'given-secret' };
  const TOKEN = 'x-access-token:github-secret';
  const DOCKER = 'docker:docker-secret';

  it.each<[string, Partial<RegistryInputs>, GivenCredentials | undefined, string, string]>([
    [
      'a push step’s',
      { credentials: GIVEN, githubToken: 'github-secret' },
      STEP,
      'step:step-secret',
      'the push step’s credentials',
    ],
    [
      'the inputs’',
      { credentials: GIVEN, githubToken: 'github-secret' },
      undefined,
      'given:given-secret',
      'the inputs registry-username and registry-password',
    ],
    ['the surroundings’', { githubToken: 'github-secret' }, undefined, TOKEN, 'the input github-token'],
    ['Docker’s', {}, undefined, DOCKER, 'config.json'],
  ])('takes %s credentials before those that come later', async (_what, inputs, step, pair, source) => {
    await dockerHas(DOCKER);
    taken = ['step:step-secret', 'given:given-secret', TOKEN, DOCKER];
    const { credentials } = await signIn(inputs, step);
    expect(tried).toEqual([pair]);
    expect(credentials?.source).toContain(source);
    expect(world.logged).toEqual([`info: Registry ${host}: signing in with ${credentials?.source}`]);
  });

  it('masks a secret in each spelling before it is used', async () => {
    taken = ['given:given-secret'];
    await signIn({ credentials: GIVEN });
    expect(world.masked).toEqual(['given-secret', b64('given:given-secret')]);
  });

  it('goes on to Docker’s credentials when the registry refuses those of the surroundings', async () => {
    await dockerHas(DOCKER);
    taken = [DOCKER];
    const { credentials } = await signIn({ githubToken: 'github-secret' });
    expect(tried).toEqual([TOKEN, DOCKER]);
    expect(credentials).toMatchObject({ username: 'docker' });
    expect(world.logged).toContainEqual(expect.stringContaining('the input github-token does not serve: '));
  });

  it('uses nobody else’s when the registry refuses those that a person gave', async () => {
    await dockerHas(DOCKER);
    taken = [DOCKER, TOKEN];
    const signing = signIn({ credentials: GIVEN, githubToken: 'github-secret' });
    await expect(signing).rejects.toThrow('refused the credentials from the inputs registry-username');
    expect(tried).toEqual(['given:given-secret']);
  });

  it('tells each that was tried when the last fails', async () => {
    await dockerHas(DOCKER);
    await expect(signIn({ githubToken: 'github-secret' })).rejects.toMatchObject({
      name: 'Problem',
      message: expect.stringMatching(
        /^nothing that was tried may push to .*the input github-token: .*refused.*; .*config.json: .*refused/,
      ),
    });
  });

  it('tells where it looked when there are none', async () => {
    await expect(signIn({})).rejects.toThrow('wants a sign-in, and no credentials for it were found');
    const looked = `${world.env.HOME}/.docker/config.json`;
    expect(world.logged).toEqual([`info: Registry ${host}: no credentials (looked at ${looked})`]);
  });

  it('needs no credentials where the registry wants none', async () => {
    taken = [''];
    expect((await signIn({})).credentials).toBeUndefined();
  });

  it('shows GitHub’s token to no registry that is not GitHub’s', async () => {
    await expect(signIn({ githubToken: 'github-secret', kind: 'auto' })).rejects.toThrow('wants a sign-in');
    expect(tried).toEqual([]);
  });

  it('says that create-repository has nothing to do where pushing creates', async () => {
    taken = [TOKEN];
    await signIn({ githubToken: 'github-secret', createRepository: true });
    expect(world.logged).toContainEqual(expect.stringContaining('create-repository: nothing to do'));
  });

  function signIn(written: Partial<RegistryInputs>, step?: GivenCredentials) {
    const inputs = someRegistryInputs({ kind: 'ghcr', ...written });
    return openSignIn(inputs, { ...world, fetch })({ host, path: 'acme/hello' }, step);
  }

  async function dockerHas(pair: string): Promise<void> {
    await mkdir(`${world.env.HOME}/.docker`);
    const config = { auths: { [host]: { auth: b64(pair) } } };
    await world.files.writeNew(`${world.env.HOME}/.docker/config.json`, JSON.stringify(config));
  }
});
