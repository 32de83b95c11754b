import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { CERTIFICATE, PRIVATE_KEY } from '../../../prefect/client/testing/certificate.ts';
import { connectTo, type Reply, type Seen, serve, status, type TestServer } from '../testing/server.ts';
import { createObject, deleteJob, listPage, readObject } from './api.ts';
import { type KubernetesConnection, openConnection } from './connection.ts';

let server: TestServer;
let kubernetes: KubernetesConnection;
const signal = new AbortController().signal;

async function answering(answer: (request: Seen, index: number) => Reply, deadlineMs?: number): Promise<void> {
  server = await serve(answer);
  kubernetes = connectTo(server, deadlineMs);
}
afterEach(async () => {
  await kubernetes.close();
  await server.close();
});

describe('a call', () => {
  it('carries credentials and the body as it is', async () => {
    await answering(() => ({ status: 201, json: { metadata: { name: 'j' } } }));
    const body = '{"spec":{"x":1.0,"big":12345678901234567890}}';
    expect(await createObject(kubernetes, 'jobs', 'my ns', body, signal)).toEqual({ metadata: { name: 'j' } });
    expect(server.seen[0]).toMatchObject({
      method: 'POST',
      path: '/apis/batch/v1/namespaces/my%20ns/jobs',
      body,
      headers: { authorization: 'Bearer token', 'content-type': 'application/json', 'user-agent': 'test' },
    });
  });

  it('does not open a connection of its own', async () => {
    const sockets = new Set<unknown>();
    await answering(() => (response) => {
      sockets.add(response.socket?.remotePort);
      response.writeHead(200).end('{}');
    });
    for (let index = 0; index < 20; index += 1) await kubernetes.call({ method: 'GET', path: '/version', signal });
    expect(sockets.size).toBeLessThanOrEqual(2);
    expect(kubernetes.requests).toBe(20);
  });

  it('that is refused says why', async () => {
    await answering(() => status(422, 'Invalid', 'spec.template: Required value'));
    await expect(createObject(kubernetes, 'jobs', 'default', '{}', signal)).rejects.toMatchObject({
      name: 'KubernetesApiError',
      status: 422,
      reason: 'Invalid',
      detail: 'spec.template: Required value',
    });
  });

  it('that is cut off may have arrived', async () => {
    await answering(() => (response) => response.socket?.destroy());
    await expect(createObject(kubernetes, 'jobs', 'default', '{}', signal)).rejects.toMatchObject({
      name: 'KubernetesUnreachableError',
      mayHaveArrived: true,
    });
  });

  it('that nobody answers ends at its deadline', async () => {
    await answering(() => () => undefined, 50);
    await expect(createObject(kubernetes, 'jobs', 'default', '{}', signal)).rejects.toMatchObject({
      name: 'KubernetesUnreachableError',
      code: 'no answer in time',
      mayHaveArrived: true,
    });
  });

  it('that nobody listens to did not arrive', async () => {
    await answering(() => ({ status: 200 }));
    const { url } = server;
    const access = { server: url, namespace: 'default', credentials: async () => ({ headers: {}, tls: {} }) };
    await server.close();
    const closed = openConnection(access, { clock: Date, userAgent: 'test' });
    await expect(createObject(closed, 'jobs', 'default', '{}', signal)).rejects.toMatchObject({
      code: 'ECONNREFUSED',
      mayHaveArrived: false,
    });
    await closed.close();
  });

  it('that is aborted rejects with the reason', async () => {
    await answering(() => () => undefined);
    const abort = new AbortController();
    const call = createObject(kubernetes, 'jobs', 'default', '{}', abort.signal);
    const reason = new Error('enough');
    setTimeout(() => abort.abort(reason), 20);
    await expect(call).rejects.toBe(reason);
  });

  it('reads the credentials again after a 401', async () => {
    let given = 0;
    server = await serve((request) =>
      request.headers.authorization === 'Bearer 1' ? { status: 401 } : { status: 200 },
    );
    const access = {
      server: server.url,
      namespace: 'default',
      credentials: async () => {
        given += 1;
        return { headers: { authorization: `Bearer ${given}` }, tls: {} };
      },
    };
    kubernetes = openConnection(access, { clock: Date, userAgent: 'test' });
    const call = () => kubernetes.call({ method: 'GET', path: '/x', signal });
    await expect(call()).rejects.toMatchObject({ status: 401 });
    await call();
    await call();
    expect(given).toBe(2);
  });
});

describe('objects', () => {
  it('that are missing are undefined', async () => {
    await answering(() => status(404, 'NotFound', 'jobs "x" not found'));
    expect(await readObject(kubernetes, 'jobs', 'default', 'x', signal)).toBeUndefined();
  });

  it('come in pages', async () => {
    await answering(({ query }) => ({
      status: 200,
      json: {
        metadata: { resourceVersion: '7', ...(query.get('continue') === null ? { continue: 'next' } : {}) },
        items: [{ page: query.get('continue') ?? 'first' }],
      },
    }));
    const first = await listPage(kubernetes, 'pods', undefined, { labelSelector: 'a', limit: 1 }, signal);
    expect(first).toEqual({ items: [{ page: 'first' }], resourceVersion: '7', next: 'next' });
    const query = { labelSelector: 'a', limit: 1, continueAt: first.next };
    expect(await listPage(kubernetes, 'pods', 'ns', query, signal)).toMatchObject({ next: undefined });
    expect(server.seen.map((one) => one.path)).toEqual(['/api/v1/pods', '/api/v1/namespaces/ns/pods']);
    expect(server.seen[1]?.query.get('labelSelector')).toBe('a');
  });

  it.each([
    [404, 'NotFound'],
    [409, 'Conflict'],
  ])('a deletion answered %i has nothing left to do', async (code, reason) => {
    await answering(() => status(code, reason, ''));
    await expect(deleteJob(kubernetes, 'default', 'j', 'uid', signal)).resolves.toBeUndefined();
    expect(JSON.parse(server.seen[0]?.body ?? '')).toMatchObject({
      propagationPolicy: 'Foreground',
      preconditions: { uid: 'uid' },
    });
  });

  it('a deletion that is forbidden says so', async () => {
    await answering(() => status(403, 'Forbidden', 'no'));
    await expect(deleteJob(kubernetes, 'default', 'j', 'uid', signal)).rejects.toMatchObject({ status: 403 });
  });
});

describe('a connection to a server that offers HTTP/2', () => {
  it('speaks HTTP/1.1, and outlives requests that were given up as they were sent', async () => {
    const versions: string[] = [];
    const server = createSecureServer(
      { cert: CERTIFICATE, key: PRIVATE_KEY, allowHTTP1: true },
      (request, response) => {
        versions.push(request.httpVersion);
        response.end('{}');
      },
    );
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const access = {
      server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
      namespace: 'default',
      credentials: async () => ({ headers: {}, tls: { rejectUnauthorized: false } }),
    };
    const connection = openConnection(access, { clock: Date, userAgent: 'test' });
    const stop = new AbortController();
    const call = { method: 'GET', path: '/version' } as const;
    await connection.call({ ...call, signal: AbortSignal.timeout(5_000) });
    const given = connection.call({ ...call, signal: stop.signal });
    await new Promise((done) => setImmediate(done));
    stop.abort(new Error('given up'));
    await expect(given).rejects.toThrow('given up');
    await connection.close();
    await new Promise<void>((done) => server.close(() => done()));
    expect(new Set(versions)).toEqual(new Set(['1.1']));
  });
});
