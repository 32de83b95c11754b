import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestWorld, type TestWorld } from '../source/testing-world.ts';
import { dockerHubSources } from './dockerhub.ts';

const CONNECTION = '01234567-89ab-cdef-0123-456789abcdef';
const CLAIMS = { sub: 'repo:acme/hello:ref:refs/heads/main', aud: 'https://identity.docker.com' };
const OIDC = ['e30', Buffer.from(JSON.stringify(CLAIMS)).toString('base64url'), 'signature'].join('.');
const ENV = {
  DOCKERHUB_OIDC_CONNECTIONID: CONNECTION,
  ACTIONS_ID_TOKEN_REQUEST_URL: 'https://pipelines.example/token?v=1',
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token',
};

/** Docker's token service is played by its answers. */
describe('Docker Hub’s OIDC connection', () => {
  let world: TestWorld;
  let asked: { url: string; body: Record<string, string> }[];
  beforeEach(async () => {
    world = await openTestWorld();
    asked = [];
  });
  afterEach(() => world.close());

  it('is no source when the job names none', () => {
    expect(dockerHubSources({ host: 'docker.io', path: 'acme/hello' }, { ...world, env: {}, fetch })).toEqual([]);
  });

  it('gives a token as the organisation’s password, masked', async () => {
    expect(await find(Response.json({ access_token: 'minted' }))).toMatchObject({
      username: 'acme',
      password: 'minted',
    });
    expect(asked).toEqual([
      { url: 'https://pipelines.example/token?v=1&audience=https%3A%2F%2Fidentity.docker.com', body: {} },
      {
        url: 'https://identity.docker.com/oauth/token',
        body: {
          grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
          subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
          subject_token: OIDC,
          connection_id: CONNECTION,
          expires_in: '3600',
        },
      },
    ]);
    expect(world.masked).toEqual(['request-token', OIDC, 'minted']);
  });

  it('waits as long as an overloaded service asks for', async () => {
    const busy = new Response(null, { status: 429, headers: { 'retry-after': '3' } });
    expect(await find(busy, Response.json({ access_token: 'minted' }))).toMatchObject({ password: 'minted' });
    expect(world.slept).toEqual([3_000]);
  });

  it.each<[string, Response, string, string]>([
    [
      'refuses',
      Response.json({ error_description: 'no rule matches' }, { status: 401 }),
      ': no rule matches',
      `sub "${CLAIMS.sub}"`,
    ],
    ['answers nonsense', Response.json({}), ': status 200', 'ruleset, in the organisation acme'],
    [
      'redirects',
      new Response(null, { status: 307, headers: { location: 'https://evil.example' } }),
      'redirect',
      'can reach it',
    ],
  ])('says what to mend when the service %s', async (_what, answer, message, remedy) => {
    await expect(find(answer)).rejects.toMatchObject({
      message: expect.stringContaining(message),
      remedy: expect.stringContaining(remedy),
    });
  });

  it('refuses what is no connection’s id before it asks anybody', async () => {
    const env = { ...ENV, DOCKERHUB_OIDC_CONNECTIONID: 'acme' };
    const [source] = dockerHubSources({ host: 'docker.io', path: 'acme/hello' }, { ...world, env, fetch });
    await expect(source?.find('docker.io', world.signal)).rejects.toThrow('is no connection’s id');
  });

  function find(...answers: Response[]) {
    const playing: typeof fetch = (url, options) => {
      const body = options?.body instanceof URLSearchParams ? Object.fromEntries(options.body) : {};
      asked.push({ url: String(url), body });
      const next = asked.length === 1 ? Response.json({ value: OIDC }) : answers.shift();
      return Promise.resolve(next ?? new Response(null, { status: 404 }));
    };
    const [source] = dockerHubSources(
      { host: 'docker.io', path: 'acme/hello' },
      { ...world, env: ENV, fetch: playing },
    );
    return source?.find('docker.io', world.signal);
  }
});
