import { defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import { afterEach, describe, expect, it } from 'vitest';
import { parseCommandLine } from '../config/command-line.ts';
import { compileConfig } from '../config/config.ts';
import { servePrefect, type TestPrefect } from '../testing/prefect.ts';
import type { Reply, Seen } from '../testing/server.ts';
import { type TestWorld, testWorld } from '../testing/world.ts';
import { WorkPool } from './pool.ts';

let prefect: TestPrefect | undefined;
afterEach(async () => {
  await prefect?.close();
  prefect = undefined;
});

const TEMPLATE = { job_configuration: { image: '{{ image }}' }, variables: { properties: { image: {} } } };
const pool = (more: object = {}): Reply => {
  return { status: 200, json: { id: 'p', name: 'k', type: 'kubernetes', base_job_template: TEMPLATE, ...more } };
};
const missing: Reply = { status: 404, json: { detail: 'Work pool "k" not found.' } };
const nothing: Reply = { status: 204 };
const down: Reply = { status: 500, json: { exception_message: 'Internal Server Error' } };

interface Asking {
  readonly workPool: WorkPool;
  readonly world: TestWorld;
  readonly prefect: TestPrefect;
  /** Aborts what is under way. */
  readonly stop: AbortController;
}

/** A worker's view of the pool `k` on a server that answers as told. */
async function open(
  answer: (request: Seen, index: number) => Reply,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Asking> {
  const world = testWorld();
  prefect = await servePrefect(world, answer);
  const invocation = parseCommandLine(['start', '--pool', 'k', '--name', 'w', ...args], 'slipway-worker', '1');
  if (invocation.kind !== 'start') throw new Error(invocation.kind);
  const config = compileConfig(invocation.flags, { PREFECT_API_URL: 'http://127.0.0.1/api', ...env }, () => '{}');
  return { workPool: new WorkPool(config, prefect.api, world), world, prefect, stop: new AbortController() };
}

/** Checks 54, 57, 58 and 61 of contracts/worker.md §9. */
describe('the work pool', () => {
  it('is read', async () => {
    const { workPool, prefect, stop } = await open(() => pool());
    await workPool.found(stop.signal);
    expect(workPool.current.base_job_template).toEqual(TEMPLATE);
    expect(prefect.asked()).toEqual(['GET /work_pools/k']);
  });

  it('that is missing is created with the worker’s own template', async () => {
    const { workPool, prefect, stop } = await open((request) =>
      request.method === 'GET' ? missing : { status: 201, json: { id: 'p', ...JSON.parse(request.body) } },
    );
    await workPool.found(stop.signal);
    expect(prefect.asked()).toEqual(['GET /work_pools/k', 'POST /work_pools/']);
    expect(prefect.bodies()[1]).toEqual({
      name: 'k',
      type: 'kubernetes',
      base_job_template: JSON.parse(JSON.stringify(defaultKubernetesTemplate)),
    });
  });

  it('that another replica has just created is taken', async () => {
    const answers = [missing, { status: 409, json: { detail: 'exists' } }, pool()];
    const { workPool, stop } = await open((_request, index) => answers[index] ?? pool());
    await workPool.found(stop.signal);
    expect(workPool.current.id).toBe('p');
  });

  it('that must not be created is waited for', async () => {
    const { workPool, prefect, world, stop } = await open(
      (_request, index) => (index < 2 ? missing : pool()),
      ['--no-create-pool-if-not-found'],
    );
    await workPool.found(stop.signal);
    expect(prefect.asked()).toEqual(Array(3).fill('GET /work_pools/k'));
    expect(world.logged.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(world.slept).toEqual([30_000, 30_000]);
  });

  it('of another type is refused, unless the type was insisted on', async () => {
    const refusing = await open(() => pool({ type: 'ecs:push' }));
    await expect(refusing.workPool.found(refusing.stop.signal)).rejects.toThrow('is of type ecs:push');
    await refusing.prefect.close();
    const insisting = await open(() => pool({ type: 'ecs:push' }), ['--type', 'kubernetes']);
    await insisting.workPool.found(insisting.stop.signal);
    expect(insisting.world.logged.map(({ text }) => text).join()).toContain(
      'makes Kubernetes Jobs of its runs all the same',
    );
  });

  it('without a template gets the worker’s own', async () => {
    const { workPool, prefect, stop } = await open((request) =>
      request.method === 'GET' ? pool({ base_job_template: {} }) : nothing,
    );
    await workPool.found(stop.signal);
    expect(prefect.asked()).toEqual(['GET /work_pools/k', 'PATCH /work_pools/k']);
    expect(workPool.current.base_job_template).toEqual(defaultKubernetesTemplate);
  });

  it('on a server that is down is waited for', async () => {
    const { workPool, world, stop } = await open((_request, index) => (index < 3 ? down : pool()));
    await workPool.found(stop.signal);
    expect(world.slept).toHaveLength(3);
    expect(world.logged.every(({ level }) => level === 'warning')).toBe(true);
  });

  it('stays as it was read last when it cannot be read, and is read anew for a later run', async () => {
    const answers = [pool(), down, pool({ base_job_template: { ...TEMPLATE, second: true } })];
    const { workPool, world, stop } = await open((_request, index) => answers[index] ?? down);
    await workPool.found(stop.signal);
    const first = workPool.current;
    expect(await workPool.asOf(world.clock.now(), stop.signal)).toBe(first);
    world.pass(1_000);
    const second = await workPool.asOf(world.clock.now(), stop.signal);
    expect(second.base_job_template).toHaveProperty('second');
    expect(first.base_job_template).toEqual(TEMPLATE);
  });

  it('is told that the worker lives, at its interval, and kept fresh', async () => {
    const { workPool, prefect, world, stop } = await open((request, index) => {
      if (index >= 5) stop.abort(new Error('enough'));
      return request.method === 'GET' ? pool() : nothing;
    });
    await workPool.found(stop.signal);
    await workPool.run({ healthy: false, tried: Promise.resolve() }, stop.signal);
    const beat = 'POST /work_pools/k/workers/heartbeat';
    expect(prefect.asked().slice(0, 5)).toEqual([
      'GET /work_pools/k',
      beat,
      'GET /work_pools/k',
      beat,
      'GET /work_pools/k',
    ]);
    expect(prefect.bodies()[1]).toMatchObject({ name: 'w', heartbeat_interval_seconds: 30 });
    expect(world.slept[0]).toBe(30_000);
  });

  it('is told once on Prefect Cloud what the worker brings', async () => {
    const cloud = { PREFECT_CLOUD_API_URL: 'http://127.0.0.1/api' };
    const { workPool, prefect, stop } = await open(
      (request, index) => {
        if (index >= 5) stop.abort(new Error('enough'));
        if (request.method === 'GET') return pool();
        return index === 1 ? down : { status: 200, json: 'worker-id' };
      },
      [],
      cloud,
    );
    await workPool.found(stop.signal);
    await workPool.run({ healthy: false, tried: Promise.resolve() }, stop.signal);
    const metadata = { integrations: [{ name: 'prefect-kubernetes', version: '0.8.0' }] };
    const beat = { name: 'w', heartbeat_interval_seconds: 30 };
    const beats = prefect.bodies().filter((body) => body !== undefined);
    expect(beats.slice(0, 3)).toEqual([{ ...beat, metadata }, { ...beat, metadata }, beat]);
  });

  it('costs no request while the channel is healthy, and is asked for as soon as it is not', async () => {
    const { workPool, prefect, world, stop } = await open((request) => (request.method === 'GET' ? pool() : nothing));
    await workPool.found(stop.signal);
    const channel = {
      tried: Promise.resolve(),
      get healthy() {
        if (world.slept.length >= 5) stop.abort(new Error('enough'));
        return world.slept.length < 3;
      },
    };
    await workPool.run(channel, stop.signal);
    expect(world.slept.slice(0, 4)).toEqual(Array(4).fill(30_000));
    expect(prefect.asked().slice(0, 3)).toEqual([
      'GET /work_pools/k',
      'GET /work_pools/k',
      'POST /work_pools/k/workers/heartbeat',
    ]);
  });

  it('is not told that the worker lives before it is known whether there is a channel', async () => {
    const { workPool, prefect, stop } = await open((request) => (request.method === 'GET' ? pool() : nothing));
    await workPool.found(stop.signal);
    const { promise: tried, resolve } = Promise.withResolvers<void>();
    const running = workPool.run({ healthy: true, tried }, stop.signal);
    await new Promise((done) => setTimeout(done, 50));
    expect(prefect.asked()).toEqual(['GET /work_pools/k']);
    stop.abort(new Error('enough'));
    resolve();
    await running;
  });

  it.each([
    ['a later change counts, read or told', '2026-11-26T12:00:00.000002Z', true],
    ['an earlier change does not, though it came last', '2026-11-26T12:00:00Z', false],
  ])('changes by what the server changed last: %s', async (_what, updated, counts) => {
    const first = { updated: '2026-11-26T12:00:00.000001Z' };
    const answers = [pool(first), pool({ updated, is_paused: true })];
    const { workPool, world, stop } = await open((_request, index) => answers[index] ?? pool());
    await workPool.found(stop.signal);
    world.pass(1_000);
    expect((await workPool.asOf(world.clock.now(), stop.signal)).is_paused).toBe(counts);
    await prefect?.close();
    const other = await open(() => pool(first));
    await other.workPool.found(stop.signal);
    other.workPool.told({ ...other.workPool.current, updated, is_paused: true });
    expect(other.workPool.current.is_paused).toBe(counts);
  });

  it('that was deleted and made anew is another, however old', async () => {
    const { workPool, stop } = await open(() => pool({ updated: '2026-11-26T12:00:00Z' }));
    await workPool.found(stop.signal);
    workPool.told({ ...workPool.current, id: 'new', updated: '2026-11-26T11:00:00Z' });
    expect(workPool.current.id).toBe('new');
  });

  it('that is told of without a template has the worker’s own', async () => {
    const { workPool, prefect, stop } = await open(() => pool());
    await workPool.found(stop.signal);
    workPool.told({ ...workPool.current, base_job_template: {} });
    expect(workPool.current.base_job_template).toEqual(defaultKubernetesTemplate);
    expect(prefect.asked()).toEqual(['GET /work_pools/k']);
  });
});
