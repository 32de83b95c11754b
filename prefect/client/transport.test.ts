import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { SpelledNumber } from '../json.ts';
import { readSettings } from '../settings/index.ts';
import { openPrefectApi, type PrefectApi } from './api.ts';
import { createDeployment, updateDeployment } from './deployments.ts';
import { PrefectAnswerError, PrefectApiError, PrefectUnreachableError } from './errors.ts';
import { createFlow } from './flows.ts';
import { readWorkPool } from './work-pools.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
type Answer = { status: number; body?: string; headers?: Record<string, string> } | 'reset';

const POOL = JSON.stringify({ id: '1', name: 'k', type: 'kubernetes', base_job_template: {} });
const NO_CSRF: Answer = { status: 422, body: '{"detail":"CSRF protection is disabled."}' };

/** A server that answers what a test says, since no real one can be made to reset, throttle or lie at will. */
const open: { server?: Server; api?: PrefectApi } = {};
afterEach(async () => {
  await open.api?.close();
  open.server?.closeAllConnections();
  await new Promise((done) => open.server?.close(done) ?? done(undefined));
});

async function serve(answer: (request: Seen, index: number) => Answer, env: Record<string, string> = {}) {
  const seen: Seen[] = [];
  const slept: number[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
      const csrf = one.url.includes('/csrf-token');
      if (!csrf) seen.push(one);
      const said = csrf && env.CSRF === undefined ? NO_CSRF : answer(one, seen.length);
      if (said === 'reset') request.socket.resetAndDestroy();
      else
        response.writeHead(said.status, { 'content-type': 'application/json', ...said.headers }).end(said.body ?? '');
    });
  });
  open.server = server;
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`;
  const api = openPrefectApi(readSettings({ PREFECT_API_URL: url, ...env }), {
    clock: { now: () => 1_000_000, sleep: async (ms) => void slept.push(ms) },
    random: () => 0.5,
    log: { debug: () => undefined, warning: () => undefined },
    product: 'test',
  });
  open.api = api;
  return { api, seen, slept, signal: AbortSignal.timeout(10_000) };
}

describe('a request to the Prefect API', () => {
  it('names its client, its API version and its key', async () => {
    const { api, seen, signal } = await serve(() => ({ status: 200, body: POOL }), { PREFECT_API_KEY: 'pnu_1' });
    await readWorkPool(api, 'a/b c', signal);
    expect(seen[0]?.url).toBe('/api/work_pools/a%2Fb%20c');
    expect(seen[0]?.headers).toMatchObject({
      authorization: 'Bearer pnu_1',
      'x-prefect-api-version': '0.8.4',
      'user-agent': 'prefect/3.8.8 (API 0.8.4) test',
    });
  });

  it.each([408, 429, 502, 503])('is sent again after %i', async (status) => {
    const { api, seen, slept, signal } = await serve((_request, index) =>
      index < 3 ? { status } : { status: 200, body: POOL },
    );
    expect((await readWorkPool(api, 'k', signal))?.name).toBe('k');
    expect(seen).toHaveLength(3);
    expect(slept).toEqual([2000, 4000]);
  });

  it.each([400, 401, 403, 409, 500, 504])('is not sent again after %i', async (status) => {
    const { api, seen, signal } = await serve(() => ({ status, body: '{"detail":"no"}' }));
    await expect(readWorkPool(api, 'k', signal)).rejects.toMatchObject({ status, detail: 'no' });
    expect(seen).toHaveLength(1);
  });

  it('waits as long as Retry-After says', async () => {
    const { api, slept, signal } = await serve((_request, index) =>
      index === 1 ? { status: 429, headers: { 'retry-after': '7' } } : { status: 200, body: POOL },
    );
    await readWorkPool(api, 'k', signal);
    expect(slept[0]).toBeGreaterThanOrEqual(7000);
    expect(slept[0]).toBeLessThanOrEqual(8400);
  });

  it('is sent again with the same body when the connection breaks', async () => {
    const { api, seen, signal } = await serve((_request, index) =>
      index === 1 ? 'reset' : { status: 201, body: '{"id":"1","name":"f"}' },
    );
    await createFlow(api, 'f', signal);
    expect(seen.map((request) => request.body)).toEqual([seen[0]?.body, seen[0]?.body]);
  });

  it('gives up after the first try and five more', async () => {
    const { api, seen, signal } = await serve(() => ({ status: 503 }));
    await expect(readWorkPool(api, 'k', signal)).rejects.toBeInstanceOf(PrefectApiError);
    expect(seen).toHaveLength(6);
  });

  it('does not count tries while the server is in maintenance', async () => {
    const { api, seen, signal } = await serve((_request, index) =>
      index <= 9 ? { status: 503, headers: { 'prefect-maintenance': 'true' } } : { status: 200, body: POOL },
    );
    await readWorkPool(api, 'k', signal);
    expect(seen).toHaveLength(10);
  });

  it('fails at once when nothing listens and nothing ever answered', async () => {
    const { api, slept, signal } = await serve(() => ({ status: 200 }));
    open.server?.close();
    open.server?.closeAllConnections();
    await expect(readWorkPool(api, 'k', signal)).rejects.toMatchObject({
      name: PrefectUnreachableError.name,
      code: 'ECONNREFUSED',
    });
    expect(slept).toEqual([]);
  });

  it('ends with the signal’s reason when the job is cancelled', async () => {
    const { api } = await serve(() => ({ status: 200, body: POOL }));
    await expect(readWorkPool(api, 'k', AbortSignal.abort(new Error('cancelled')))).rejects.toThrow('cancelled');
  });

  it('says so when the answer is not a Prefect API’s', async () => {
    const { api, signal } = await serve(() => ({ status: 200, body: '<html>' }));
    await expect(readWorkPool(api, 'k', signal)).rejects.toBeInstanceOf(PrefectAnswerError);
  });

  it('tells which field the server refused, never what it was', async () => {
    const body = JSON.stringify({
      exception_message: 'Invalid request received.',
      exception_detail: [{ loc: ['body', 'tags'], msg: 'Input should be a valid list', input: 'hunter2' }],
      request_body: { password: 'hunter2' },
    });
    const { api, signal } = await serve(() => ({ status: 422, body }));
    const error = await updateDeployment(api, '1', { tags: 'x' }, signal).catch((one: unknown) => one as Error);
    expect(String(error)).toContain('tags: Input should be a valid list');
    expect(String(error)).not.toContain('hunter2');
  });

  it('keeps the spelling of numbers both ways', async () => {
    const record = '{"id":"1","name":"d","flow_id":"f","parameters":{"a":1.0,"b":12345678901234567890}}';
    const { api, seen, signal } = await serve(() => ({ status: 201, body: record }));
    const created = await createDeployment(
      api,
      { name: 'd', flow_id: 'f', parameters: { a: new SpelledNumber('1.0') } },
      signal,
    );
    expect(seen[0]?.body).toContain('"parameters":{"a":1.0}');
    expect(JSON.stringify(created.parameters)).toBe('{"a":1.0,"b":12345678901234567890}');
  });
});

describe('CSRF', () => {
  it('is not asked for again once the server has it off', async () => {
    const { api, signal } = await serve(() => ({ status: 201, body: '{"id":"1","name":"f"}' }));
    await createFlow(api, 'f', signal);
    await createFlow(api, 'f', signal);
    expect(api.requests).toBe(3);
  });

  it('sends the token, and fetches another when the server refuses it', async () => {
    let tokens = 0;
    const { api, seen, signal } = await serve(
      (request, index) => {
        if (request.url.includes('/csrf-token')) {
          tokens += 1;
          return {
            status: 200,
            body: JSON.stringify({ token: `t${tokens}`, expiration: new Date(5_000_000).toISOString() }),
          };
        }
        return index === 1
          ? { status: 403, body: '{"detail":"Invalid CSRF token or client identifier."}' }
          : { status: 201, body: '{"id":"1","name":"f"}' };
      },
      { CSRF: 'on' },
    );
    await createFlow(api, 'f', signal);
    expect(seen.map((request) => request.headers['prefect-csrf-token'])).toEqual(['t1', 't2']);
  });
});
