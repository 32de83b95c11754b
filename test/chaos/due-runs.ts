import { createDeployment, createFlow, createWorkPool, type PrefectApi, readFlowRuns } from '@slipway/prefect/client';
import type { Json } from '@slipway/prefect/json';
import { customizeTemplate, defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import * as z from 'zod';
import type { RunAccount } from './accounts.ts';

/** A Job that is suspended never gets a pod: the cluster keeps it as it was created. */
const SUSPENDED = [{ op: 'add', path: '/job_configuration/job_manifest/spec/suspend', value: true }] as const;
/** On a machine that is busy with everything at once, a server takes its time. */
const patiently = (): AbortSignal => AbortSignal.timeout(900_000);
/** The server makes no more in one request. */
const MOST_AT_ONCE = 100;

/** A work pool with a deployment in it, of which runs can be made due. */
export interface DuePool {
  readonly name: string;
  readonly deploymentId: string;
  /** Creates this many runs, all of them due. */
  add(count: number): Promise<void>;
  runs(): Promise<RunAccount[]>;
}

/** Makes the pool; its Jobs go to the namespace and get no pods. */
export async function makeDuePool(api: PrefectApi, name: string, namespace: string): Promise<DuePool> {
  const base_job_template = customizeTemplate(defaultKubernetesTemplate, { patch: SUSPENDED as unknown as Json[] });
  await createWorkPool(api, { name, type: 'kubernetes', base_job_template }, patiently());
  const flow = await createFlow(api, name, patiently());
  const deployment = await createDeployment(
    api,
    {
      name,
      flow_id: flow.id,
      work_pool_name: name,
      job_variables: { namespace, image: 'prefecthq/prefect:3-latest' },
    },
    patiently(),
  );
  const post = async (path: string, content: unknown): Promise<unknown> => {
    const body = JSON.stringify(content);
    const headers = { 'content-type': 'application/json' };
    const url = `${api.settings.apiUrl}${path}`;
    return await (await api.send(new Request(url, { method: 'POST', headers, body, signal: patiently() }))).json();
  };
  /** Creates runs in one request: one by one they would take the server half as long as their submission. */
  async function create(keys: readonly string[]): Promise<void> {
    const runs = keys.map((idempotency_key) => ({ parameters: {}, idempotency_key }));
    const filter = { flow_runs: { idempotency_key: { any_: keys } } };
    // A SQLite server with several writers says of runs that they are made, and they are not.
    for (let found = 0; found < keys.length; ) {
      await post(`/deployments/${deployment.id}/create_flow_run/bulk`, runs);
      found = z.number().parse(await post('/flow_runs/count', filter));
    }
  }
  let made = 0;
  return {
    name,
    deploymentId: deployment.id,
    async add(count) {
      const keys = Array.from({ length: count }, (_, index) => `${name}-${made + index}`);
      made += count;
      for (let first = 0; first < count; first += MOST_AT_ONCE) await create(keys.slice(first, first + MOST_AT_ONCE));
    },
    async runs() {
      const found = await readFlowRuns(api, { workPoolName: name }, patiently());
      return found.map(({ id, state_type, state, infrastructure_pid }) => ({
        id,
        state: state_type ?? 'SCHEDULED',
        message: state?.message ?? undefined,
        pid: infrastructure_pid ?? undefined,
      }));
    },
  };
}
