import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readProxies } from './proxies.ts';

const PROXY = 'http://proxy.acme.example:3128';
const NEVER = 'localhost,127.0.0.1,::1,169.254.169.254,169.254.170.2,169.254.170.23,metadata.google.internal';

describe('readProxies', () => {
  it.each<[string, Record<string, string>, object | undefined]>([
    ['none', {}, undefined],
    ['an empty one', { HTTPS_PROXY: '' }, undefined],
    ['one for HTTPS', { HTTPS_PROXY: PROXY }, { HTTPS_PROXY: PROXY, NO_PROXY: NEVER }],
    [
      'small letters before capitals',
      { https_proxy: PROXY, HTTPS_PROXY: 'http://other' },
      { HTTPS_PROXY: PROXY, NO_PROXY: NEVER },
    ],
    ['one without scheme', { HTTP_PROXY: 'proxy.acme.example:3128' }, { HTTP_PROXY: PROXY, NO_PROXY: NEVER }],
    ['a SOCKS proxy as none', { HTTPS_PROXY: 'socks5://proxy:1080' }, undefined],
    [
      'hosts without proxy',
      { HTTPS_PROXY: PROXY, NO_PROXY: '.acme.example' },
      { HTTPS_PROXY: PROXY, NO_PROXY: `.acme.example,${NEVER}` },
    ],
  ])('reads %s', (_what, env, expected) => {
    expect(readProxies(env)).toEqual(expected);
  });
});

describe('useProxies', () => {
  it('sends fetch and the agents of AWS’s clients through the proxy, and nothing to this machine', async () => {
    const seen: string[] = [];
    const proxy = createServer((request, response) => {
      seen.push(`direct ${request.url}`);
      response.end();
    });
    proxy.on('connect', (request, socket) => {
      seen.push(`connect ${request.url}`);
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const script = `
      import { useProxies } from ${JSON.stringify(resolve(import.meta.dirname, 'proxies.ts'))};
      import { clientSettings } from ${JSON.stringify(resolve(import.meta.dirname, 'registry/aws.ts'))};
      import https from 'node:https';
      useProxies({ HTTPS_PROXY: ${JSON.stringify(url)}, HTTP_PROXY: ${JSON.stringify(url)} });
      await fetch(${JSON.stringify(`${url}/here`)});
      await fetch('https://registry.example/').catch(() => undefined);
      const { httpsAgent: agent } = clientSettings({ region: 'us-east-1', fips: false }).requestHandler;
      await new Promise((done) => https.get('https://ecr.example/', { agent }).on('error', done));`;
    try {
      await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { timeout: 15_000 });
    } finally {
      proxy.closeAllConnections();
      await new Promise((closed) => proxy.close(closed));
    }
    expect(seen).toEqual(['direct /here', 'connect registry.example:443', 'connect ecr.example:443']);
  });
});
