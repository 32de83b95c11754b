import { randomUUID } from 'node:crypto';
import type { WorkerPlace } from './worker-place.ts';

/** Requests at one time: what an API server takes without making others wait. */
const AT_ONCE = 16;

/**
 * Makes pods that belong to flow runs, as far as their labels say, and that nobody schedules.
 *
 * @returns what removes them.
 */
export async function makePods(
  { cluster, namespace, pool }: Pick<WorkerPlace, 'cluster' | 'namespace' | 'pool'>,
  count: number,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const left = Array.from({ length: count }, (_, index) => index).values();
  const make = async (): Promise<void> => {
    for (const index of left) {
      signal.throwIfAborted();
      const run = randomUUID();
      const labels = {
        'prefect.io/flow-run-id': run,
        'prefect.io/flow-run-name': `watched-${index}`,
        'prefect.io/flow-name': pool.name,
        'prefect.io/deployment-name': pool.name,
        'prefect.io/work-pool-name': pool.name,
        'job-name': `watched-${index}-${run.slice(0, 10)}`,
      };
      await cluster.core.createNamespacedPod({
        namespace,
        body: {
          metadata: { name: `watched-${index}`, labels },
          spec: {
            schedulerName: 'nobody',
            restartPolicy: 'Never',
            automountServiceAccountToken: false,
            containers: [{ name: 'prefect-job', image: 'prefecthq/prefect:3-latest' }],
          },
        },
      });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, make));
  return async () => {
    await cluster.core.deleteCollectionNamespacedPod({ namespace, gracePeriodSeconds: 0 });
  };
}
