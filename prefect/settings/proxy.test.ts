import { describe, expect, it } from 'vitest';
import { proxyFor, proxySecrets } from './proxy.ts';

const API = 'https://prefect.example.com/api';

/** Each line as httpx 0.28 answers it (`httpx.AsyncClient()._transport_for_url`), asked with the same environment. */
describe('the proxy for an address', () => {
  it.each<[Record<string, string>, string, string | undefined]>([
    [{}, API, undefined],
    [{ HTTPS_PROXY: 'http://p:3128' }, API, 'http://p:3128/'],
    [{ HTTPS_PROXY: 'http://p:3128' }, 'http://prefect.example.com/api', undefined],
    [{ HTTP_PROXY: 'http://p:3128' }, 'http://prefect.example.com:4200/api', 'http://p:3128/'],
    [{ HTTP_PROXY: 'http://p:3128' }, API, undefined],
    [{ ALL_PROXY: 'http://p:3128' }, 'http://prefect.example.com/api', 'http://p:3128/'],
    [{ ALL_PROXY: 'http://a:1', HTTPS_PROXY: 'http://b:2' }, API, 'http://b:2/'],
    [{ https_proxy: 'http://low:1', HTTPS_PROXY: 'http://up:2' }, API, 'http://low:1/'],
    [{ https_proxy: '', HTTPS_PROXY: 'http://up:2' }, API, undefined],
    [{ HTTPS_PROXY: 'p:3128' }, API, 'http://p:3128/'],
  ])('%j, %s', (env, url, proxy) => {
    expect(proxyFor(new URL(url), env)).toBe(proxy);
  });

  it.each([
    ['*', API, 'direct'],
    ['a, *', API, 'direct'],
    ['example.com', API, 'direct'],
    ['example.com', 'https://example.com/api', 'direct'],
    ['example.com', 'https://badexample.com/api', 'proxy'],
    ['.example.com', API, 'direct'],
    ['.example.com', 'https://example.com/api', 'proxy'],
    ['*.example.com', API, 'proxy'],
    ['prefect.example.com:443', API, 'proxy'],
    ['prefect.example.com:4200', 'https://prefect.example.com:4200/api', 'direct'],
    ['prefect.example.com:4200', API, 'proxy'],
    ['PREFECT.example.com', API, 'direct'],
    ['localhost', 'https://localhost:4200/api', 'direct'],
    ['localhost', 'https://a.localhost/api', 'proxy'],
    ['10.0.0.5', 'https://10.0.0.5/api', 'direct'],
    ['10.0.0.0/8', 'https://10.0.0.5/api', 'proxy'],
    ['10.0.0.0/8', 'https://10.0.0.0/api', 'direct'],
    ['10.0.0.5:4200', 'https://10.0.0.5:4200/api', 'direct'],
    ['::1', 'https://[::1]:4200/api', 'direct'],
    ['https://prefect.example.com', API, 'direct'],
    ['http://prefect.example.com', API, 'proxy'],
    ['https://prefect.example.com:8443', API, 'proxy'],
    ['https://', API, 'direct'],
    ['all://*example.com', 'https://x.example.com/api', 'direct'],
    ['svc.cluster.local , other', 'https://prefect.svc.cluster.local/api', 'direct'],
    ['.svc,.cluster.local', 'https://prefect.svc/api', 'direct'],
    ['', API, 'proxy'],
    ['cluster.local.', 'https://prefect.cluster.local/api', 'proxy'],
  ])('NO_PROXY=%s for %s: %s', (noProxy, url, way) => {
    const proxy = proxyFor(new URL(url), { HTTPS_PROXY: 'http://p:3128', NO_PROXY: noProxy });
    expect(proxy === undefined ? 'direct' : 'proxy').toBe(way);
  });

  it('reads no_proxy before NO_PROXY', () => {
    const env = { HTTPS_PROXY: 'http://p:3128', NO_PROXY: 'example.com', no_proxy: 'other' };
    expect(proxyFor(new URL(API), env)).toBe('http://p:3128/');
  });

  it.each(['[::1]', '2001:db8::/32'])('is not upset by NO_PROXY=%s, which httpx cannot read', (noProxy) => {
    const env = { HTTPS_PROXY: 'http://p:3128', NO_PROXY: noProxy };
    expect(proxyFor(new URL(API), env)).toBe('http://p:3128/');
  });

  it('has its password among what must not be shown', () => {
    expect(proxySecrets('http://user:p%40ss@p:3128/')).toEqual(['p%40ss', 'p@ss', 'dXNlcjpwQHNz']);
    expect(proxySecrets('http://p:3128/')).toEqual([]);
  });
});
