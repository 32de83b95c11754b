import { readFileSync } from 'node:fs';
import {
  createDeployment,
  createFlow,
  createFlowRun,
  createWorkPool,
  type PrefectApi,
  readFlowRun,
  setFlowRunState,
} from '@slipway/prefect/client';
import type { Json, JsonObject } from '@slipway/prefect/json';
import { customizeTemplate, defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { parse } from 'yaml';
import { type Cluster, NAMESPACE, openCluster, until } from '../journey/cluster.ts';
import { POOL_PATCH } from '../journey/pool-patch.ts';
import { openRigPrefect, soon } from './prefect.ts';
import { startWorker, type WorkerProcess } from './worker-process.ts';

/** A flow run that says that it runs, and that it has completed, when it has its environment. */
const RUN = `python3 -c '
import json, os, time, urllib.request
assert os.environ["MINE"] == "from a variable"
url = os.environ["PREFECT_API_URL"] + "/flow_runs/" + os.environ["PREFECT__FLOW_RUN_ID"] + "/set_state"
for state in "RUNNING", "COMPLETED":
    body = json.dumps({"state": {"type": state}}).encode()
    for attempt in range(400):
        try:
            urllib.request.urlopen(urllib.request.Request(url, body, {"content-type": "application/json"}))
            break
        except urllib.error.HTTPError as error:
            if error.code != 503 or attempt == 399: raise
            time.sleep(0.25)
'`;
const K = 'PREFECT_INTEGRATIONS_KUBERNETES_';

describe('what a worker puts into the cluster', () => {
  const rig = inject('rig');
  let api: PrefectApi;
  let cluster: Cluster;
  let workers: WorkerProcess[] = [];

  const worker = (pool: string, env: Record<string, string> = {}, args: string[] = []) => {
    const started = startWorker(pool, { ...rig.env, ...env }, ['--name', pool, ...args]);
    workers.push(started);
    return started;
  };
  const words = async () => workers.map((one) => one.log().slice(-4_000)).join('\n---\n');
  const eventually = <T>(what: string, ask: () => Promise<T | undefined>, timeoutMs = 90_000) =>
    until(what, ask, { timeoutMs, describe: words });
  const state = async (id: string) => (await readFlowRun(api, id, soon())).state_type ?? undefined;
  const job = (id: string) => eventually('the Job', async () => (await cluster.jobs(id))[0]);
  const secrets = async () =>
    (await cluster.core.listNamespacedSecret({ namespace: NAMESPACE })).items.flatMap(
      ({ metadata }) => metadata?.name ?? [],
    );

  /** A run of a new pool that is due now. */
  async function run(pool: string, variables: JsonObject): Promise<string> {
    const base_job_template = customizeTemplate(defaultKubernetesTemplate, { patch: POOL_PATCH as unknown as Json[] });
    await createWorkPool(api, { name: pool, type: 'kubernetes', base_job_template }, soon());
    const flow = await createFlow(api, 'jobs-test', soon());
    const job_variables = {
      image: 'prefecthq/prefect:3-latest',
      command: RUN,
      env: { MINE: 'from a variable' },
      ...variables,
    };
    const body = { name: pool, flow_id: flow.id, work_pool_name: pool, job_variables };
    const { id } = await createDeployment(api, body, soon());
    return (await createFlowRun(api, id, { parameters: {}, idempotency_key: pool }, soon())).id;
  }

  beforeAll(() => {
    api = openRigPrefect(rig.prefectApiUrl);
    cluster = openCluster(rig.kubeconfigPath);
  });
  afterEach(async () => {
    for (const one of workers) one.kill('SIGKILL');
    await Promise.all(workers.map((one) => one.ended));
    workers = [];
  });
  afterAll(() => api.close());

  it('the environment in a Secret that goes with the Job, and the key in one that stays', async () => {
    const id = await run('secretive', {});
    worker('secretive', {
      PREFECT_API_KEY: 'pnu_hunter2',
      [`${K}WORKER_CREATE_SECRET_FOR_API_KEY`]: 'true',
      [`${K}WORKER_STORE_ENV_AS_SECRET`]: 'true',
    });
    await eventually('the run has completed', async () => ((await state(id)) === 'COMPLETED' ? true : undefined));
    const made = await job(id);
    const container = made.spec?.template.spec?.containers[0];
    const reference = { secretKeyRef: { name: 'prefect-secretive-api-key', key: 'value' } };
    expect(container?.env).toEqual([{ name: 'PREFECT_API_KEY', valueFrom: reference }]);
    const [from] = container?.envFrom ?? [];
    const name = from?.secretRef?.name ?? '';
    const secret = await cluster.core.readNamespacedSecret({ name, namespace: NAMESPACE });
    expect(secret.metadata?.ownerReferences).toMatchObject([{ kind: 'Job', uid: made.metadata?.uid }]);
    expect(JSON.stringify(made)).not.toContain('hunter2');
    const which = { name: made.metadata?.name ?? '', namespace: NAMESPACE, propagationPolicy: 'Background' };
    await cluster.batch.deleteNamespacedJob(which);
    await eventually('its Secret is gone', async () => ((await secrets()).includes(name) ? undefined : true));
    expect(await secrets()).toContain('prefect-secretive-api-key');
  });

  it('with --run-once, a key that goes with the last Job', async () => {
    const id = await run('once-secretive', {});
    const env = { PREFECT_API_KEY: 'pnu_1', [`${K}WORKER_CREATE_SECRET_FOR_API_KEY`]: 'true' };
    expect(await worker('once-secretive', env, ['--run-once']).ended).toBe(0);
    const made = await job(id);
    await eventually('the run has completed', async () => ((await state(id)) === 'COMPLETED' ? true : undefined));
    expect(await secrets()).toContain('prefect-once-secretive-api-key');
    const which = { name: made.metadata?.name ?? '', namespace: NAMESPACE, propagationPolicy: 'Background' };
    await cluster.batch.deleteNamespacedJob(which);
    await eventually('its Secret is gone', async () =>
      (await secrets()).includes('prefect-once-secretive-api-key') ? undefined : true,
    );
  });

  it('a Job in the cluster that cluster_config names, once, although nobody watches there', async () => {
    const config = parse(readFileSync(rig.kubeconfigPath, 'utf8'));
    const cluster_config = { config, context_name: config['current-context'] };
    const id = await run('elsewhere', { cluster_config });
    const env = {
      SLIPWAY_WORKER_ORPHAN_AFTER_SECONDS: '1',
      SLIPWAY_WORKER_REPAIR_SECONDS: '1',
      [`${K}OBSERVER_NAMESPACES`]: 'kube-public',
    };
    const one = worker('elsewhere', env);
    await eventually('the run has completed', async () => ((await state(id)) === 'COMPLETED' ? true : undefined));
    expect(await cluster.jobs(id)).toHaveLength(1);
    expect(one.log()).toContain(`(cluster of context ${config['current-context']})`);
    const labels = await eventually('the run has its labels', async () => {
      const told = (await readFlowRun(api, id, soon())).labels ?? {};
      return told['prefect.worker.name'] === undefined ? undefined : told;
    });
    expect(labels).toMatchObject({ 'slipway.worker.cluster': config['current-context'] });
  });

  it('nothing for a cluster_config without that context, and the run says why', async () => {
    const config = parse(readFileSync(rig.kubeconfigPath, 'utf8'));
    const id = await run('nowhere', { cluster_config: { config, context_name: 'no-such' } });
    worker('nowhere');
    await eventually('the run has crashed', async () => ((await state(id)) === 'CRASHED' ? true : undefined));
    expect((await readFlowRun(api, id, soon())).state?.message).toContain('context "no-such", has no such context');
  });

  const cancel = (id: string) => setFlowRunState(api, id, { type: 'CANCELLING' }, { signal: soon() });

  it('is taken out again when a run is cancelled before its pod has started', async () => {
    const id = await run('cancelled', { image: `${rig.registry}/no-such-image:1` });
    worker('cancelled');
    await job(id);
    await eventually('its pod waits', async () =>
      (await cluster.pods(`prefect.io/flow-run-id=${id}`)).length > 0 ? true : undefined,
    );
    const begin = Date.now();
    expect(await cancel(id)).toMatchObject({ status: 'ACCEPT' });
    await eventually('the run is Cancelled', async () => ((await state(id)) === 'CANCELLED' ? true : undefined));
    console.log(`cancelled before its pod started: ${((Date.now() - begin) / 1000).toFixed(1)} s`);
    expect((await readFlowRun(api, id, soon())).state?.message).toBe('Flow run cancelled by worker while pending.');
    await eventually('the Job is gone', async () => ((await cluster.jobs(id)).length === 0 ? true : undefined));
  });

  it('stays when the pod of a cancelled run has started: that ends itself', async () => {
    const id = await run('running', { command: 'sleep 600' });
    const one = worker('running', { PREFECT_WORKER_CANCELLATION_POLL_SECONDS: '1', PREFECT_WORKER_DEBUG_MODE: 'true' });
    await eventually('its pod runs', async () =>
      (await cluster.pods(`prefect.io/flow-run-id=${id}`)).some(({ status }) => status?.phase === 'Running')
        ? true
        : undefined,
    );
    expect(await cancel(id)).toMatchObject({ status: 'ACCEPT' });
    await eventually('the worker has looked', async () =>
      one.count('is Cancelling: its pod has started') > 0 ? true : undefined,
    );
    expect(await state(id)).toBe('CANCELLING');
    const [made] = await cluster.jobs(id);
    await cluster.batch.deleteNamespacedJob({
      name: made?.metadata?.name ?? '',
      namespace: NAMESPACE,
      propagationPolicy: 'Background',
      gracePeriodSeconds: 0,
    });
  });
});
