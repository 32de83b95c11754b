import { setTimeout as sleep } from 'node:timers/promises';
import { BatchV1Api, CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import type { Rig } from './rig-description.ts';

const NAMESPACE = 'default';
const TIMEOUT_MS = 120_000;

function clientOf(rig: Rig): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(rig.kubeconfigPath);
  return config;
}

/** Asks again until the answer is there. */
async function until<T>(what: string, signal: AbortSignal, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + TIMEOUT_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`${what}: not after ${TIMEOUT_MS / 1000} s`);
    await sleep(200, undefined, { signal });
  }
}

/**
 * Runs a Job of one pod on the host's network to its end.
 *
 * @returns the pod's log; throws when the Job failed.
 */
export async function runJob(
  rig: Rig,
  name: string,
  image: string,
  args: string[],
  signal: AbortSignal,
): Promise<string> {
  const config = clientOf(rig);
  const batch = config.makeApiClient(BatchV1Api);
  const core = config.makeApiClient(CoreV1Api);
  const container = { name: 'main', image, args };
  const pod = { hostNetwork: true, restartPolicy: 'Never', containers: [container] };
  await batch.createNamespacedJob({
    namespace: NAMESPACE,
    body: { metadata: { name }, spec: { backoffLimit: 0, template: { spec: pod } } },
  });
  const end = await until(`the Job ${name} ends`, signal, async () => {
    const { status } = await batch.readNamespacedJob({ namespace: NAMESPACE, name });
    return status?.conditions?.find(({ type }) => type === 'Complete' || type === 'Failed')?.type;
  });
  const pods = await core.listNamespacedPod({ namespace: NAMESPACE, labelSelector: `job-name=${name}` });
  const podName = pods.items[0]?.metadata?.name ?? '';
  const log = await core.readNamespacedPodLog({ namespace: NAMESPACE, name: podName });
  if (end !== 'Complete') throw new Error(`the Job ${name} ended ${end}: ${log}`);
  return log;
}

/** Starts a pod that runs until someone ends it, on a network of its own, so that the pods' bridge exists. */
export async function startSleepingPod(rig: Rig, signal: AbortSignal): Promise<void> {
  const core = clientOf(rig).makeApiClient(CoreV1Api);
  const container = { name: 'main', image: `${rig.registry}/slipway-rig/pause:1` };
  const body = { metadata: { name: 'sleeping' }, spec: { containers: [container], terminationGracePeriodSeconds: 0 } };
  await core.createNamespacedPod({ namespace: NAMESPACE, body });
  await until('the pod runs', signal, async () => {
    const { status } = await core.readNamespacedPod({ namespace: NAMESPACE, name: 'sleeping' });
    return status?.phase === 'Running' ? true : undefined;
  });
}
