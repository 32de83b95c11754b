import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestWorld, type TestWorld } from '../source/testing-world.ts';
import { exchangeEntraToken } from './acr-exchange.ts';

/** The registry is played by its answers; the whole way to a pushed manifest is in test/e2e/clouds.test.ts. */
describe('exchangeEntraToken', () => {
  let world: TestWorld;
  let asked: { url: string; method: string | undefined; body: Record<string, string>; redirect: string | undefined }[];

  beforeEach(async () => {
    world = await openTestWorld();
    asked = [];
  });
  afterEach(() => world.close());

  it('gives the refresh token as the password of nobody, masked', async () => {
    const credentials = await exchange(new Response('{"refresh_token":"refresh"}'));
    expect(credentials).toEqual({
      kind: 'basic',
      username: '00000000-0000-0000-0000-000000000000',
      password: 'refresh',
      source: 'the application',
    });
    expect(asked).toEqual([
      {
        url: 'https://acme.azurecr.io/oauth2/exchange',
        method: 'POST',
        body: { grant_type: 'access_token', service: 'acme.azurecr.io', access_token: 'entra', tenant: 'tenant' },
        redirect: 'manual',
      },
    ]);
    expect(world.masked).toEqual(['refresh']);
  });

  it('follows no redirect, which would carry the token along', async () => {
    const elsewhere = new Response(null, { status: 307, headers: { location: 'https://evil.example/' } });
    await expect(exchange(elsewhere)).rejects.toThrow('redirects its token exchange');
    expect(asked).toHaveLength(1);
  });

  it.each<[number, string, string, string]>([
    [401, error('authentication required'), 'gives no password to the application: authentication required', 'AcrPush'],
    [403, error("client with IP '1.2.3.4' is not allowed access"), 'is not allowed access', 'network rules'],
    [200, '{}', 'status 200', 'AcrPush'],
    [500, '<html>', 'status 500', 'AcrPush'],
  ])('says why there is none when the answer is %i %s', async (status, body, message, remedy) => {
    await expect(exchange(new Response(body, { status }))).rejects.toMatchObject({
      message: expect.stringContaining(message),
      remedy: expect.stringContaining(remedy),
    });
  });

  it('names a registry that is not there', async () => {
    const cause = Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
    await expect(exchange(new TypeError('fetch failed', { cause }))).rejects.toThrow(
      'could not be asked for a token: ENOTFOUND',
    );
  });

  function exchange(answer: Response | Error) {
    const playing: typeof fetch = (url, options) => {
      const body = options?.body instanceof URLSearchParams ? Object.fromEntries(options.body) : {};
      asked.push({ url: String(url), method: options?.method, body, redirect: options?.redirect });
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer.clone());
    };
    const token = { token: 'entra', source: 'the application' };
    return exchangeEntraToken('acme.azurecr.io', token, 'tenant', { ...world, fetch: playing });
  }
});

function error(message: string): string {
  return JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message }] });
}
