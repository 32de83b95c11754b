import { fullJitter } from '../backoff.ts';
import { listPage } from '../k8s/api.ts';
import type { KubernetesConnection } from '../k8s/connection.ts';
import { KubernetesApiError } from '../k8s/errors.ts';
import { FLOW_RUN_LABEL } from '../render/labels.ts';
import type { World } from '../world.ts';
import { type JobFact, type PodFact, readJob, readPod } from './facts.ts';

/** Namespaces that are looked at; `undefined` in it stands for all of them. */
export type Namespaces = readonly (string | undefined)[];

type Calls = Pick<KubernetesConnection, 'call'>;

/**
 * The Jobs and Pods of one run as they are now, read from the API server and not from a copy: what a decision that
 * cannot be taken back is confirmed with. @throws when any of it cannot be read.
 */
export async function readLiveRun(
  flowRunId: string,
  namespaces: Namespaces,
  kubernetes: Calls,
  signal: AbortSignal,
): Promise<{ readonly jobs: readonly JobFact[]; readonly pods: readonly PodFact[] }> {
  const query = { labelSelector: `${FLOW_RUN_LABEL}=${flowRunId}` };
  const [jobs, pods] = await Promise.all([
    Promise.all(namespaces.map((namespace) => listPage(kubernetes, 'jobs', namespace, query, signal))),
    Promise.all(namespaces.map((namespace) => listPage(kubernetes, 'pods', namespace, query, signal))),
  ]);
  return {
    jobs: jobs.flatMap(({ items }) => items.flatMap((item) => readJob(item) ?? [])),
    pods: pods.flatMap(({ items }) => items.flatMap((item) => readPod(item) ?? [])),
  };
}

const RETRY = { firstMs: 1_000, mostMs: 30_000 };

/**
 * Which namespaces are looked at: those that were configured, else all when that is allowed, else the ones that the
 * worker is certain to need. The cluster is asked until it answers.
 */
export async function chooseNamespaces(
  configured: readonly string[],
  needed: readonly string[],
  kubernetes: Calls,
  world: World,
  signal: AbortSignal,
): Promise<Namespaces> {
  if (configured.length > 0) return configured;
  for (let failures = 1; ; failures += 1) {
    try {
      await listPage(kubernetes, 'jobs', undefined, { labelSelector: FLOW_RUN_LABEL, limit: 1 }, signal);
      return [undefined];
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof KubernetesApiError && error.status === 403) {
        const only = [...new Set(needed)];
        world.log.info(`The whole cluster may not be watched; watched are the namespaces ${only.join(', ')}`);
        return only;
      }
      const reason = error instanceof Error ? error.message : String(error);
      world.log.warning(`The cluster cannot be read: ${reason}; trying again`);
      await world.clock.sleep(fullJitter(failures, RETRY, world.random), signal);
    }
  }
}
