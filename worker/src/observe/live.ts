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
    readLiveJobs(flowRunId, namespaces, kubernetes, signal),
    Promise.all(namespaces.map((namespace) => listPage(kubernetes, 'pods', namespace, query, signal))),
  ]);
  return { jobs, pods: pods.flatMap(({ items }) => items.flatMap((item) => readPod(item) ?? [])) };
}

/** The Jobs of one run as they are now. @throws when any of it cannot be read. */
export async function readLiveJobs(
  flowRunId: string,
  namespaces: Namespaces,
  kubernetes: Calls,
  signal: AbortSignal,
): Promise<readonly JobFact[]> {
  const query = { labelSelector: `${FLOW_RUN_LABEL}=${flowRunId}` };
  const pages = await Promise.all(
    namespaces.map((namespace) => listPage(kubernetes, 'jobs', namespace, query, signal)),
  );
  return pages.flatMap(({ items }) => items.flatMap((item) => readJob(item) ?? []));
}

/** All Jobs of flow runs in one namespace as they are now, page by page. @throws when any of it cannot be read. */
export async function readAllJobs(
  namespace: string,
  kubernetes: Calls,
  signal: AbortSignal,
): Promise<readonly JobFact[]> {
  const found: JobFact[] = [];
  let continueAt: string | undefined;
  do {
    const query = { labelSelector: FLOW_RUN_LABEL, limit: PAGE, continueAt };
    const page = await listPage(kubernetes, 'jobs', namespace, query, signal);
    found.push(...page.items.flatMap((item) => readJob(item) ?? []));
    continueAt = page.next;
  } while (continueAt !== undefined);
  return found;
}

const PAGE = 500;
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
