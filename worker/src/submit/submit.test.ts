import { afterEach, describe, expect, it } from 'vitest';
import type { KubernetesConnection } from '../k8s/connection.ts';
import { connectTo, type Reply, serve, status, type TestServer } from '../testing/server.ts';
import { type Submitted, submitJob } from './submit.ts';

const open: { server?: TestServer; kubernetes?: KubernetesConnection } = {};
afterEach(async () => {
  await open.kubernetes?.close();
  await open.server?.close();
});

const NAME = 'quick-fox-0123456789';
const exists = status(409, 'AlreadyExists', `jobs.batch "${NAME}" already exists`);
const labelled = (flowRun: string): Reply => ({
  status: 200,
  json: { metadata: { name: NAME, labels: { 'prefect.io/flow-run-id': flowRun } } },
});
const created: Reply = { status: 201, json: { metadata: { name: NAME } } };

/** Submits the Job of run `mine` to a server that gives these answers in order. */
async function submit(...replies: Reply[]): Promise<{ outcome: Submitted; asked: string[]; bodies: Set<string> }> {
  const server = await serve((_request, index) => replies[index] ?? { status: 500 });
  const kubernetes = connectTo(server);
  Object.assign(open, { server, kubernetes });
  const manifest = { namespace: 'n', name: NAME, body: { metadata: { name: NAME } }, notes: [] };
  const policy = { maxAttempts: 3, retryDelayMs: 1, retryJitterMs: [0, 0] as const };
  const world = {
    env: {},
    clock: { now: Date.now, sleep: async () => undefined },
    random: () => 0,
    log: { debug: () => undefined, info: () => undefined, warning: () => undefined, error: () => undefined },
  };
  const outcome = await submitJob(manifest, 'mine', kubernetes, policy, world, AbortSignal.timeout(10_000));
  const posts = server.seen.filter(({ method }) => method === 'POST');
  return { outcome, asked: server.seen.map(({ method }) => method), bodies: new Set(posts.map(({ body }) => body)) };
}

describe('a Job', () => {
  it('is created once when the answer is yes', async () => {
    expect(await submit(created)).toMatchObject({ outcome: { kind: 'created' }, asked: ['POST'] });
  });

  it('that is there already for the same run is adopted', async () => {
    expect(await submit(exists, labelled('mine'))).toMatchObject({
      outcome: { kind: 'adopted' },
      asked: ['POST', 'GET'],
    });
  });

  it('whose first answer was lost is found, not made twice', async () => {
    const lost: Reply = (response) => response.socket?.resetAndDestroy();
    const { outcome, asked, bodies } = await submit(lost, exists, labelled('mine'));
    expect(outcome).toEqual({ kind: 'adopted' });
    expect(asked).toEqual(['POST', 'POST', 'GET']);
    expect(bodies.size).toBe(1);
  });

  it('whose name belongs to something else is refused', async () => {
    const { outcome } = await submit(exists, labelled('another'));
    expect(outcome).toMatchObject({ kind: 'refused', message: expect.stringContaining('belongs to something else') });
  });

  it('that was deleted between the two answers is created', async () => {
    const { outcome, asked } = await submit(exists, { status: 404 }, created);
    expect(outcome).toEqual({ kind: 'created' });
    expect(asked).toEqual(['POST', 'GET', 'POST']);
  });

  it('is tried again for as long as what stops it may pass', async () => {
    const busy = status(429, 'TooManyRequests', 'slow down');
    expect((await submit(busy, busy, busy, busy, busy, created)).outcome).toEqual({ kind: 'created' });
  });

  it('that exceeds a quota is tried three times', async () => {
    const quota = status(403, 'Forbidden', 'exceeded quota: compute');
    const { outcome, asked } = await submit(quota, quota, quota);
    expect(outcome).toMatchObject({ kind: 'refused' });
    expect(asked).toEqual(['POST', 'POST', 'POST']);
  });

  it('that is invalid is not tried again', async () => {
    const { outcome, asked } = await submit(status(422, 'Invalid', 'spec: Invalid value'));
    expect(outcome).toMatchObject({ kind: 'refused', message: expect.stringContaining('spec: Invalid value') });
    expect(asked).toEqual(['POST']);
  });
});
