import { createDeployment, createFlow, createWorkPool, type PrefectApi, readFlowRuns } from '@slipway/prefect/client';
import type { Json } from '@slipway/prefect/json';
import { customizeTemplate, defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import { soon } from '../e2e/prefect.ts';
import type { RunAccount } from './accounts.ts';

/** A Job that is suspended never gets a pod: the cluster keeps it as it was created. */
const SUSPENDED = [{ op: 'add', path: '/job_configuration/job_manifest/spec/suspend', value: true }] as const;
/** The server makes no more in one request. */
const MOST_AT_ONCE = 100;

/** A work pool with a deployment in it, of which runs can be made due. */
export interface DuePool {
  readonly name: string;
  /** Creates this many runs, all of them due. */
  add(count: number): Promise<void>;
  runs(): Promise<RunAccount[]>;
}

/** Makes the pool; its Jobs go to the namespace and get no pods. */
export async function makeDuePool(api: PrefectApi, name: string, namespace: string): Promise<DuePool> {
  const base_job_template = customizeTemplate(defaultKubernetesTemplate, { patch: SUSPENDED as unknown as Json[] });
  await createWorkPool(api, { name, type: 'kubernetes', base_job_template }, soon());
  const flow = await createFlow(api, name, soon());
  const deployment = await createDeployment(
    api,
    {
      name,
      flow_id: flow.id,
      work_pool_name: name,
      job_variables: { namespace, image: 'prefecthq/prefect:3-latest' },
    },
    soon(),
  );
  let made = 0;
  return {
    name,
    async add(count) {
      for (const last = made + count; made < last; ) {
        const keys = Array.from(
          { length: Math.min(MOST_AT_ONCE, last - made) },
          (_, index) => `${name}-${made + index}`,
        );
        // In one request: one by one they would take the server half as long as the submissions.
        const body = JSON.stringify(keys.map((idempotency_key) => ({ parameters: {}, idempotency_key })));
        const url = `${api.settings.apiUrl}/deployments/${deployment.id}/create_flow_run/bulk`;
        const headers = { 'content-type': 'application/json' };
        await api.send(new Request(url, { method: 'POST', headers, body, signal: soon() }));
        made += keys.length;
      }
    },
    async runs() {
      const found = await readFlowRuns(api, { workPoolName: name }, soon());
      return found.map(({ id, state_type, state }) => ({
        id,
        state: state_type ?? 'SCHEDULED',
        message: state?.message ?? undefined,
      }));
    },
  };
}
