import { describe, expect, it } from 'vitest';
import type { DueRun } from '../claim/model.ts';
import { jobObject } from '../testing/objects.ts';
import { servePrefect } from '../testing/prefect.ts';
import { connectTo, serve, status } from '../testing/server.ts';
import { testWorld } from '../testing/world.ts';
import { interrupted, isOrphan } from './repair.ts';

const NOW = Date.parse('2026-01-01T00:10:00Z');
const options = {
  policy: { intervalMs: 60_000, orphanAfterMs: 30_000 },
  inHand: (id: string) => id === 'mine',
};

type Run = Parameters<typeof isOrphan>[0];
function run(more: Partial<Run> = {}, name = 'Pending', ageSeconds = 60): Run {
  const timestamp = new Date(NOW - ageSeconds * 1000).toISOString();
  return { id: 'r', labels: {}, state: { id: 's', type: 'PENDING', name, timestamp }, ...more };
}

describe('a Pending run', () => {
  it.each<[string, Run]>([
    ['that is old and nobody’s', run()],
    [
      'that this kind of worker left behind',
      run({ labels: { 'prefect.worker.name': 'a', 'slipway.worker.version': '1' } }),
    ],
    [
      'that Python’s worker was submitting long ago',
      run({ labels: { 'prefect.worker.name': 'a' } }, 'Submitting', 1000),
    ],
  ])('%s is taken up', (_name, one) => {
    expect(isOrphan(one, NOW, options)).toBe(true);
  });

  it.each<[string, Run]>([
    ['that is young', run({}, 'Pending', 10)],
    ['that is in hand here', run({ id: 'mine' })],
    ['that Python’s worker may still be submitting', run({ labels: { 'prefect.worker.name': 'a' } })],
    ['whose pod is on its way', run({}, 'InfrastructurePending')],
    ['that is running by now', run({ state: { id: 's', type: 'RUNNING', name: 'Running' } })],
  ])('%s is left alone', (_name, one) => {
    expect(isOrphan(one, NOW, options)).toBe(false);
  });
});

describe('a sweep', () => {
  it('takes up the other runs when one cannot be looked at, also one whose claim overtook the server’s Late', async () => {
    const world = testWorld();
    const timestamp = new Date(world.clock.now() - 60_000).toISOString();
    const later = new Date(world.clock.now() - 59_000).toISOString();
    const states = (id: string) => [
      { id: `scheduled-${id}`, type: 'SCHEDULED', name: 'Scheduled', timestamp },
      { id: `pending-${id}`, type: 'PENDING', name: 'Pending', timestamp },
      // What the server's own service made while it decided on the claim, and dated later.
      ...(id === 'c' ? [{ id: `late-${id}`, type: 'SCHEDULED', name: 'Late', timestamp: later }] : []),
    ];
    const record = (id: string) => ({ id, name: id, flow_id: 'f', state: states(id)[1] });
    const prefect = await servePrefect(world, ({ path, query }) => {
      if (path === '/flow_runs/filter') return { status: 200, json: ['a', 'b', 'c'].map(record) };
      if (path === '/flow_run_states/') return { status: 200, json: states(query.get('flow_run_id') ?? '') };
      return { status: 200, json: record(path.split('/').at(-1) ?? '') };
    });
    const cluster = await serve(({ query }) =>
      query.get('labelSelector')?.endsWith('=b')
        ? status(502, 'InternalError', 'no answer from the store')
        : { status: 200, json: { metadata: { resourceVersion: '1' }, items: [] } },
    );
    const kubernetes = connectTo(cluster);
    const { api } = prefect;
    const more = {
      ...options,
      inHand: () => false,
      pool: 'p',
      namespaces: () => ['default'],
      knownJobs: () => undefined,
      api,
      kubernetes,
      world,
    };
    const enough = new AbortController();
    const found: DueRun[] = [];
    try {
      for await (const due of interrupted(more, enough.signal)) {
        found.push(due);
        if (due.id === 'c') setImmediate(() => enough.abort(new Error('enough')));
      }
    } finally {
      await kubernetes.close();
      await cluster.close();
      await prefect.close();
    }
    expect(found.slice(0, 2)).toMatchObject([
      { id: 'a', scheduledState: 'scheduled-a' },
      { id: 'c', scheduledState: 'late-c', interrupted: { claimId: 'pending-c' } },
    ]);
    expect(world.logged[0]).toMatchObject({
      level: 'warning',
      text: expect.stringMatching(/1 not seen to: .*no answer from the store/),
    });
  });

  it('of many runs whose Jobs nobody watches lists the Jobs of their namespace once', async () => {
    const world = testWorld();
    const createdAt = new Date(world.clock.now() - 60_000).toISOString();
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    const prefect = await servePrefect(world, () => ({
      status: 200,
      json: ids.map((id) => ({
        id,
        name: id,
        flow_id: 'f',
        infrastructure_pid: `flows:job-${id}`,
        state: { id: `pending-${id}`, type: 'PENDING', name: 'Pending', timestamp: createdAt },
      })),
    }));
    const pages = [ids.slice(0, 4), ids.slice(4)];
    const cluster = await serve(({ query }) => {
      const page = query.get('continue') === null ? 0 : 1;
      const items = pages[page]?.map((run) =>
        jobObject({ uid: run, name: `job-${run}`, namespace: 'flows', run, createdAt }),
      );
      const more = page === 0 ? { continue: 'more' } : {};
      return { status: 200, json: { metadata: { resourceVersion: '1', ...more }, items } };
    });
    const kubernetes = connectTo(cluster);
    const { api } = prefect;
    const more = {
      ...options,
      inHand: () => false,
      pool: 'p',
      namespaces: () => ['flows'],
      knownJobs: () => undefined,
    };
    const enough = new AbortController();
    const sleep = async () => enough.abort(new Error('one sweep is enough'));
    const once = { ...world, clock: { ...world.clock, sleep } };
    const found: DueRun[] = [];
    try {
      for await (const due of interrupted({ ...more, api, kubernetes, world: once }, enough.signal)) found.push(due);
    } finally {
      await kubernetes.close();
      await cluster.close();
      await prefect.close();
    }
    expect(found).toEqual([]);
    expect(prefect.asked()).toEqual(['POST /flow_runs/filter']);
    expect(cluster.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /apis/batch/v1/namespaces/flows/jobs',
      'GET /apis/batch/v1/namespaces/flows/jobs',
    ]);
  });
});
