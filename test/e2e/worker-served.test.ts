import { randomUUID } from 'node:crypto';
import {
  createDeployment,
  createFlow,
  createFlowRun,
  createWorkPool,
  createWorkQueue,
  type PrefectApi,
  setFlowRunState,
  updateWorkPool,
  updateWorkQueue,
} from '@slipway/prefect/client';
import { customizeTemplate, defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Cluster, NAMESPACE, openCluster, until } from '../journey/cluster.ts';
import { openRigPrefect, soon } from './prefect.ts';
import { startWorker, type WorkerProcess } from './worker-process.ts';

/** Jobs are made and never started: what matters here is of which runs. */
const SUSPENDED = [{ op: 'add', path: '/job_configuration/job_manifest/spec/suspend', value: true }] as const;
const POOLS = ['served-patterns', 'served-paused', 'served-moments'] as const;

describe('which runs of its pool a worker takes', () => {
  const rig = inject('rig');
  let api: PrefectApi;
  let cluster: Cluster;
  let worker: WorkerProcess | undefined;

  beforeAll(() => {
    api = openRigPrefect(rig.prefectApiUrl);
    cluster = openCluster(rig.kubeconfigPath);
  });
  afterEach(async () => {
    worker?.kill('SIGKILL');
    await worker?.ended;
    worker = undefined;
    await cluster.batch.deleteCollectionNamespacedJob({
      namespace: NAMESPACE,
      labelSelector: `prefect.io/work-pool-name in (${POOLS.join(', ')})`,
      propagationPolicy: 'Background',
    });
  });
  afterAll(() => api.close());

  /** Makes a pool with queues. @returns what makes a run due in one of them, in so many milliseconds. */
  async function pool(name: (typeof POOLS)[number], ...queues: string[]) {
    const base_job_template = customizeTemplate(defaultKubernetesTemplate, { patch: [...SUSPENDED] });
    await createWorkPool(api, { name, type: 'kubernetes', base_job_template }, soon());
    const flow = await createFlow(api, name, soon());
    const deployments = new Map<string, string>();
    for (const queue of ['default', ...queues]) {
      if (queue !== 'default') await createWorkQueue(api, name, { name: queue }, soon());
      const where = { work_pool_name: name, work_queue_name: queue };
      const body = { name: queue, flow_id: flow.id, ...where, job_variables: { image: 'prefecthq/prefect:3-latest' } };
      deployments.set(queue, (await createDeployment(api, body, soon())).id);
    }
    return async (run: string, queue: string, inMs = 0) => {
      const scheduled_time = new Date(Date.now() + inMs).toISOString();
      const state = { type: 'SCHEDULED', name: 'Scheduled', state_details: { scheduled_time } } as const;
      const body = { name: run, parameters: {}, idempotency_key: run, ...(inMs === 0 ? {} : { state }) };
      return (await createFlowRun(api, deployments.get(queue) ?? '', body, soon())).id;
    };
  }
  /** Names of the runs that have a Job. */
  const started = async (name: string): Promise<string[]> =>
    (await cluster.jobs())
      .map((job) => job.metadata?.labels ?? {})
      .filter((labels) => labels['prefect.io/work-pool-name'] === name)
      .map((labels) => labels['prefect.io/flow-run-name'] ?? '')
      .sort();
  const starts = (name: string, ...runs: string[]) =>
    until(
      `Jobs of ${runs.join(', ')}`,
      async () => {
        const there = await started(name);
        return runs.every((run) => there.includes(run)) ? there : undefined;
      },
      { timeoutMs: 90_000, describe: async () => worker?.log().slice(-4_000) ?? '' },
    );

  it('are those of the queues that its patterns match, also of two of them and a name', async () => {
    const due = await pool('served-patterns', 'high-1', 'high-2', 'low', 'lower');
    for (const queue of ['default', 'lower', 'low', 'high-2', 'high-1']) await due(`of-${queue}`, queue);
    worker = startWorker('served-patterns', rig.env, ['-q', 'high-*', '-q', '*-none', '-q', 'low']);
    expect(await starts('served-patterns', 'of-high-1', 'of-high-2', 'of-low')).toHaveLength(3);
    await due('later', 'high-2');
    expect(await starts('served-patterns', 'later')).toEqual(['later', 'of-high-1', 'of-high-2', 'of-low']);
  });

  it('are not those of a paused queue, and none while the pool is paused', async () => {
    const due = await pool('served-paused', 'held');
    await updateWorkQueue(api, 'served-paused', 'held', { is_paused: true }, soon());
    await due('held', 'held');
    await due('first', 'default');
    worker = startWorker('served-paused', rig.env);
    expect(await starts('served-paused', 'first')).toEqual(['first']);
    await updateWorkPool(api, 'served-paused', { is_paused: true }, soon());
    await updateWorkQueue(api, 'served-paused', 'held', { is_paused: false }, soon());
    await due('second', 'default');
    await until('the worker knows of the pause', async () => worker?.count('is paused') || undefined, {
      timeoutMs: 60_000,
      describe: async () => worker?.log().slice(-4_000) ?? '',
    });
    expect(await started('served-paused')).toEqual(['first']);
    await updateWorkPool(api, 'served-paused', { is_paused: false }, soon());
    expect(await starts('served-paused', 'held', 'second')).toEqual(['first', 'held', 'second']);
  });

  it('start at their moment without a poll in between, but for what was cancelled, moved or paused meanwhile', async () => {
    const due = await pool('served-moments', 'held');
    const inMs = 30_000;
    await due('on-time', 'default', inMs);
    await due('held', 'held', inMs);
    const cancelled = await due('cancelled', 'default', inMs);
    const moved = await due('moved', 'default', inMs);
    // By its interval alone the worker would poll once, now.
    const env = { ...rig.env, PREFECT_WORKER_QUERY_SECONDS: '3600' };
    worker = startWorker('served-moments', env, ['--prefetch-seconds', '0']);
    await until('the worker has begun', async () => worker?.count('started!') || undefined, { timeoutMs: 60_000 });
    await updateWorkQueue(api, 'served-moments', 'held', { is_paused: true }, soon());
    await setFlowRunState(
      api,
      cancelled,
      { type: 'CANCELLED', name: 'Cancelled', transitionId: randomUUID() },
      { signal: soon() },
    );
    const scheduledTime = new Date(Date.now() + 3_600_000).toISOString();
    const later = { type: 'SCHEDULED', name: 'Scheduled', scheduledTime, transitionId: randomUUID() } as const;
    await setFlowRunState(api, moved, later, { signal: soon(), force: true });
    expect(await starts('served-moments', 'on-time')).toEqual(['on-time']);
    await due('by-hand', 'default');
    expect(await starts('served-moments', 'by-hand')).toEqual(['by-hand', 'on-time']);
  });
});
