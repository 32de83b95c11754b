import { listPage } from '../k8s/api.ts';
import type { KubernetesConnection } from '../k8s/connection.ts';
import { KubernetesApiError } from '../k8s/errors.ts';
import { FLOW_RUN_LABEL } from '../submit/submit.ts';
import { type JobFact, type PodFact, readJob, readPod } from './facts.ts';

/** Namespaces that are looked at; `undefined` in it stands for all of them. */
export type Namespaces = readonly (string | undefined)[];

/**
 * The Jobs and Pods of one run as they are now, read from the API server and not from a copy: what a decision that
 * cannot be taken back is confirmed with. @throws when any of it cannot be read.
 */
export async function readLiveRun(
  flowRunId: string,
  namespaces: Namespaces,
  kubernetes: KubernetesConnection,
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

/**
 * Which namespaces can be looked at: those that were configured, else all when that is allowed, else the ones that the
 * worker is certain to need.
 */
export async function chooseNamespaces(
  configured: readonly string[],
  needed: readonly string[],
  kubernetes: KubernetesConnection,
  signal: AbortSignal,
): Promise<Namespaces> {
  if (configured.length > 0) return configured;
  try {
    await listPage(kubernetes, 'jobs', undefined, { labelSelector: FLOW_RUN_LABEL, limit: 1 }, signal);
    return [undefined];
  } catch (error) {
    if (error instanceof KubernetesApiError && error.status === 403) return [...new Set(needed)];
    throw error;
  }
}
