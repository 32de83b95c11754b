import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readSettings } from '../settings/index.ts';
import { openDispatcher } from './dispatcher.ts';
import { answering, client, listen, POOL } from './testing/api-server.ts';
import { AUTHORITY, CERTIFICATE, PRIVATE_KEY } from './testing/certificate.ts';
import { proxy } from './testing/proxy.ts';
import { readWorkPool } from './work-pools.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-tls-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const authority = file('authority.pem', AUTHORITY);
const identity = { cert: CERTIFICATE, key: PRIVATE_KEY };

/** A real API over TLS, whose certificate only AUTHORITY vouches for. */
async function secureApi(host = 'localhost') {
  const { listener, seen } = answering(() => ({ status: 200, body: POOL }));
  const port = await listen(createTlsServer(identity, listener), host === 'localhost' ? undefined : host);
  return { port, seen, url: `https://${host}:${port}/api` };
}

/** An address of this machine that the certificate does not name. */
const STRANGER = '127.0.0.2';
const UNTRUSTED = { name: 'PrefectUnreachableError', code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', attempts: 1 };

describe('a certificate of one’s own authority', () => {
  it('is refused at once, without a second try', async () => {
    const { url, seen } = await secureApi();
    const { api, slept, signal } = client(url);
    await expect(readWorkPool(api, 'k', signal)).rejects.toMatchObject(UNTRUSTED);
    expect([seen, slept]).toEqual([[], []]);
  });

  it.each([
    ['PREFECT_API_SSL_CERT_FILE', { PREFECT_API_SSL_CERT_FILE: authority }],
    ['SSL_CERT_FILE', { SSL_CERT_FILE: authority }],
    [
      'PREFECT_API_SSL_CERT_FILE, which wins over SSL_CERT_FILE',
      { PREFECT_API_SSL_CERT_FILE: authority, SSL_CERT_FILE: '/nowhere' },
    ],
    [
      'nobody, when PREFECT_API_TLS_INSECURE_SKIP_VERIFY asks for no check',
      { PREFECT_API_TLS_INSECURE_SKIP_VERIFY: '1' },
    ],
  ])('is vouched for by %s', async (_name, env) => {
    const { url } = await secureApi();
    const { api, signal } = client(url, env);
    expect((await readWorkPool(api, 'k', signal))?.name).toBe('k');
  });

  it('does not vouch for another host’s name', async () => {
    const { url, seen } = await secureApi(STRANGER);
    const { api, signal } = client(url, { SSL_CERT_FILE: authority });
    const refusal = { ...UNTRUSTED, code: 'ERR_TLS_CERT_ALTNAME_INVALID' };
    await expect(readWorkPool(api, 'k', signal)).rejects.toMatchObject(refusal);
    expect(seen).toEqual([]);
  });

  it.each([
    ['is missing', join(folder, 'missing.pem'), 'cannot be read (ENOENT)'],
    ['is a folder', folder, 'cannot be read (EISDIR)'],
    ['holds none', file('empty.pem', 'hunter2'), 'holds no PEM certificate'],
  ])('in a file that %s is refused by name', (_name, path, message) => {
    const settings = readSettings({ PREFECT_API_URL: 'https://a/api', PREFECT_API_SSL_CERT_FILE: path });
    expect(() => openDispatcher(settings)).toThrow(message);
    expect(() => openDispatcher(settings)).not.toThrow('hunter2');
  });
});

describe('HTTP/2', () => {
  it.each([
    ['false', '1.1'],
    ['true', '2.0'],
  ])('is spoken when PREFECT_API_ENABLE_HTTP2 is %s: %s', async (enabled, version) => {
    const versions: string[] = [];
    const server = createSecureServer({ ...identity, allowHTTP1: true }, (request, response) => {
      versions.push(request.httpVersion);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(POOL);
    });
    const port = await listen(Object.assign(server, { closeAllConnections: () => undefined }) as never);
    const env = { SSL_CERT_FILE: authority, PREFECT_API_ENABLE_HTTP2: enabled };
    const { api, signal } = client(`https://localhost:${port}/api`, env);
    await readWorkPool(api, 'k', signal);
    expect(versions).toEqual([version]);
    await api.close();
  });
});

describe('a proxy', () => {
  it('is asked for a tunnel to an https API, whose certificate is still checked', async () => {
    const { url, port, seen } = await secureApi();
    const through = await proxy();
    const env = { HTTPS_PROXY: `http://127.0.0.1:${through.port}` };
    const trusting = client(url, { ...env, PREFECT_API_SSL_CERT_FILE: authority });
    expect((await readWorkPool(trusting.api, 'k', trusting.signal))?.name).toBe('k');
    expect(through.seen).toEqual([`CONNECT localhost:${port}`]);
    expect(seen[0]?.headers).not.toHaveProperty('proxy-authorization');
    const careful = client(url, env);
    await expect(readWorkPool(careful.api, 'k', careful.signal)).rejects.toMatchObject({ code: UNTRUSTED.code });
    const careless = client(url, { ...env, PREFECT_API_TLS_INSECURE_SKIP_VERIFY: 'true' });
    expect((await readWorkPool(careless.api, 'k', careless.signal))?.name).toBe('k');
  });

  it('forwards requests to a plain http API without a tunnel', async () => {
    const { listener } = answering(() => ({ status: 200, body: POOL }));
    const port = await listen(createHttpServer(listener));
    const through = await proxy();
    const { api, signal } = client(`http://127.0.0.1:${port}/api`, { http_proxy: `127.0.0.1:${through.port}` });
    expect((await readWorkPool(api, 'k', signal))?.name).toBe('k');
    expect(through.seen).toEqual([`GET http://127.0.0.1:${port}/api/work_pools/k`]);
  });

  it('is passed by for a host that NO_PROXY names', async () => {
    const { url } = await secureApi();
    const through = await proxy();
    const env = { ALL_PROXY: `http://127.0.0.1:${through.port}`, NO_PROXY: 'localhost', SSL_CERT_FILE: authority };
    const { api, signal } = client(url, env);
    await readWorkPool(api, 'k', signal);
    expect(through.seen).toEqual([]);
  });

  it('gets the credentials of its URL, and its refusal is final and names it without them', async () => {
    const { url } = await secureApi();
    const through = await proxy('user:p@ss');
    const right = client(url, {
      HTTPS_PROXY: `http://user:p%40ss@127.0.0.1:${through.port}`,
      SSL_CERT_FILE: authority,
    });
    expect((await readWorkPool(right.api, 'k', right.signal))?.name).toBe('k');
    const wrong = client(url, { HTTPS_PROXY: `http://user:hunter2@127.0.0.1:${through.port}` });
    const error = await readWorkPool(wrong.api, 'k', wrong.signal).catch((one: unknown) => String(one));
    expect(error).toContain(`through the proxy http://127.0.0.1:${through.port} (the proxy answered 407, 1 try)`);
    expect(error).not.toContain('hunter2');
    expect(wrong.slept).toEqual([]);
  });

  it('that is not there is said to be the way', async () => {
    const through = await proxy();
    const env = { HTTPS_PROXY: 'http://127.0.0.1:1' };
    const { api, signal } = client(`https://localhost:${through.port}/api`, env);
    await expect(readWorkPool(api, 'k', signal)).rejects.toThrow('through the proxy http://127.0.0.1:1 (ECONNREFUSED');
  });

  it('forwards requests with the credentials of its URL', async () => {
    const { listener, seen } = answering(() => ({ status: 200, body: POOL }));
    const port = await listen(createHttpServer(listener));
    const through = await proxy('user:p@ss');
    const env = { HTTP_PROXY: `http://user:p%40ss@127.0.0.1:${through.port}`, PREFECT_API_KEY: 'pnu_1' };
    const { api, signal } = client(`http://127.0.0.1:${port}/api`, env);
    expect((await readWorkPool(api, 'k', signal))?.name).toBe('k');
    expect(through.seen).toEqual([`GET http://127.0.0.1:${port}/api/work_pools/k`]);
    expect(seen[0]?.headers).not.toHaveProperty('proxy-authorization');
  });

  it('that refuses to forward is named as the one who refused, without the password', async () => {
    const { listener, seen } = answering(() => ({ status: 200, body: POOL }));
    const port = await listen(createHttpServer(listener));
    const through = await proxy('user:p@ss');
    const env = { HTTP_PROXY: `http://user:hunter2@127.0.0.1:${through.port}` };
    const { api, signal, slept } = client(`http://127.0.0.1:${port}/api`, env);
    const error = await readWorkPool(api, 'k', signal).catch((one: unknown) => String(one));
    expect(error).toContain(`through the proxy http://127.0.0.1:${through.port} (the proxy answered 407, 1 try)`);
    expect(error).not.toContain('hunter2');
    expect([seen, slept]).toEqual([[], []]);
  });
});

describe('a proxy that is spoken to over TLS', () => {
  const trust = { PREFECT_API_SSL_CERT_FILE: authority };

  it('is asked for a tunnel, with the credentials of its URL', async () => {
    const { url, port, seen } = await secureApi();
    const through = await proxy('user:p@ss', true);
    const env = { ...trust, HTTPS_PROXY: `https://user:p%40ss@localhost:${through.port}` };
    const { api, signal } = client(url, env);
    expect((await readWorkPool(api, 'k', signal))?.name).toBe('k');
    expect(through.seen).toEqual([`CONNECT localhost:${port}`]);
    expect(seen[0]?.headers).not.toHaveProperty('proxy-authorization');
  });

  it('forwards plain requests', async () => {
    const { listener } = answering(() => ({ status: 200, body: POOL }));
    const port = await listen(createHttpServer(listener));
    const through = await proxy('user:p@ss', true);
    const env = { ...trust, HTTP_PROXY: `https://user:p%40ss@localhost:${through.port}` };
    const { api, signal } = client(`http://127.0.0.1:${port}/api`, env);
    expect((await readWorkPool(api, 'k', signal))?.name).toBe('k');
    expect(through.seen).toEqual([`GET http://127.0.0.1:${port}/api/work_pools/k`]);
  });

  it.each([
    ['nobody vouches for', {}, 'localhost'],
    [
      'nobody vouches for, where only the API’s is not checked',
      { PREFECT_API_TLS_INSECURE_SKIP_VERIFY: '1' },
      'localhost',
    ],
    ['names another host', trust, STRANGER],
  ])('with a certificate that %s gets no credentials', async (_why, more, host) => {
    const { url } = await secureApi();
    const through = await proxy('user:p@ss', true, host === STRANGER ? STRANGER : undefined);
    const { api, signal, slept } = client(url, { ...more, HTTPS_PROXY: `https://user:p%40ss@${host}:${through.port}` });
    const error = await readWorkPool(api, 'k', signal).catch((one: unknown) => String(one));
    expect(error).toContain(`through the proxy https://${host}:${through.port} (`);
    expect(error).not.toContain('p@ss');
    expect([through.seen, slept]).toEqual([[], []]);
  });
});
