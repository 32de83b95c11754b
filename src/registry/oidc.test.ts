import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestWorld, type TestWorld } from '../source/testing-world.ts';
import { describeClaims, readClaims, requestOidcToken } from './oidc.ts';

const CLAIMS = { sub: 'repo:acme/hello:ref:refs/heads/main', aud: 'sts.amazonaws.com', iss: 'https://issuer.example' };
const TOKEN = ['e30', Buffer.from(JSON.stringify(CLAIMS)).toString('base64url'), 'signature'].join('.');

describe('requestOidcToken', () => {
  let world: TestWorld;
  let server: Server;
  let answer: RequestListener;
  let seen: { method: string | undefined; url: string | undefined; authorization: string | undefined }[];
  let env: Record<string, string>;

  beforeEach(async () => {
    world = await openTestWorld();
    seen = [];
    answer = (_request, response) => response.end(JSON.stringify({ count: 1, value: TOKEN }));
    server = createServer((request, response) => {
      seen.push({ method: request.method, url: request.url, authorization: request.headers.authorization });
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    env = {
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token',
    };
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await world.close();
  });

  it('asks for a token for the audience, and masks it before anybody has it', async () => {
    const { token, claims } = await ask('api://AzureADTokenExchange');
    expect(token).toBe(TOKEN);
    expect(claims).toEqual(CLAIMS);
    expect(seen).toEqual([
      {
        method: 'GET',
        url: '/token?api-version=2.0&audience=api%3A%2F%2FAzureADTokenExchange',
        authorization: 'Bearer request-token',
      },
    ]);
    expect(world.masked).toEqual(['request-token', TOKEN]);
  });

  it('asks again when GitHub breaks down for a moment', async () => {
    const good = answer;
    answer = (request, response) => (seen.length < 3 ? response.writeHead(503).end() : good(request, response));
    expect((await ask()).token).toBe(TOKEN);
    expect(seen).toHaveLength(3);
  });

  it.each([
    'ACTIONS_ID_TOKEN_REQUEST_URL',
    'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
  ])('says which permission to add when %s is not there', async (name) => {
    env = { ...env, [name]: '' };
    await expect(ask()).rejects.toMatchObject({
      message: 'the input aws-role needs GitHub’s OIDC token, and this job may not ask for one',
      remedy: expect.stringContaining('`id-token: write`'),
    });
    expect(seen).toEqual([]);
  });

  it.each<[string, RequestListener, string]>([
    ['refuses', (_request, response) => response.writeHead(401).end(), 'status 401'],
    ['breaks down', (_request, response) => response.writeHead(500).end(), 'status 500'],
    ['answers without a token', (_request, response) => response.end('{"value":""}'), 'status 200'],
    ['breaks the connection', (request) => request.socket.destroy(), 'UND_ERR_SOCKET'],
    [
      'redirects',
      (_request, response) => response.writeHead(302, { location: 'https://evil.example' }).end(),
      'redirect',
    ],
  ])('says so when GitHub %s', async (_what, listener, said) => {
    answer = listener;
    await expect(ask()).rejects.toThrow(new RegExp(`GitHub’s OIDC endpoint .* gave no token: .*${said}`));
  });

  it('says that the address is none', async () => {
    env = { ...env, ACTIONS_ID_TOKEN_REQUEST_URL: 'nowhere' };
    await expect(ask()).rejects.toThrow('ACTIONS_ID_TOKEN_REQUEST_URL is no address');
  });

  function ask(audience = 'sts.amazonaws.com') {
    return requestOidcToken(audience, 'the input aws-role', { ...world, env, fetch });
  }
});

describe('claims', () => {
  it('are told without the token', () => {
    expect(describeClaims(readClaims(TOKEN))).toBe(
      'GitHub’s token says sub "repo:acme/hello:ref:refs/heads/main", aud "sts.amazonaws.com", iss "https://issuer.example"',
    );
  });

  it.each([
    '',
    'no token',
    'a.b.c',
    `a.${Buffer.from('{"sub":1}').toString('base64url')}.c`,
  ])('of %j cannot be read', (token) => {
    expect(describeClaims(readClaims(token))).toBe('GitHub’s token has no claims that can be read');
  });
});
