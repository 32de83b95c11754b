import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import {
  createDeployment,
  createFlow,
  createFlowRun,
  createWorkPool,
  type PrefectApi,
  readFlowRun,
} from '@slipway/prefect/client';
import { isFinal } from '@slipway/prefect/states';
import { customizeTemplate, defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Cluster, openCluster, until } from '../journey/cluster.ts';
import { POOL_PATCH } from '../journey/pool-patch.ts';
import { openRigPrefect, soon } from './prefect.ts';

const MAIN = resolve(import.meta.dirname, '../../worker/dist/main.js');
const POOL = 'outside';

/** The bundled worker as a process of this machine, beside a real cluster. */
describe('the worker outside a container', () => {
  const rig = inject('rig');
  let api: PrefectApi;
  let cluster: Cluster;
  let worker: ChildProcess;
  let log = '';
  let deploymentId: string;

  beforeAll(async () => {
    api = openRigPrefect(rig.prefectApiUrl);
    cluster = openCluster(rig.kubeconfigPath);
    const base_job_template = customizeTemplate(defaultKubernetesTemplate, {
      patch: POOL_PATCH.map((one) => ({ ...one })),
    });
    await createWorkPool(api, { name: POOL, type: 'kubernetes', base_job_template }, soon());
    const flow = await createFlow(api, 'outside-flow', soon());
    const body = {
      name: 'd',
      flow_id: flow.id,
      work_pool_name: POOL,
      entrypoint: 'f.py:f',
      parameter_openapi_schema: {},
    };
    deploymentId = (await createDeployment(api, body, soon())).id;
    worker = spawn(process.execPath, [MAIN, 'start', '--pool', POOL], {
      env: {
        PATH: process.env.PATH,
        PREFECT_API_URL: rig.prefectApiUrl,
        KUBECONFIG: rig.kubeconfigPath,
        PREFECT_WORKER_QUERY_SECONDS: '1',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [worker.stdout, worker.stderr]) stream?.on('data', (text) => (log += text));
    await until('the worker has started', async () => (log.includes('started!') ? true : undefined), {
      timeoutMs: 30_000,
      describe: async () => log,
    });
  });

  afterAll(async () => {
    if (worker.exitCode === null) worker.kill('SIGKILL');
    await api.close();
  });

  const runWith = async (key: string, job_variables: Record<string, string>) => {
    const run = await createFlowRun(api, deploymentId, { parameters: {}, idempotency_key: key, job_variables }, soon());
    return await until(
      'the run has ended',
      async () => {
        const record = await readFlowRun(api, run.id, soon());
        return record.state && isFinal(record.state.type) ? record : undefined;
      },
      { timeoutMs: 120_000, describe: async () => log },
    );
  };

  it('marks a run whose Job failed as Crashed, with the exit code', async () => {
    const run = await runWith('fails', {
      image: 'prefecthq/prefect:3-latest',
      command: "python3 -c 'raise SystemExit(3)'",
    });
    expect(run.state?.type).toBe('CRASHED');
    expect(run.state?.message).toContain('exit code 3');
    expect(await cluster.jobs(run.id)).toHaveLength(1);
  });

  it('marks a run that Kubernetes refuses as Crashed, with the reason and what to do', async () => {
    const run = await runWith('refused', { image: 'prefecthq/prefect:3-latest', namespace: 'nowhere' });
    expect(run.state?.type).toBe('CRASHED');
    expect(run.state?.message).toContain('namespace nowhere does not exist');
  });

  it('stops cleanly on SIGTERM', async () => {
    worker.kill('SIGTERM');
    const [code] = (await once(worker, 'exit')) as [number | null];
    expect(code, log).toBe(0);
    expect(log).toContain('stopped!');
  });
});
