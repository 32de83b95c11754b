import {
  createDeployment,
  createFlow,
  createWorkPool,
  createWorkQueue,
  type PrefectApi,
  readFlowRuns,
} from '@slipway/prefect/client';
import { customizeTemplate, defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Cluster, NAMESPACE, openCluster, until } from '../journey/cluster.ts';
import { openRigPrefect, soon } from './prefect.ts';
import { type OwnPrefect, startPrefectOnPostgresql } from './prefect-on-postgresql.ts';
import { startWorker, type WorkerProcess } from './worker-process.ts';

/** Jobs are made and never started. */
const SUSPENDED = [{ op: 'add', path: '/job_configuration/job_manifest/spec/suspend', value: true }] as const;
const POOL = 'queues';
/** In the order of their priority. */
const RUNS = { urgent: 10, flood: 300, few: 5 } as const;
type Queue = keyof typeof RUNS;
const QUEUES = Object.keys(RUNS) as Queue[];

/** Most of it is the server making the runs due. */
const TIMEOUT_MS = 300_000;

describe('the queues of a pool', { timeout: TIMEOUT_MS }, () => {
  const rig = inject('rig');
  let prefect: OwnPrefect;
  let api: PrefectApi;
  let cluster: Cluster;
  let worker: WorkerProcess | undefined;

  beforeAll(async () => {
    prefect = await startPrefectOnPostgresql();
    api = openRigPrefect(prefect.prefectApiUrl);
    cluster = openCluster(rig.kubeconfigPath);
  });
  afterEach(async () => {
    worker?.kill('SIGKILL');
    await worker?.ended;
    await cluster.batch.deleteCollectionNamespacedJob({
      namespace: NAMESPACE,
      labelSelector: `prefect.io/work-pool-name=${POOL}`,
      propagationPolicy: 'Background',
    });
  });
  afterAll(async () => {
    await api.close();
    await prefect.stop();
  });

  /** Makes the runs of a queue due now, a hundred in a request. */
  async function makeDue(queue: Queue, flow_id: string): Promise<void> {
    const job_variables = { image: 'prefecthq/prefect:3-latest' };
    const where = { work_pool_name: POOL, work_queue_name: queue };
    const { id } = await createDeployment(api, { name: queue, flow_id, ...where, job_variables }, soon());
    const keys = Array.from({ length: RUNS[queue] }, (_, index) => `${queue}-${index}`);
    for (let begin = 0; begin < keys.length; begin += 100) {
      const part = keys.slice(begin, begin + 100);
      const body = JSON.stringify(part.map((idempotency_key) => ({ parameters: {}, idempotency_key })));
      const url = `${api.settings.apiUrl}/deployments/${id}/create_flow_run/bulk`;
      const headers = { 'content-type': 'application/json' };
      // What failed in passing is told in the answer alone; the same keys make no run twice.
      const send = async () => {
        await api.send(new Request(url, { method: 'POST', headers, body, signal: soon() }));
        const found = await readFlowRuns(api, { workPoolName: POOL }, soon());
        return found.filter((run) => run.work_queue_name === queue).length === begin + part.length || undefined;
      };
      await until(`${begin + part.length} runs in queue ${queue}`, send, { timeoutMs: 60_000 });
    }
  }

  it('start by priority, and a flood in one starves none behind it', async () => {
    const base_job_template = customizeTemplate(defaultKubernetesTemplate, { patch: [...SUSPENDED] });
    await createWorkPool(api, { name: POOL, type: 'kubernetes', base_job_template }, soon());
    for (const [index, name] of QUEUES.entries()) {
      await createWorkQueue(api, POOL, { name, priority: index + 1 }, soon());
    }
    const flow = await createFlow(api, 'queues-test', soon());
    // The flood was there first, the urgent runs came last.
    for (const queue of ['flood', 'few', 'urgent'] as const) await makeDue(queue, flow.id);
    const runs = await readFlowRuns(api, { workPoolName: POOL }, soon());
    const queueOf = new Map(runs.map(({ id, work_queue_name }) => [id, work_queue_name]));
    expect(runs).toHaveLength(RUNS.urgent + RUNS.flood + RUNS.few);

    worker = startWorker(POOL, { ...rig.env, PREFECT_API_URL: prefect.prefectApiUrl });
    const log = () => worker?.log() ?? '';
    /** The queues of the runs whose Jobs were made, in that order. */
    const made = () =>
      log()
        .split('\n')
        .flatMap((line) => (line.includes(' created for flow run ') ? [JSON.parse(line) as { flowRun: string }] : []))
        .map(({ flowRun }) => queueOf.get(flowRun));
    const order = await until(
      'the runs of the small queues have their Jobs',
      async () => {
        const queues = made();
        const count = (queue: Queue) => queues.filter((one) => one === queue).length;
        return count('urgent') >= RUNS.urgent && count('few') >= RUNS.few ? queues : undefined;
      },
      { timeoutMs: 150_000, describe: async () => log().slice(-4_000) },
    );
    // Two polls bring all of them, the first with room for 32; of the flood most is still to come.
    expect(order.lastIndexOf('urgent'), order.join()).toBeLessThan(48);
    expect(order.filter((queue) => queue === 'flood').length, order.join()).toBeLessThan(RUNS.flood / 2);
    expect(order.lastIndexOf('urgent')).toBeLessThan(order.lastIndexOf('few'));
  });
});
