import { afterEach, describe, expect, it } from 'vitest';
import { KubernetesUnreachableError } from '../k8s/errors.ts';
import type { JobManifest } from '../render/render.ts';
import { jobObject } from '../testing/objects.ts';
import { connectTo, type Reply, serve, status, type TestServer } from '../testing/server.ts';
import { type TestWorld, testWorld } from '../testing/world.ts';
import { JobSecrets } from './secrets.ts';
import { type Stopping, submitJob } from './submit.ts';

const job: JobManifest = {
  namespace: 'default',
  name: 'busy-bee-0123456789',
  body: { metadata: { name: 'busy-bee-0123456789', labels: { 'prefect.io/flow-run-id': 'run' } } },
  secrets: [],
  cluster: undefined,
  notes: [],
};
const POLICY = { maxAttempts: 3, retryDelayMs: 1_000, retryJitterMs: [0, 3_000] as const };
const exists = status(409, 'AlreadyExists', 'jobs.batch "busy-bee-0123456789" already exists');
const created: Reply = { status: 201, json: jobObject() };
const lost: Reply = (response) => response.socket?.destroy();

let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** Submits to a server that gives these answers, the last one for ever. */
async function submit(
  replies: readonly Reply[],
  options: { readonly world?: TestWorld; readonly stopAfter?: number; readonly cutAfter?: number } = {},
) {
  const world = options.world ?? testWorld();
  const [stop, cut] = [new AbortController(), new AbortController()];
  server = await serve((_request, index) => {
    if (index + 1 === options.stopAfter) stop.abort(new Error('stopping'));
    if (index + 1 === options.cutAfter) setTimeout(() => cut.abort(new Error('no more time')), 10);
    return replies[Math.min(index, replies.length - 1)] ?? created;
  });
  const kubernetes = connectTo(server);
  const stopping: Stopping = { stop: stop.signal, cut: cut.signal };
  try {
    const made = await submitJob(
      job,
      kubernetes,
      new JobSecrets({ keysBelongToJobs: false, world }),
      POLICY,
      world,
      stopping,
    );
    return { made, world, calls: server.seen.map(({ method }) => method) };
  } finally {
    await kubernetes.close();
  }
}

describe('a Job is created once', () => {
  it('at the first try', async () => {
    const { made, calls } = await submit([created]);
    expect(made).toMatchObject({ kind: 'created', object: { metadata: { uid: 'u1' } } });
    expect(calls).toEqual(['POST']);
  });

  it.each<[string, Reply]>([
    ['the answer was lost', lost],
    ['the server is throttled', status(429, 'TooManyRequests', 'later')],
    ['the server is starting', status(503, 'ServiceUnavailable', 'starting')],
    ['the credentials are being renewed', status(401, 'Unauthorized', '')],
  ])('after %s, under the same name', async (_about, reply) => {
    const { made, calls } = await submit([reply, reply, created]);
    expect(made.kind).toBe('created');
    expect(calls).toEqual(['POST', 'POST', 'POST']);
    expect(new Set(server?.seen.map(({ body }) => body)).size).toBe(1);
  });

  it('however long the cluster is away', async () => {
    const replies = Array.from({ length: 30 }, () => lost);
    expect((await submit([...replies, created])).made.kind).toBe('created');
  });
});

describe('a Job that is there already', () => {
  it('is adopted when it is of the same run', async () => {
    const { made, calls } = await submit([lost, exists, { status: 200, json: jobObject({ run: 'run' }) }]);
    expect(made).toMatchObject({ kind: 'adopted', object: { metadata: { uid: 'u1' } } });
    expect(calls).toEqual(['POST', 'POST', 'GET']);
  });

  it('is refused when it is of another', async () => {
    const { made } = await submit([exists, { status: 200, json: jobObject({ run: 'other' }) }]);
    expect(made).toMatchObject({ kind: 'refused', message: expect.stringContaining('belongs to something else') });
  });

  it.each<[string, Reply]>([
    ['deleted meanwhile', status(404, 'NotFound', '')],
    ['not to be read now', status(503, 'ServiceUnavailable', '')],
  ])('and %s is created again', async (_about, reply) => {
    const { made, calls } = await submit([exists, reply, created]);
    expect(made.kind).toBe('created');
    expect(calls).toEqual(['POST', 'GET', 'POST']);
  });
});

describe('a Job that the cluster refuses', () => {
  it('for what it is, is not tried again', async () => {
    const { made, calls } = await submit([status(422, 'Invalid', 'bad')]);
    expect(made).toMatchObject({ kind: 'refused', message: expect.stringContaining('bad') });
    expect(calls).toHaveLength(1);
  });

  it('for want of room, is tried as often as configured', async () => {
    const { made, calls, world } = await submit([status(403, 'Forbidden', 'exceeded quota: q')]);
    expect(made.kind).toBe('refused');
    expect(calls).toEqual(['POST', 'POST', 'POST', 'GET']);
    expect(world.slept).toEqual([2_500, 2_500]);
  });

  it('for a fault of its own, is tried for about a minute', async () => {
    const { made, calls, world } = await submit([status(500, 'InternalError', 'etcdserver: leader changed')]);
    expect(made.kind).toBe('refused');
    expect(calls.filter((method) => method === 'POST')).toHaveLength(8);
    expect(world.slept.reduce((sum, ms) => sum + ms)).toBeGreaterThan(30_000);
  });
});

describe('a Job that the cluster refused and that is there', () => {
  const there: Reply = { status: 200, json: jobObject({ run: 'run' }) };
  it.each<[string, Reply, number]>([
    ['another replica had room for', status(403, 'Forbidden', 'exceeded quota: q'), 3],
    ['was made before the error', status(500, 'InternalError', 'etcdserver: leader changed'), 8],
  ])('because it %s is adopted', async (_about, refusal, tries) => {
    const { made } = await submit([...Array.from({ length: tries }, () => refusal), there]);
    expect(made).toMatchObject({ kind: 'adopted', object: { metadata: { uid: 'u1' } } });
  });

  it('is no other run’s', async () => {
    const refusal = status(403, 'Forbidden', 'exceeded quota: q');
    const other: Reply = { status: 200, json: jobObject({ run: 'other' }) };
    const { made } = await submit([refusal, refusal, refusal, other]);
    expect(made).toMatchObject({ kind: 'refused', message: expect.stringContaining('belongs to something else') });
  });
});

describe('a worker that has to stop', () => {
  it('waits for the answer that is under way', async () => {
    expect((await submit([created], { stopAfter: 1 })).made.kind).toBe('created');
  });

  it('knows that there is no Job when every try was refused', async () => {
    const { made } = await submit([status(429, 'TooManyRequests', '')], { stopAfter: 2 });
    expect(made).toEqual({ kind: 'stopped', mayExist: false });
  });

  it('looks once more when an answer was lost', async () => {
    const { made, calls } = await submit([lost, { status: 200, json: jobObject({ run: 'run' }) }], { stopAfter: 1 });
    expect(made.kind).toBe('adopted');
    expect(calls).toEqual(['POST', 'GET']);
    expect((await submit([lost, status(404, 'NotFound', '')], { stopAfter: 1 })).made).toEqual({
      kind: 'stopped',
      mayExist: true,
    });
  });

  it('looks once more when an answer was lost and it waits for its turn to try again', async () => {
    const stop = new AbortController();
    const calls: string[] = [];
    // The lane that creates go through rejects with the signal's reason what was not sent.
    const call = async ({ method }: { readonly method: string }) => {
      calls.push(method);
      if (method === 'GET') return JSON.stringify(jobObject({ run: 'run' }));
      if (calls.length === 1) throw new KubernetesUnreachableError('https://k', 'ECONNRESET', undefined);
      stop.abort(new Error('the grace is over'));
      throw stop.signal.reason;
    };
    const world = testWorld();
    const secrets = new JobSecrets({ keysBelongToJobs: false, world });
    const stopping = { stop: stop.signal, cut: new AbortController().signal };
    const made = await submitJob(job, { server: 'https://k', call }, secrets, POLICY, world, stopping);
    expect(made.kind).toBe('adopted');
    expect(calls).toEqual(['POST', 'POST', 'GET']);
  });

  it('leaves what does not answer in time', async () => {
    const { made } = await submit([() => undefined], { stopAfter: 1, cutAfter: 1 });
    expect(made).toEqual({ kind: 'stopped', mayExist: true });
  });
});
