import {
  createDeployment,
  createFlow,
  createFlowRun,
  createWorkPool,
  type PrefectApi,
  readFlowRuns,
} from '@slipway/prefect/client';
import type { Json } from '@slipway/prefect/json';
import { customizeTemplate, defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import { soon } from '../e2e/prefect.ts';
import type { RunAccount } from './accounts.ts';

/** A Job that is suspended never gets a pod: the cluster keeps it as it was created. */
const SUSPENDED = [{ op: 'add', path: '/job_configuration/job_manifest/spec/suspend', value: true }] as const;
/** Runs created at one time. A SQLite server refuses those that meet, and they come again. */
const AT_ONCE = 2;

/** A work pool with a deployment in it, of which runs can be made due. */
export interface DuePool {
  readonly name: string;
  /** Creates this many runs, all of them due. To be called once. */
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
  return {
    name,
    async add(count) {
      const keys = Array.from({ length: count }, (_, index) => `${name}-${index}`).values();
      const create = async () => {
        for (const idempotency_key of keys) {
          await createFlowRun(api, deployment.id, { parameters: {}, idempotency_key }, soon());
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, create));
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
