import { describe, expect, it } from 'vitest';
import { SpelledNumber } from '../json.ts';
import { createDeployment, updateDeployment } from './deployments.ts';
import { PrefectAnswerError, PrefectApiError, PrefectUnreachableError } from './errors.ts';
import { createFlow } from './flows.ts';
import { FLOW, POOL, serve } from './testing/api-server.ts';
import { readWorkPool } from './work-pools.ts';

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
      index === 1 ? 'reset' : { status: 201, body: FLOW },
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
    const maintenance = { status: 503, headers: { 'prefect-maintenance': 'true', 'retry-after': '0' } };
    const { api, seen, slept, signal } = await serve((_request, index) => {
      if (index <= 9) return maintenance;
      return index === 10 ? { status: 503 } : { status: 200, body: POOL };
    });
    await readWorkPool(api, 'k', signal);
    expect(seen).toHaveLength(11);
    expect(slept.slice(0, 9)).toEqual(Array(9).fill(1000));
  });

  it('tries four times in a second and a half where nothing listens, and then says so', async () => {
    const { api, slept, signal, server } = await serve(() => ({ status: 200 }));
    await new Promise((done) => server.close(done));
    const error = await readWorkPool(api, 'k', signal).catch((one: unknown) => one);
    expect(error).toMatchObject({ name: PrefectUnreachableError.name, code: 'ECONNREFUSED' });
    expect(slept).toEqual([0, 500, 1000]);
  });

  it('waits for a server that goes away after it was there', async () => {
    const { api, slept, signal, server } = await serve(() => ({ status: 200, body: POOL }));
    await readWorkPool(api, 'k', signal);
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    await expect(readWorkPool(api, 'k', signal)).rejects.toMatchObject({ code: 'ECONNREFUSED', attempts: 6 });
    expect(slept).toEqual([2000, 4000, 8000, 16_000, 32_000]);
  });

  it('is given up and made again when no answer comes in time', async () => {
    const { api, seen, signal } = await serve(
      (_request, index) => (index === 1 ? 'silence' : { status: 200, body: POOL }),
      { PREFECT_API_REQUEST_TIMEOUT: '0.2' },
    );
    expect((await readWorkPool(api, 'k', signal))?.name).toBe('k');
    expect(seen).toHaveLength(2);
  });

  it('ends at its deadline when the server never answers, also when it never did before', async () => {
    const { api, signal } = await serve(() => 'silence', {
      PREFECT_API_REQUEST_TIMEOUT: '0.05',
      PREFECT_CLIENT_MAX_RETRIES: '2',
    });
    await expect(readWorkPool(api, 'k', signal)).rejects.toMatchObject({ code: 'TIMEOUT', attempts: 3 });
  });

  it.each([
    ['no retries', { PREFECT_CLIENT_MAX_RETRIES: '0' }, 503, 1],
    ['as many retries as wanted', { PREFECT_CLIENT_MAX_RETRIES: '2' }, 503, 3],
    ['a code added to those that are retried', { PREFECT_CLIENT_RETRY_EXTRA_CODES: '404, 500' }, 500, 6],
  ])('obeys the settings: %s', async (_name, env, status, tries) => {
    const { api, seen, signal } = await serve(() => ({ status }), env);
    await expect(readWorkPool(api, 'k', signal)).rejects.toMatchObject({ status });
    expect(seen).toHaveLength(tries);
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

describe('the credentials of a request', () => {
  it.each([
    ['the key', { PREFECT_API_KEY: 'pnu_1' }, 'Bearer pnu_1'],
    ['the auth string, which wins', { PREFECT_API_KEY: 'k', PREFECT_API_AUTH_STRING: 'ä:ö' }, 'Basic w6Q6w7Y='],
    [
      'a header of one’s own, which wins over both',
      { PREFECT_API_AUTH_STRING: 'a:b', PREFECT_CLIENT_CUSTOM_HEADERS: '{"authorization":"Token t"}' },
      'Token t',
    ],
    ['none', { PREFECT_API_KEY: '', PREFECT_API_AUTH_STRING: '' }, undefined],
  ])('are %s', async (_name, env, authorization) => {
    const { api, seen, signal } = await serve(() => ({ status: 200, body: POOL }), env);
    await readWorkPool(api, 'k', signal);
    expect(seen[0]?.headers.authorization).toBe(authorization);
  });

  it('are joined by headers of one’s own, save those the client owns', async () => {
    const headers = '{"X-Team":"data","user-agent":"me","Prefect-Csrf-Client":"c"}';
    const { api, seen, signal } = await serve(() => ({ status: 200, body: POOL }), {
      PREFECT_CLIENT_CUSTOM_HEADERS: headers,
    });
    await readWorkPool(api, 'k', signal);
    expect(seen[0]?.headers).toMatchObject({ 'x-team': 'data', 'user-agent': 'prefect/3.8.8 (API 0.8.4) test' });
    expect(seen[0]?.headers).not.toHaveProperty('prefect-csrf-client');
    expect(api.settings.warnings).toHaveLength(2);
  });

  const env = {
    PREFECT_API_KEY: 'pnu_hunter2',
    PREFECT_CLIENT_CUSTOM_HEADERS: '{"CF-Access-Client-Secret":"cf-hunter3"}',
  };
  it.each([
    ['as detail', (echo: string) => JSON.stringify({ detail: echo })],
    ['as message', (echo: string) => JSON.stringify({ exception_message: echo })],
    ['as a page of text', (echo: string) => echo],
    ['in a validation message', (echo: string) => JSON.stringify({ exception_detail: [{ loc: [], msg: echo }] })],
  ])('stay hidden when the server echoes the request %s', async (_name, bodyOf) => {
    const { api, logged, signal } = await serve(
      (request, index) => ({ status: index === 1 ? 503 : 400, body: bodyOf(JSON.stringify(request.headers)) }),
      env,
    );
    const error = await readWorkPool(api, 'k', signal).catch((one: unknown) => one as Error);
    expect(error).toBeInstanceOf(PrefectApiError);
    expect(JSON.stringify([String(error), error, logged])).not.toMatch(/hunter/);
  });
});

describe('an error’s words', () => {
  it.each([
    ['{"detail":"Deployment not found"}', 'Deployment not found'],
    ['{"exception_message":"Unauthorized"}', 'Unauthorized'],
    [
      '{"exception_message":"Invalid request received.","exception_detail":[{"loc":["body","name"],"msg":"Field required"},{"loc":["query","n"],"msg":"bad"}],"request_body":{"password":"hunter2"}}',
      'name: Field required; query.n: bad',
    ],
    ['{"detail":[{"loc":["body"],"msg":"Field required"}]}', 'Field required'],
    ['{"exception_message":"Internal Server Error"}', 'Internal Server Error'],
    ['{}', ''],
    ['', ''],
    ['<html>', 'an HTML page instead of JSON: is this the API URL?'],
    ['upstream connect error', 'upstream connect error'],
    [JSON.stringify({ detail: 'x'.repeat(5000) }), `${'x'.repeat(2000)}…`],
  ])('of %s', async (body, detail) => {
    const { api, signal } = await serve(() => ({ status: 400, body }));
    await expect(readWorkPool(api, 'k', signal)).rejects.toMatchObject({ detail });
  });
});

describe('a redirect', () => {
  it.each([
    [302, 'a read', 2],
    [307, 'a write', 2],
    [308, 'a write', 2],
  ])('%i of %s on the same host is followed with the same request', async (status, what, requests) => {
    const { api, seen, signal } = await serve((request) =>
      request.url.endsWith('/moved')
        ? { status: 200, body: what === 'a read' ? POOL : FLOW }
        : { status, headers: { location: '/api/moved' } },
    );
    await (what === 'a read' ? readWorkPool(api, 'k', signal) : createFlow(api, 'f', signal));
    expect(seen).toHaveLength(requests);
    expect(seen[1]).toMatchObject({ method: seen[0]?.method, body: seen[0]?.body });
  });

  it('of a write that would become a read is refused', async () => {
    const { api, seen, signal } = await serve(() => ({ status: 301, headers: { location: '/api/moved?ticket=1' } }));
    const error = await createFlow(api, 'f', signal).catch((one: unknown) => String(one));
    expect(error).toMatch(/301: redirected to http:.*\/api\/moved, which is not followed$/);
    expect(seen).toHaveLength(1);
  });

  it('to another host is refused before anything is sent there', async () => {
    const other = await serve(() => ({ status: 200, body: POOL }));
    const location = `http://localhost:${other.port}/api/work_pools/k`;
    const { api, signal } = await serve(() => ({ status: 307, headers: { location } }));
    await expect(readWorkPool(api, 'k', signal)).rejects.toMatchObject({ status: 307 });
    expect(other.seen).toEqual([]);
  });

  it('without end is given up', async () => {
    const { api, signal } = await serve(() => ({ status: 307, headers: { location: '/api/again' } }));
    await expect(readWorkPool(api, 'k', signal)).rejects.toMatchObject({ detail: 'redirected without end' });
  });
});
