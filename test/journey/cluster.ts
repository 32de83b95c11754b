import { setTimeout as wait } from 'node:timers/promises';
import {
  ApiException,
  AppsV1Api,
  BatchV1Api,
  CoreV1Api,
  KubeConfig,
  RbacAuthorizationV1Api,
  type V1Job,
  type V1Pod,
} from '@kubernetes/client-node';

/** The rig's Kubernetes as tests look at it. */
export interface Cluster {
  readonly core: CoreV1Api;
  readonly apps: AppsV1Api;
  readonly batch: BatchV1Api;
  readonly rbac: RbacAuthorizationV1Api;
  /** Jobs of a flow run, or all that belong to flow runs. */
  jobs(flowRunId?: string): Promise<V1Job[]>;
  pods(labelSelector: string): Promise<V1Pod[]>;
  podLog(name: string): Promise<string>;
}

export const NAMESPACE = 'default';

export function openCluster(kubeconfigPath: string): Cluster {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfigPath);
  const core = config.makeApiClient(CoreV1Api);
  const batch = config.makeApiClient(BatchV1Api);
  return {
    core,
    batch,
    apps: config.makeApiClient(AppsV1Api),
    rbac: config.makeApiClient(RbacAuthorizationV1Api),
    async jobs(flowRunId) {
      const labelSelector = flowRunId === undefined ? 'prefect.io/flow-run-id' : `prefect.io/flow-run-id=${flowRunId}`;
      return (await batch.listNamespacedJob({ namespace: NAMESPACE, labelSelector })).items;
    },
    pods: async (labelSelector) => (await core.listNamespacedPod({ namespace: NAMESPACE, labelSelector })).items,
    async podLog(name) {
      try {
        return await core.readNamespacedPodLog({ name, namespace: NAMESPACE });
      } catch (error) {
        return `(no log: ${error instanceof Error ? error.message : String(error)})`;
      }
    },
  };
}

/** Does something that may find its object gone already. */
export async function unlessGone(action: Promise<unknown>): Promise<void> {
  try {
    await action;
  } catch (error) {
    if (!(error instanceof ApiException) || error.code !== 404) throw error;
  }
}

/** Asks until there is an answer. @throws Error naming what was waited for, with the last word of `describe`. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  options: { readonly timeoutMs: number; readonly describe?: () => Promise<string>; readonly signal?: AbortSignal },
): Promise<T> {
  const ends = Date.now() + options.timeoutMs;
  for (;;) {
    options.signal?.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > ends) {
      const more = options.describe === undefined ? '' : `: ${await options.describe()}`;
      throw new Error(`${what}: not within ${options.timeoutMs / 1000} s${more}`);
    }
    await wait(250);
  }
}
