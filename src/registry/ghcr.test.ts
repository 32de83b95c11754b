import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { someRegistryInputs } from '../inputs/testing-registry.ts';
import { openTestWorld, type TestWorld } from '../source/testing-world.ts';
import { ghcrSources } from './ghcr.ts';

describe('GitHub’s registry', () => {
  let world: TestWorld;
  beforeEach(async () => {
    world = await openTestWorld();
  });
  afterEach(() => world.close());

  it.each<[string, string | undefined, Record<string, string>, object | undefined]>([
    [
      'the input github-token',
      'job-token',
      { GITHUB_ACTOR: 'ford', GITHUB_TOKEN: 'other' },
      { username: 'ford', password: 'job-token', source: 'the input github-token' },
    ],
    [
      'GITHUB_TOKEN where the input is empty',
      undefined,
      { GITHUB_TOKEN: 'job-token' },
      { username: 'x-access-token', password: 'job-token', source: 'GITHUB_TOKEN' },
    ],
    ['nothing where there is neither', undefined, { GITHUB_ACTOR: 'ford' }, undefined],
    [
      'nothing of a GitHub Enterprise server',
      'job-token',
      { GITHUB_SERVER_URL: 'https://git.acme.example' },
      undefined,
    ],
    ['the token on github.com', 'job-token', { GITHUB_SERVER_URL: 'https://github.com' }, { password: 'job-token' }],
  ])('takes %s', async (_what, githubToken, env, expected) => {
    const found = await find('ghcr.io', githubToken, env);
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject({ kind: 'basic', ...expected });
  });

  it('takes the token of a GitHub Enterprise server to that server’s registry', async () => {
    const env = { GITHUB_SERVER_URL: 'https://git.acme.example' };
    expect(await find('containers.git.acme.example', 'job-token', env)).toMatchObject({ password: 'job-token' });
  });

  it('masks the token', async () => {
    await find('ghcr.io', 'job-token', {});
    expect(world.masked).toEqual(['job-token']);
  });

  async function find(host: string, githubToken: string | undefined, env: Record<string, string>) {
    const [source] = ghcrSources(someRegistryInputs({ githubToken }), { ...world, env, fetch });
    return await source?.find(host, world.signal);
  }
});
