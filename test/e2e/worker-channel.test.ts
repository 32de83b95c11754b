import {
  createDeployment,
  createFlow,
  createFlowRun,
  createWorkPool,
  type PrefectApi,
  readFlowRun,
  readWorkPool,
  setFlowRunState,
  updateWorkPool,
} from '@slipway/prefect/client';
import type { JsonObject } from '@slipway/prefect/json';
import { customizeTemplate, defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Cluster, NAMESPACE, openCluster, until } from '../journey/cluster.ts';
import { type OwnPrefect, startOwnPrefect } from './own-prefect.ts';
import { openRigPrefect, soon } from './prefect.ts';
import { openUpgradeProxy, type UpgradeProxy } from './upgrade-proxy.ts';
import { startWorker, type WorkerProcess } from './worker-process.ts';

/** Jobs are made and never started. */
const suspended = (label: string): JsonObject =>
  customizeTemplate(defaultKubernetesTemplate, {
    patch: [
      { op: 'add', path: '/job_configuration/job_manifest/spec/suspend', value: true },
      { op: 'add', path: '/job_configuration/job_manifest/metadata/annotations', value: { template: label } },
    ],
  });

const OPEN = 'Worker channel open';
const CLOSED = 'REST until it is back';
const REST = /\/workers\/heartbeat$|^GET \/work_pools\//;
const wait = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** Checks 58 and 60 to 63 of contracts/worker.md §9, on a real server. */
describe('the worker channel', () => {
  const rig = inject('rig');
  let prefect: OwnPrefect;
  let api: PrefectApi;
  let proxy: UpgradeProxy;
  let cluster: Cluster;
  let workers: WorkerProcess[] = [];

  /** A worker that beats every second and polls when it is told to, by way of the proxy. */
  const worker = (pool: string, env: Record<string, string> = {}) => {
    const { PREFECT_API_URL: _, ...others } = rig.env as Record<string, string>;
    const own = {
      PREFECT_API_URL: proxy.url,
      PREFECT_WORKER_HEARTBEAT_SECONDS: '1',
      PREFECT_WORKER_QUERY_SECONDS: '2',
      PREFECT_DEBUG_MODE: 'true',
    };
    const started = startWorker(pool, { ...others, ...own, ...env });
    workers.push(started);
    return started;
  };
  const logs = async () => workers.map((one) => one.log().slice(-4_000)).join('\n---\n');
  const says = (one: WorkerProcess, text: string, times = 1) =>
    until(`the worker says "${text}"`, async () => (one.count(text) >= times ? true : undefined), {
      timeoutMs: 60_000,
      describe: logs,
    });
  /**
   * What is asked by REST, beside polls, in some seconds of an open channel. A SQLite server that is busy closes it, when
   * it cannot write a heartbeat down: then other seconds count.
   */
  const restWhileOpen = (one: WorkerProcess) =>
    until(
      'the channel stays open for a while',
      async () => {
        await wait(1_500);
        const closed = one.count(CLOSED);
        const isOpen = one.log().lastIndexOf(OPEN) > one.log().lastIndexOf(CLOSED);
        proxy.taken();
        await wait(3_500);
        const taken = proxy.taken().filter((call) => REST.test(call));
        return isOpen && one.count(CLOSED) === closed ? taken : undefined;
      },
      { timeoutMs: 60_000, describe: logs },
    );
  const poolOf = async (name: string, base_job_template = suspended('first')) => {
    await createWorkPool(api, { name, type: 'kubernetes', base_job_template }, soon());
    const flow = await createFlow(api, 'channel-test', soon());
    const body = {
      name,
      flow_id: flow.id,
      work_pool_name: name,
      job_variables: { image: 'prefecthq/prefect:3-latest' },
    };
    return (await createDeployment(api, body, soon())).id;
  };
  /** Keys count within a flow, and the flow is that of all deployments here. */
  const due = async (deployment: string, key: string) =>
    (await createFlowRun(api, deployment, { parameters: {}, idempotency_key: `${deployment} ${key}` }, soon())).id;
  const jobOf = (run: string) =>
    until('the run has its Job', async () => (await cluster.jobs(run))[0], { timeoutMs: 60_000, describe: logs });
  const workersOf = async (pool: string) => {
    const answer = await fetch(`${prefect.apiUrl}/work_pools/${pool}/workers/filter`, { method: 'POST' });
    return (await answer.json()) as { name: string; status: string; last_heartbeat_time: string }[];
  };

  beforeAll(async () => {
    prefect = await startOwnPrefect(rig.prefectEnvironment, {
      PREFECT_SERVER_SERVICES_CANCELLATION_CLEANUP_CANCELLING_TIMEOUT_SECONDS: '3',
    });
    api = openRigPrefect(prefect.apiUrl);
    cluster = openCluster(rig.kubeconfigPath);
    proxy = await openUpgradeProxy(prefect.apiUrl);
  }, 200_000);
  afterEach(async () => {
    for (const one of workers) one.kill('SIGKILL');
    await Promise.all(workers.map((one) => one.ended));
    workers = [];
    proxy.upgrades('pass');
    proxy.taken();
  });
  afterAll(async () => {
    await cluster.batch.deleteCollectionNamespacedJob({
      namespace: NAMESPACE,
      labelSelector: 'prefect.io/work-pool-name in (channel-pause, channel-cleanup)',
      propagationPolicy: 'Background',
    });
    await proxy.close();
    await api.close();
    await prefect.remove();
  });

  it('takes the heartbeats: the worker is online, its pool ready, and no request asks or tells so', async () => {
    await poolOf('channel-idle');
    const one = worker('channel-idle', { PREFECT_WORKER_QUERY_SECONDS: '60' });
    await says(one, OPEN);
    const [before] = await workersOf('channel-idle');
    expect(await restWhileOpen(one)).toEqual([]);
    const [after] = await workersOf('channel-idle');
    expect(after?.status).toBe('ONLINE');
    expect(Date.parse(after?.last_heartbeat_time ?? '')).toBeGreaterThan(Date.parse(before?.last_heartbeat_time ?? ''));
    expect((await readWorkPool(api, 'channel-idle', soon()))?.status).toBe('READY');
    one.kill('SIGTERM');
    expect(await one.ended, one.log()).toBe(0);
  });

  it('brings a changed template and a pause at once, for the next run', async () => {
    const deployment = await poolOf('channel-pause');
    const one = worker('channel-pause', { PREFECT_WORKER_HEARTBEAT_SECONDS: '600' });
    await says(one, OPEN);
    expect((await jobOf(await due(deployment, 'a'))).metadata?.annotations?.template).toBe('first');
    await updateWorkPool(api, 'channel-pause', { base_job_template: suspended('second') }, soon());
    expect((await jobOf(await due(deployment, 'b'))).metadata?.annotations?.template).toBe('second');
    await updateWorkPool(api, 'channel-pause', { is_paused: true }, soon());
    await says(one, 'is paused: its runs wait');
    const waiting = await due(deployment, 'c');
    await wait(3_000);
    expect(await cluster.jobs(waiting)).toEqual([]);
    await updateWorkPool(api, 'channel-pause', { is_paused: false }, soon());
    await says(one, 'is resumed');
    await jobOf(waiting);
  });

  it('is done without where there is none, for good', async () => {
    await poolOf('channel-none');
    for (const status of [404, 403, 405]) {
      proxy.upgrades(status);
      proxy.taken();
      const one = worker('channel-none');
      await says(one, 'heartbeats and the work pool go by REST');
      await wait(3_500);
      const taken = proxy.taken();
      expect(taken.filter((call) => call.startsWith('UPGRADE') && call.includes('/connect'))).toHaveLength(1);
      expect(taken.filter((call) => call.endsWith('/workers/heartbeat')).length).toBeGreaterThan(1);
      expect(taken.filter((call) => call.startsWith('GET /work_pools/channel-none')).length).toBeGreaterThan(1);
      one.kill('SIGKILL');
      await one.ended;
    }
  });

  it('is tried again while the server cannot, with REST meanwhile, and takes over when it can', async () => {
    await poolOf('channel-later');
    proxy.upgrades(500);
    const one = worker('channel-later');
    const beatsByRest = async () => {
      proxy.taken();
      let beats = 0;
      const enough = async () => {
        beats += proxy.taken().filter((call) => call.endsWith('/workers/heartbeat')).length;
        return beats > 2 ? true : undefined;
      };
      await until('the worker beats by REST', enough, { timeoutMs: 30_000, describe: logs });
    };
    await says(one, 'started!');
    await beatsByRest();
    proxy.upgrades('pass');
    await says(one, OPEN);
    expect(await restWhileOpen(one)).toEqual([]);
    proxy.upgrades(503);
    await beatsByRest();
    proxy.upgrades('pass');
    await says(one, OPEN, 2);
  });

  it('comes back when the server does', async () => {
    await poolOf('channel-restart');
    const one = worker('channel-restart', { PREFECT_WORKER_HEARTBEAT_SECONDS: '30' });
    await says(one, OPEN);
    await prefect.stop();
    await wait(2_000);
    await prefect.start();
    await says(one, OPEN, 2);
    expect(one.count('stopped!')).toBe(0);
  }, 300_000);

  it('has the Job deleted of a run that the server found Cancelling for too long, and leaves the run as it is', async () => {
    const deployment = await poolOf('channel-cleanup');
    // Its own look at runs that are Cancelling would be faster.
    const one = worker('channel-cleanup', {
      PREFECT_WORKER_ENABLE_CANCELLATION: 'false',
      PREFECT_WORKER_HEARTBEAT_SECONDS: '30',
    });
    await says(one, OPEN);
    const id = await due(deployment, 'a');
    const name = (await jobOf(id)).metadata?.name;
    await until('its pid is told', async () => (await readFlowRun(api, id, soon())).infrastructure_pid ?? undefined, {
      timeoutMs: 30_000,
    });
    // The pod that would say so never starts.
    for (const type of ['RUNNING', 'CANCELLING'] as const) {
      await setFlowRunState(api, id, { type, transitionId: crypto.randomUUID() }, { signal: soon() });
    }
    await until(
      'the server has ended it',
      async () => ((await readFlowRun(api, id, soon())).state_type === 'CANCELLED' ? true : undefined),
      { timeoutMs: 60_000, describe: logs },
    );
    await until(
      'the Job is said to be deleted',
      async () => (one.count(`Job ${NAMESPACE}/${name} is deleted (accepted)`) > 0 ? true : undefined),
      { timeoutMs: 90_000, describe: async () => `${await logs()}\n${prefect.log()}` },
    );
    await until(
      'the Job is gone',
      async () => {
        const [job] = await cluster.jobs(id);
        return job === undefined || job.metadata?.deletionTimestamp !== undefined ? true : undefined;
      },
      { timeoutMs: 60_000, describe: logs },
    );
    await wait(1_000);
    const run = await readFlowRun(api, id, soon());
    expect(run.state).toMatchObject({ type: 'CANCELLED', message: expect.stringContaining('timed out') });
  });
});
