import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestWorld, type TestWorld } from '../source/testing-world.ts';
import { proveAccess } from './access.ts';
import type { Credentials } from './model.ts';

const BOB: Credentials = { kind: 'basic', username: 'bob', password: 'pw:with:colon$', source: 'the test' };
const BASIC = `Basic ${Buffer.from('bob:pw:with:colon$').toString('base64')}`;
const DIGEST = `sha256:${'a'.repeat(64)}`;

/** What real registries answer is shown in test/e2e/registry.test.ts; here stand the answers one cannot provoke there. */
describe('proveAccess', () => {
  let world: TestWorld;
  let servers: Server[];
  let seen: { method: string; url: string; authorization: string | undefined; host: string; body: string }[];
  beforeEach(async () => {
    world = await openTestWorld();
    servers = [];
    seen = [];
  });
  afterEach(async () => {
    for (const server of servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    await world.close();
  });

  it('gets a token for this repository with the password, and shows only the token to the registry', async () => {
    const { host } = await tokenRegistry();
    const access = await prove(host, BOB);
    expect(await access.readManifestDigest('one')).toBe(DIGEST);
    expect(seen.map(({ method, url, authorization }) => `${method} ${url} ${authorization ?? '-'}`)).toEqual([
      'GET /v2/ -',
      `GET /token?service=r&scope=repository%3Ateam%2Fhello%3Apull%2Cpush ${BASIC}`,
      'GET /v2/ Bearer minted',
      'POST /v2/team/hello/blobs/uploads/ Bearer minted',
      `GET /token?service=r&scope=repository%3Ateam%2Fhello%3Apull ${BASIC}`,
      'HEAD /v2/team/hello/manifests/one Bearer minted',
    ]);
    expect(world.masked).toContain('minted');
  });

  it('exchanges a refresh token in the body of a POST', async () => {
    const { host } = await tokenRegistry();
    await prove(host, { kind: 'identity-token', token: 'refresh-me', source: 'the test' });
    const asked = seen.find(({ method }) => method === 'POST');
    expect(Object.fromEntries(new URLSearchParams(asked?.body))).toEqual({
      grant_type: 'refresh_token',
      service: 'r',
      scope: 'repository:team/hello:pull,push',
      client_id: 'slipway',
      refresh_token: 'refresh-me',
    });
    expect(asked?.url).toBe('/token');
  });

  it('does not send the password on when the token service redirects', async () => {
    const other = await serve((_request, response) => response.writeHead(200).end('{"token":"x"}'));
    const { host } = await tokenRegistry((_request, response) => {
      response.writeHead(307, { location: `http://${other}/token` }).end();
    });
    await expect(prove(host, BOB)).rejects.toThrow('redirects a sign-in');
    expect(seen.filter((request) => request.host === other)).toEqual([]);
  });

  it('does not send the password to a token service without HTTPS', async () => {
    const host = await serve((_request, response) => {
      response.writeHead(401, { 'www-authenticate': 'Bearer realm="http://evil.example/token"' }).end();
    });
    await expect(prove(host, BOB)).rejects.toThrow(
      'sends its sign-in to http://evil.example/token, which is not HTTPS',
    );
  });

  it('shows the password to no other host that the registry redirects to', async () => {
    const other = await serve((_request, response) =>
      response.writeHead(200, { 'docker-content-digest': DIGEST }).end(),
    );
    const host = await serve((request, response) => {
      if (request.headers.authorization === undefined) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
      } else if (request.url === '/v2/') response.writeHead(200).end();
      else response.writeHead(307, { location: `http://${other}${request.url}` }).end();
    });
    const access = await prove(host, BOB);
    expect(await access.readManifestDigest('one')).toBe(DIGEST);
    const redirected = seen.filter((request) => request.host === other);
    expect(redirected.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it.each([
    [
      401,
      '{"errors":[{"code":"UNAUTHORIZED","message":"incorrect username or password"}]}',
      ': incorrect username or password',
    ],
    [403, '{"errors":[{"code":"DENIED"}]}', ': DENIED'],
    [401, '{"details":"expired"}', ': expired'],
    [401, '<html>', ''],
  ])('says that the token service refused with %i and %s', async (status, body, said) => {
    const { host } = await tokenRegistry((_request, response) => response.writeHead(status).end(body));
    await expect(prove(host, BOB)).rejects.toMatchObject({
      name: 'Problem',
      message: `registry ${host} refused the credentials from the test${said}`,
    });
  });

  it('says that a sign-in is wanted when there are no credentials', async () => {
    const { host } = await tokenRegistry((_request, response) => response.writeHead(401).end());
    await expect(prove(host, undefined)).rejects.toThrow('wants a sign-in, and no credentials for it were found');
  });

  it('waits as long as an overloaded registry asks for', async () => {
    let answers = 0;
    const host = await serve((_request, response) => {
      answers += 1;
      if (answers === 1) response.writeHead(429, { 'retry-after': '7' }).end();
      else if (answers === 2) response.writeHead(503).end();
      else response.writeHead(200).end();
    });
    await prove(host, undefined);
    expect(world.slept).toEqual([7_000, 4_000]);
  });

  it('tries again when the connection breaks, and gives up with the cause', async () => {
    const host = await serve((request) => request.socket.destroy());
    await expect(prove(host, undefined)).rejects.toThrow(`registry ${host} could not be spoken to`);
    expect(seen).toHaveLength(3);
  });

  it.each([
    [500, 'status 500'],
    [404, 'status 404'],
    [401, 'status 401'],
  ])('says that a host answering %i is no registry', async (status, text) => {
    const host = await serve((_request, response) => response.writeHead(status).end());
    await expect(prove(host, BOB)).rejects.toThrow(`${host} does not answer as an image registry: ${text}`);
  });

  it('names a registry that nobody runs', async () => {
    const host = await serve(() => undefined);
    const [server] = servers.splice(0);
    await new Promise((resolve) => server?.close(resolve));
    await expect(prove(host, undefined)).rejects.toThrow('nothing listens');
  });

  it.each([
    ['ENOTFOUND', 'the name registry.example is not known'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'speaks plain HTTP where HTTPS is needed'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'signed by nobody this runner trusts'],
    ['CERT_HAS_EXPIRED', 'the certificate of registry registry.example has expired'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'is for another name'],
    ['UND_ERR_CONNECT_TIMEOUT', 'did not answer in time'],
    ['EHOSTUNREACH', 'could not be spoken to (EHOSTUNREACH)'],
  ])('says what %s means', async (code, message) => {
    const asked: string[] = [];
    const failing: typeof fetch = (url) => {
      asked.push(String(url));
      return Promise.reject(new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) }));
    };
    const repository = { host: 'registry.example', path: 'hello' };
    const proving = proveAccess({ repository, credentials: BOB, world: { ...world, fetch: failing } });
    await expect(proving).rejects.toThrow(message);
    expect(new Set(asked)).toEqual(new Set(['https://registry.example/v2/']));
  });

  it('says that fetch refuses some ports', async () => {
    await expect(prove('127.0.0.1:6000', undefined)).rejects.toThrow('is on a port that HTTP clients refuse');
  });

  it('stops when the job is cancelled', async () => {
    const host = await serve(() => undefined);
    const cancelled = new AbortController();
    const proving = proveAccess({
      repository: { host, path: 'hello' },
      credentials: undefined,
      world: { ...world, fetch, signal: cancelled.signal },
    });
    const reason = new Error('the job was cancelled');
    setTimeout(() => cancelled.abort(reason), 20);
    await expect(proving).rejects.toBe(reason);
  });

  describe('reading a digest', () => {
    it('is undefined for a tag that is not there', async () => {
      expect(await digest((_request, response) => response.writeHead(404).end())).toBeUndefined();
    });

    it('hashes the manifest when the registry does not name its digest', async () => {
      const manifest = '{"schemaVersion":2}';
      const found = await digest((request, response) => response.end(request.method === 'HEAD' ? '' : manifest));
      expect(found).toBe(`sha256:${createHash('sha256').update(manifest).digest('hex')}`);
    });

    it('asks for all four kinds of manifest', async () => {
      let accept: string | undefined;
      await digest((request, response) => {
        accept = request.headers.accept;
        response.writeHead(200, { 'docker-content-digest': DIGEST }).end();
      });
      expect(accept?.split(', ')).toHaveLength(4);
    });

    it.each([
      [401, 'wants a sign-in'],
      [500, 'answered 500 for team/hello:one'],
    ])('is a problem when the registry answers %i', async (status, message) => {
      await expect(digest((_request, response) => response.writeHead(status).end())).rejects.toThrow(message);
    });

    async function digest(manifests: RequestListener): Promise<string | undefined> {
      const host = await serve((request, response) => {
        if (request.url === '/v2/') response.end();
        else if (request.method === 'POST') response.writeHead(202).end();
        else manifests(request, response);
      });
      return (await prove(host, undefined)).readManifestDigest('one');
    }
  });

  function prove(host: string, credentials: Credentials | undefined) {
    return proveAccess({ repository: { host, path: 'team/hello' }, credentials, world: { ...world, fetch } });
  }

  /** A registry whose token service answers as said, else with the token "minted" to the right user. */
  async function tokenRegistry(service?: RequestListener): Promise<{ host: string }> {
    const host = await serve((request, response) => {
      if (request.url?.startsWith('/token') === true) {
        if (service !== undefined) service(request, response);
        else response.end('{"access_token":"minted"}');
      } else if (request.headers.authorization === 'Bearer minted') {
        response.writeHead(200, { 'docker-content-digest': DIGEST }).end();
      } else {
        const challenge = `Bearer realm="http://${request.headers.host}/token",service="r"`;
        response.writeHead(401, { 'www-authenticate': challenge }).end();
      }
    });
    return { host };
  }

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(async (request, response) => {
      seen.push({
        method: request.method ?? '',
        url: request.url ?? '',
        authorization: request.headers.authorization,
        host: request.headers.host ?? '',
        body: await bodyOf(request),
      });
      listener(request, response);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async function bodyOf(request: IncomingMessage): Promise<string> {
    let text = '';
    for await (const piece of request.setEncoding('utf8')) text += piece;
    return text;
  }
});
