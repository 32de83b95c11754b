import { describe, expect, it } from 'vitest';
import { createFlow } from './flows.ts';
import { type Answer, FLOW, serve } from './testing/api-server.ts';
import { readWorkPool } from './work-pools.ts';

const created: Answer = { status: 201, body: FLOW };
const token = (name: string, expiresAt = 5_000_000): Answer => ({
  status: 200,
  body: JSON.stringify({ token: name, client: 'c', expiration: new Date(expiresAt).toISOString() }),
});

describe('CSRF', () => {
  it.each([
    ['says that it has it off', { status: 422, body: '{"detail":"CSRF protection is disabled."}' }],
    ['does not know of it', { status: 404, body: '{"detail":"Not Found"}' }],
  ])('is not asked for again once the server %s', async (_name, answer) => {
    const { api, seen, signal } = await serve(
      () => created,
      {},
      () => answer,
    );
    await createFlow(api, 'f', signal);
    await createFlow(api, 'f', signal);
    expect(api.requests).toBe(3);
    expect(seen[1]?.headers).not.toHaveProperty('prefect-csrf-token');
  });

  it('sends the token with every write and no read', async () => {
    const { api, seen, signal } = await serve(
      (request) => (request.method === 'GET' ? { status: 404 } : created),
      {},
      () => token('t1'),
    );
    await readWorkPool(api, 'k', signal);
    await createFlow(api, 'f', signal);
    await createFlow(api, 'f', signal);
    expect(seen.map((request) => request.headers['prefect-csrf-token'])).toEqual([undefined, 't1', 't1']);
    expect(seen[1]?.headers['prefect-csrf-client']).toMatch(/^[0-9a-f-]{36}$/);
    expect(api.requests).toBe(4);
  });

  it('fetches another token when the server refuses it, and sends the same write at once', async () => {
    let tokens = 0;
    const { api, seen, slept, signal } = await serve(
      (_request, index) =>
        index === 1 ? { status: 403, body: '{"detail":"Invalid CSRF token or client identifier."}' } : created,
      { PREFECT_CLIENT_MAX_RETRIES: '0' },
      () => token(`t${++tokens}`),
    );
    await createFlow(api, 'f', signal);
    expect(seen.map((request) => request.headers['prefect-csrf-token'])).toEqual(['t1', 't2']);
    expect(seen[1]?.body).toBe(seen[0]?.body);
    expect(slept).toEqual([0]);
  });

  it('fetches another token half a minute before the old one expires', async () => {
    let tokens = 0;
    const { api, seen, clock, signal } = await serve(
      () => created,
      {},
      () => token(`t${++tokens}`),
    );
    await createFlow(api, 'f', signal);
    clock.time = 5_000_000 - 29_000;
    await createFlow(api, 'f', signal);
    expect(seen.map((request) => request.headers['prefect-csrf-token'])).toEqual(['t1', 't2']);
  });

  it('fetches one token for writes that begin together', async () => {
    const { api, signal } = await serve(
      () => created,
      {},
      () => token('t'),
    );
    await Promise.all([createFlow(api, 'a', signal), createFlow(api, 'b', signal), createFlow(api, 'c', signal)]);
    expect(api.requests).toBe(4);
  });

  it('does not write without a token while the server cannot give one', async () => {
    let asked = 0;
    const { api, seen, slept, signal } = await serve(
      () => created,
      {},
      () => (++asked === 1 ? { status: 503 } : token('t')),
    );
    await createFlow(api, 'f', signal);
    expect(seen.map((request) => request.headers['prefect-csrf-token'])).toEqual(['t']);
    expect(slept).toEqual([2000]);
  });

  it.each([
    [
      'a token that is missing, which another would not mend',
      { status: 403, body: '{"detail":"Missing CSRF token."}' },
    ],
    ['a right that is missing', { status: 403, body: '{"detail":"Forbidden"}' }],
  ])('does not try again for %s', async (_name, answer) => {
    const { api, seen, signal } = await serve(
      () => answer,
      {},
      () => token('t'),
    );
    await expect(createFlow(api, 'f', signal)).rejects.toMatchObject({ status: 403 });
    expect(seen).toHaveLength(1);
  });

  it('is left alone when switched off, and with Prefect Cloud', async () => {
    const off = await serve(() => created, { PREFECT_CLIENT_CSRF_SUPPORT_ENABLED: 'false' });
    await createFlow(off.api, 'f', off.signal);
    expect(off.api.requests).toBe(1);
    const cloud = await serve(() => created, { PREFECT_CLOUD_API_URL: 'http://127.0.0.1' });
    await createFlow(cloud.api, 'f', cloud.signal);
    expect(cloud.api.requests).toBe(1);
  });

  it('says so when the answer is no token', async () => {
    const { api, signal } = await serve(
      () => created,
      {},
      () => ({ status: 200, body: '<html>' }),
    );
    await expect(createFlow(api, 'f', signal)).rejects.toThrow('read a CSRF token');
  });
});
