import {
  createDeployment,
  createFlow,
  createFlowRun,
  createWorkPool,
  type PrefectApi,
  readFlowRuns,
} from '@slipway/prefect/client';
import { customizeTemplate, defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Cluster, NAMESPACE, openCluster, until } from '../journey/cluster.ts';
import { openRecordingProxy, type RecordingProxy } from '../journey/recording-proxy.ts';
import { openRigPrefect, soon } from './prefect.ts';
import { startWorker, type WorkerProcess } from './worker-process.ts';

/** Jobs are made and never started: what is counted and timed here is the way to the Job. */
const SUSPENDED = [{ op: 'add', path: '/job_configuration/job_manifest/spec/suspend', value: true }] as const;

const CLAIM = /\/(bulk_)?set_state$/;

describe('the way from a due run to its Job', () => {
  const rig = inject('rig');
  let api: PrefectApi;
  let cluster: Cluster;
  let worker: WorkerProcess | undefined;
  let proxy: RecordingProxy;

  const deployed = async (pool: string): Promise<string> => {
    const base_job_template = customizeTemplate(defaultKubernetesTemplate, { patch: [...SUSPENDED] });
    await createWorkPool(api, { name: pool, type: 'kubernetes', base_job_template }, soon());
    const flow = await createFlow(api, 'intake-test', soon());
    const job_variables = { image: 'prefecthq/prefect:3-latest' };
    return (await createDeployment(api, { name: pool, flow_id: flow.id, work_pool_name: pool, job_variables }, soon()))
      .id;
  };
  const due = async (deployment: string, key: string) =>
    (await createFlowRun(api, deployment, { parameters: {}, idempotency_key: key }, soon())).id;
  const jobsOf = async (pool: string) =>
    (await cluster.jobs()).filter((job) => job.metadata?.labels?.['prefect.io/work-pool-name'] === pool);

  beforeAll(async () => {
    api = openRigPrefect(rig.prefectApiUrl);
    cluster = openCluster(rig.kubeconfigPath);
    proxy = await openRecordingProxy(rig.prefectApiUrl);
  });
  afterEach(async () => {
    worker?.kill('SIGKILL');
    await worker?.ended;
    worker = undefined;
    await cluster.batch.deleteCollectionNamespacedJob({
      namespace: NAMESPACE,
      labelSelector: 'prefect.io/work-pool-name in (ledger, live-limit, by-hand)',
      propagationPolicy: 'Background',
    });
  });
  afterAll(async () => {
    await proxy.close();
    await api.close();
  });

  it('costs two writes a run and a part of a claim, and no more than four calls of the Prefect API in all', async () => {
    const RUNS = 50;
    const deployment = await deployed('ledger');
    const ids: string[] = [];
    for (let index = 0; index < RUNS; index += 1) ids.push(await due(deployment, String(index)));
    worker = startWorker('ledger', { ...rig.env, PREFECT_API_URL: proxy.url, PREFECT_WORKER_QUERY_SECONDS: '60' });
    await until(
      'every run has its Job and all that is written about it',
      async () => {
        const runs = await readFlowRuns(api, { ids }, soon());
        const told = runs.every((run) => run.infrastructure_pid && run.labels?.['prefect.worker.name'] !== undefined);
        return told && (await jobsOf('ledger')).length === RUNS ? true : undefined;
      },
      { timeoutMs: 120_000, describe: async () => worker?.log().slice(-4_000) ?? '' },
    );
    const taken = proxy.taken();
    // Not in lockstep: the first run is written about, just before its Job is made, before most of its poll is claimed,
    // and what its Job is made from was asked for before the second claim.
    const first = taken.findIndex((call) => call.startsWith('PATCH '));
    const claims = taken.slice(0, first).filter((call) => CLAIM.test(call));
    expect(claims.length, taken.join('\n')).toBeLessThan(4);
    const polled = taken.findIndex((call) => call.endsWith('/get_scheduled_flow_runs'));
    const beforeMost = taken.slice(polled, first);
    for (const read of ['/deployments/filter', '/flows/filter', 'GET /api/work_pools/ledger']) {
      expect(
        beforeMost.findIndex((call) => call.endsWith(read)),
        taken.join('\n'),
      ).toBeLessThan(8);
    }
    const writes = taken.filter((call) => !call.startsWith('GET ') && ids.some((id) => call.includes(id)));
    expect(taken.filter((call) => CLAIM.test(call)).length, taken.join('\n')).toBeLessThan(RUNS / 2);
    const byItself = writes.filter((call) => CLAIM.test(call)).length;
    expect(writes.length - byItself, taken.join('\n')).toBe(2 * RUNS);
    // What the clock asks for costs the same without a run, and more the slower the machine; a run is looked at only
    // after a busy server refused its claim, and when it has waited for its pod so long that its Job might be missing.
    const beside = /\/logs\/$|\/heartbeat$|\/flow_runs\/filter$|^GET .*\/flow_runs\/|^GET .*\/flow_run_states\//;
    const shared = taken.filter((call) => !writes.includes(call) && !CLAIM.test(call) && !beside.test(call));
    expect(shared.length, taken.join('\n')).toBeLessThanOrEqual(RUNS);
  });

  it('is short for a run that somebody starts by hand: the server’s hint brings the poll forward', async () => {
    const deployment = await deployed('by-hand');
    // Without hints the second poll would come long after this test has given up.
    worker = startWorker('by-hand', { ...rig.env, PREFECT_WORKER_QUERY_SECONDS: '3600' });
    await until('the worker polls', async () => (worker?.count('started!') === 1 ? true : undefined), {
      timeoutMs: 60_000,
      describe: async () => worker?.log() ?? '',
    });
    for (let made = 1; made <= 3; made += 1) {
      await due(deployment, `by-hand-${made}`);
      await until(
        `the Job of run ${made}`,
        async () => ((await jobsOf('by-hand')).length === made ? true : undefined),
        {
          timeoutMs: 60_000,
          describe: async () => worker?.log().slice(-4_000) ?? '',
        },
      );
    }
  });

  it('keeps to --max-live-jobs by the cluster’s own count, from an empty cluster on', async () => {
    const deployment = await deployed('live-limit');
    for (const key of ['a', 'b', 'c']) await due(deployment, key);
    worker = startWorker('live-limit', rig.env, ['--max-live-jobs', '2']);
    const describeWorker = async () => worker?.log().slice(-4_000) ?? '';
    const jobs = await until(
      'two Jobs',
      async () => {
        const found = await jobsOf('live-limit');
        return found.length >= 2 ? found : undefined;
      },
      { timeoutMs: 60_000, describe: describeWorker },
    );
    expect(jobs).toHaveLength(2);
    const name = jobs[0]?.metadata?.name ?? '';
    const third = async () => {
      const found = await jobsOf('live-limit');
      return found.some((job) => !jobs.some((other) => other.metadata?.name === job.metadata?.name))
        ? found
        : undefined;
    };
    expect(await third()).toBeUndefined();
    await cluster.batch.deleteNamespacedJob({ name, namespace: NAMESPACE, propagationPolicy: 'Background' });
    expect(await until('the third Job', third, { timeoutMs: 60_000, describe: describeWorker })).toHaveLength(2);
  });
});
