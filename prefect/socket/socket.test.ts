import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { listen } from '../client/testing/api-server.ts';
import { AUTHORITY, CERTIFICATE, PRIVATE_KEY } from '../client/testing/certificate.ts';
import { proxy } from '../client/testing/proxy.ts';
import { readSettings } from '../settings/index.ts';
import { openPrefectSocket } from './socket.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-socket-'));
afterAll(() => rmSync(folder, { recursive: true }));
const authority = join(folder, 'authority.pem');
writeFileSync(authority, AUTHORITY);
const identity = { cert: CERTIFICATE, key: PRIVATE_KEY };

type Talk = (socket: WebSocket, first: string) => void;
const WELCOME: Talk = (socket) => socket.send('{"type":"auth_success"}');

/** A server of sockets that does what no real one can be brought to do. @param talk is given the first message. */
async function socketServer(talk: Talk, server: Server = createServer()) {
  const upgrades: IncomingMessage[] = [];
  const first: string[] = [];
  const sockets = new WebSocketServer({ noServer: true });
  const open: Socket[] = [];
  server.on('upgrade', (request, socket: Socket, head) => {
    upgrades.push(request);
    open.push(socket);
    sockets.handleUpgrade(request, socket, head, (accepted) => {
      accepted.once('message', (data) => {
        first.push(String(data));
        talk(accepted, String(data));
      });
    });
  });
  return { port: await listen(server), upgrades, first, open };
}

/** A server that answers every upgrade so. */
async function refusing(answer: string) {
  const server = createServer();
  const paths: (string | undefined)[] = [];
  server.on('upgrade', ({ url }, socket) => {
    paths.push(url);
    socket.end(`HTTP/1.1 ${answer}\r\nconnection: close\r\n\r\n`);
  });
  return { port: await listen(server), paths };
}

const options = { path: '/events/out', product: 'test/1' };
const open = (apiUrl: string, env: Record<string, string> = {}, signal = AbortSignal.timeout(10_000)) =>
  openPrefectSocket({ ...options, settings: readSettings({ PREFECT_API_URL: apiUrl, ...env }), signal });
const local = (port: number) => `http://127.0.0.1:${port}/api`;

describe('opening a socket', () => {
  it('asks for Prefect’s subprotocol with our User-Agent and the custom headers, and for no Authorization', async () => {
    const { port, upgrades } = await socketServer(WELCOME);
    const headers = JSON.stringify({ 'X-Tenant': 'a', 'Sec-WebSocket-Protocol': 'other', Host: 'elsewhere' });
    await (await open(local(port), { PREFECT_API_KEY: 'pnu_x', PREFECT_CLIENT_CUSTOM_HEADERS: headers })).close();
    expect(upgrades[0]?.url).toBe('/api/events/out');
    expect(upgrades[0]?.headers).toMatchObject({
      'sec-websocket-protocol': 'prefect',
      'user-agent': expect.stringMatching(/^prefect\/\d+\.\d+\.\d+ \(API [\d.]+\) test\/1$/),
      'x-tenant': 'a',
      host: `127.0.0.1:${port}`,
    });
    expect(upgrades[0]?.headers.authorization).toBeUndefined();
  });

  it.each([
    ['nothing', {}, null],
    ['the key', { PREFECT_API_KEY: 'pnu_x' }, 'pnu_x'],
    ['the auth string, which wins', { PREFECT_API_KEY: 'pnu_x', PREFECT_API_AUTH_STRING: 'admin:pass' }, 'admin:pass'],
  ])('says as its first message who we are: %s', async (_what, env, token) => {
    const { port, first } = await socketServer(WELCOME);
    await (await open(local(port), env)).close();
    expect(JSON.parse(first[0] ?? '')).toEqual({ type: 'auth', token });
  });

  it.each([401, 403, 404, 405, 500, 503])('tells the status of a refused upgrade: %d', async (status) => {
    const { port } = await refusing(`${status} No`);
    await expect(open(local(port))).rejects.toMatchObject({ end: { kind: 'refused', status } });
  });

  it('follows a redirect on the same host, and no other', async () => {
    const { port: target } = await socketServer(WELCOME);
    const { port } = await refusing(`307 Moved\r\nlocation: http://127.0.0.1:${target}/api/events/out`);
    await expect(open(local(port))).rejects.toMatchObject({ end: { kind: 'refused', status: 307 } });
    const { port: round, paths } = await refusing('307 Moved\r\nlocation: /api/events/out/');
    await expect(open(local(round))).rejects.toMatchObject({ end: { kind: 'refused', status: 307 } });
    expect(paths).toEqual(['/api/events/out', ...Array(5).fill('/api/events/out/')]);
  });

  it('tells that nobody listens', async () => {
    await expect(open('http://127.0.0.1:1/api')).rejects.toMatchObject({ end: { kind: 'lost', code: 'ECONNREFUSED' } });
  });

  it('tells a denial by message, with the server’s reason and without the secret it repeats', async () => {
    const { port } = await socketServer((socket) => socket.send('{"type":"auth_failure","reason":"no pnu_x here"}'));
    const denied = open(local(port), { PREFECT_API_KEY: 'pnu_x' });
    await expect(denied).rejects.toMatchObject({ end: { kind: 'denied', reason: 'no *** here' } });
  });

  it('tells a denial by closing, with code and reason', async () => {
    const { port } = await socketServer((socket, text) => socket.close(1008, `bad token ${JSON.parse(text).token}`));
    const denied = open(local(port), { PREFECT_API_KEY: 'pnu_x' });
    await expect(denied).rejects.toMatchObject({ end: { kind: 'closed', code: 1008, reason: 'bad token ***' } });
  });

  it.each([
    ['the upgrade', () => createServer().on('upgrade', () => undefined)],
    ['the credentials', undefined],
  ])('gives up when %s is never answered', async (_what, mute) => {
    const server = mute?.();
    const port = server === undefined ? (await socketServer(() => undefined)).port : await listen(server);
    const late = open(local(port), { PREFECT_API_REQUEST_TIMEOUT: '0.2' });
    await expect(late).rejects.toMatchObject({ end: { kind: 'lost', code: 'TIMEOUT' } });
  });

  it('ends at once with the signal’s reason', async () => {
    const { port } = await socketServer(() => undefined);
    const stop = new AbortController();
    const opening = open(local(port), {}, stop.signal);
    setTimeout(() => stop.abort(new Error('stopped')), 50);
    await expect(opening).rejects.toThrow('stopped');
    await expect(open(local(port), {}, stop.signal)).rejects.toThrow('stopped');
  });
});

describe('the way of a socket', () => {
  const secure = (talk: Talk) => socketServer(talk, createTlsServer(identity));
  const at = (port: number) => `https://localhost:${port}/api`;

  it('trusts the certificates it is told to, or every one', async () => {
    const { port } = await secure(WELCOME);
    const lost = { end: { kind: 'lost', code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' } };
    await expect(open(at(port))).rejects.toMatchObject(lost);
    await (await open(at(port), { PREFECT_API_SSL_CERT_FILE: authority })).close();
    await (await open(at(port), { PREFECT_API_TLS_INSECURE_SKIP_VERIFY: 'true' })).close();
  });

  it('goes through the proxy with its credentials, to a secure API and to a plain one', async () => {
    const tls = await secure(WELCOME);
    const plain = await socketServer(WELCOME);
    const { port, seen } = await proxy('user:p@ss');
    const all = `http://user:p%40ss@127.0.0.1:${port}`;
    await (await open(at(tls.port), { HTTPS_PROXY: all, SSL_CERT_FILE: authority })).close();
    await (await open(local(plain.port), { HTTP_PROXY: all })).close();
    expect(seen).toEqual([`CONNECT localhost:${tls.port}`, `CONNECT 127.0.0.1:${plain.port}`]);
  });

  it('goes through a proxy that is spoken to over TLS itself', async () => {
    const { port } = await secure(WELCOME);
    const { port: through, seen } = await proxy(undefined, true);
    await (await open(at(port), { HTTPS_PROXY: `https://localhost:${through}`, SSL_CERT_FILE: authority })).close();
    expect(seen).toHaveLength(1);
  });

  it('tells what a proxy answered that does not let it through, without the proxy’s password', async () => {
    const { port } = await socketServer(WELCOME);
    const { port: through } = await proxy('user:right');
    const refused = open(local(port), { HTTP_PROXY: `http://user:wrong-secret@127.0.0.1:${through}` });
    await expect(refused).rejects.toMatchObject({ end: { kind: 'refused', status: 407 } });
    await expect(refused).rejects.not.toThrow('wrong-secret');
  });
});

describe('an open socket', () => {
  it('gives every message in order, then how it ended, again and again', async () => {
    const { port } = await socketServer((socket, first) => {
      WELCOME(socket, first);
      for (let index = 0; index < 1000; index += 1) socket.send(String(index));
      socket.close(1011, 'transient_server_error');
    });
    const socket = await open(local(port));
    const end = { end: { kind: 'closed', code: 1011, reason: 'transient_server_error' } };
    for (let index = 0; index < 1000; index += 1) expect(await socket.receive()).toBe(String(index));
    await expect(socket.receive()).rejects.toMatchObject(end);
    await expect(socket.receive()).rejects.toMatchObject(end);
    await expect(socket.send('late')).rejects.toMatchObject(end);
  });

  it('holds the server back while nobody reads', async () => {
    const written: number[] = [];
    const big = 'x'.repeat(100_000);
    const { port } = await socketServer((socket, first) => {
      WELCOME(socket, first);
      for (let index = 0; index < 1000; index += 1) socket.send(big, () => written.push(index));
    });
    const socket = await open(local(port));
    await new Promise((done) => setTimeout(done, 300));
    const early = written.length;
    expect(early).toBeLessThan(900);
    for (let index = 0; index < 1000; index += 1) expect((await socket.receive()).length).toBe(big.length);
    expect(written).toHaveLength(1000);
    await socket.close();
  });

  it('gives up one wait without losing what comes later', async () => {
    const { port } = await socketServer((socket, first) => {
      WELCOME(socket, first);
      setTimeout(() => socket.send('late'), 100);
    });
    const socket = await open(local(port));
    await expect(socket.receive(AbortSignal.timeout(20))).rejects.toThrow();
    expect(await socket.receive()).toBe('late');
    await socket.close();
  });

  it('tells a connection that breaks', async () => {
    const { port, open: connections } = await socketServer(WELCOME);
    const socket = await open(local(port));
    const waiting = socket.receive();
    connections[0]?.destroy();
    await expect(waiting).rejects.toMatchObject({ end: { kind: 'lost' } });
  });

  it('tells a connection that has died without a word, and none that is only silent', async () => {
    const { port, open: connections } = await socketServer(WELCOME);
    const settings = readSettings({ PREFECT_API_URL: local(port) });
    const socket = await openPrefectSocket({ ...options, settings, signal: AbortSignal.timeout(10_000), pingMs: 50 });
    await expect(socket.receive(AbortSignal.timeout(300))).rejects.toMatchObject({ name: 'TimeoutError' });
    connections[0]?.pause();
    await expect(socket.receive()).rejects.toMatchObject({ end: { kind: 'lost', code: 'PING_TIMEOUT' } });
  });

  it('ends with its signal', async () => {
    const { port } = await socketServer(WELCOME);
    const stop = new AbortController();
    const socket = await open(local(port), {}, stop.signal);
    stop.abort(new Error('stopped'));
    await expect(socket.receive()).rejects.toMatchObject({ end: { kind: 'closed', code: 1000 } });
  });

  it('takes no message longer than sixteen megabytes', async () => {
    const { port } = await socketServer((socket, first) => {
      WELCOME(socket, first);
      socket.send('x'.repeat(17 * 1024 * 1024));
    });
    const socket = await open(local(port));
    const code = 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
    await expect(socket.receive()).rejects.toMatchObject({ end: { kind: 'lost', code } });
  });
});
