import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import type { V1Deployment } from '@kubernetes/client-node';
import type { Rig } from '../rig/rig-description.ts';

/** What of the rig the worker's Deployment needs. */
type RigAddresses = Pick<Rig, 'prefectApiUrl' | 'registry' | 'kubernetesPort' | 'env'>;

import { type Cluster, NAMESPACE, unlessGone, until } from './cluster.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const NAME = 'slipway-worker';

/** What the worker may do in its namespace; the same verbs as the official chart's Role. */
const RULES = [
  { apiGroups: ['batch'], resources: ['jobs'], verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'] },
  { apiGroups: [''], resources: ['pods', 'pods/log', 'pods/status', 'events'], verbs: ['get', 'list', 'watch'] },
];

/** Builds the worker's image from its own Dockerfile and pushes it to the rig's registry. */
export async function pushWorkerImage(rig: RigAddresses): Promise<string> {
  const image = `${rig.registry}/slipway-worker:test`;
  const args = [
    'buildx',
    'build',
    '--progress=plain',
    '--provenance=false',
    '--push',
    '-t',
    image,
    '-f',
    'worker/Dockerfile',
    '.',
  ];
  await promisify(execFile)('docker', args, { cwd: ROOT, env: { ...process.env, ...rig.env }, maxBuffer: 64 << 20 });
  return image;
}

/** Starts the worker as a Deployment, not as root and on a read-only root, and waits until its pod is ready. */
export async function deployWorker(cluster: Cluster, rig: RigAddresses, image: string, pool: string): Promise<void> {
  const metadata = { name: NAME, namespace: NAMESPACE };
  await removeWorker(cluster);
  await cluster.core.createNamespacedServiceAccount({ namespace: NAMESPACE, body: { metadata } });
  await cluster.rbac.createNamespacedRole({ namespace: NAMESPACE, body: { metadata, rules: RULES } });
  await cluster.rbac.createNamespacedRoleBinding({
    namespace: NAMESPACE,
    body: {
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: NAME },
      subjects: [{ kind: 'ServiceAccount', name: NAME, namespace: NAMESPACE }],
    },
  });
  await cluster.apps.createNamespacedDeployment({ namespace: NAMESPACE, body: manifest(rig, image, pool) });
  await until(
    'the worker’s pod is ready',
    async () => ((await readyWorkerPods(cluster)).length > 0 ? true : undefined),
    {
      timeoutMs: 120_000,
      describe: () => describeWorker(cluster),
    },
  );
}

/** Names of the worker's pods that are ready and not being deleted. */
export async function readyWorkerPods(cluster: Cluster): Promise<string[]> {
  return (await cluster.pods(`app=${NAME}`))
    .filter((pod) => pod.metadata?.deletionTimestamp === undefined)
    .filter((pod) => pod.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'))
    .flatMap((pod) => pod.metadata?.name ?? []);
}

/** Deletes a pod at once, as a node failure would: no grace, the container is killed. */
export async function killPod(cluster: Cluster, name: string): Promise<void> {
  await cluster.core.deleteNamespacedPod({ name, namespace: NAMESPACE, gracePeriodSeconds: 0 });
}

/** State and log of the worker's pods, for a message when something does not happen. */
export async function describeWorker(cluster: Cluster): Promise<string> {
  const pods = await cluster.pods(`app=${NAME}`);
  const parts = pods.map(async (pod) => {
    const states = JSON.stringify(pod.status?.containerStatuses?.map((one) => one.state));
    return `${pod.metadata?.name} ${pod.status?.phase} ${states}\n${await cluster.podLog(pod.metadata?.name ?? '')}`;
  });
  return (await Promise.all(parts)).join('\n');
}

export async function removeWorker(cluster: Cluster): Promise<void> {
  const which = { name: NAME, namespace: NAMESPACE };
  await unlessGone(cluster.apps.deleteNamespacedDeployment(which));
  await unlessGone(cluster.rbac.deleteNamespacedRoleBinding(which));
  await unlessGone(cluster.rbac.deleteNamespacedRole(which));
  await unlessGone(cluster.core.deleteNamespacedServiceAccount(which));
  await until(
    'the worker’s pods are gone',
    async () => ((await cluster.pods(`app=${NAME}`)).length === 0 ? true : undefined),
    {
      timeoutMs: 60_000,
    },
  );
}

function manifest(rig: RigAddresses, image: string, pool: string): V1Deployment {
  const labels = { app: NAME };
  const env = {
    HOME: '/home/prefect',
    PREFECT_API_ENABLE_HTTP2: 'true',
    PREFECT_DEBUG_MODE: 'false',
    PREFECT_KUBERNETES_CLUSTER_UID: '',
    PREFECT_API_URL: rig.prefectApiUrl,
    PREFECT_WORKER_QUERY_SECONDS: '2',
    PREFECT_INTEGRATIONS_KUBERNETES_OBSERVER_NAMESPACES: NAMESPACE,
    // There is no kube-proxy in the rig: the API server is reached on the host's loopback.
    KUBERNETES_SERVICE_HOST: '127.0.0.1',
    KUBERNETES_SERVICE_PORT: String(rig.kubernetesPort),
    PREFECT_WORKER_WEBSERVER_PORT: '0',
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: NAME, namespace: NAMESPACE, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          hostNetwork: true,
          serviceAccountName: NAME,
          terminationGracePeriodSeconds: 30,
          securityContext: { runAsNonRoot: true, fsGroup: 1001, seccompProfile: { type: 'RuntimeDefault' } },
          volumes: [{ name: 'scratch', emptyDir: {} }],
          containers: [
            {
              name: 'worker',
              image,
              imagePullPolicy: 'Always',
              // As the official chart renders it (Helm chart prefect-worker, templates/deployment.yaml).
              command: ['/usr/bin/tini', '-g', '--', '/opt/prefect/entrypoint.sh'],
              args: [
                'prefect',
                'worker',
                'start',
                '--type',
                'kubernetes',
                '--pool',
                pool,
                '--install-policy',
                'prompt',
              ],
              workingDir: '/home/prefect',
              env: Object.entries(env).map(([name, value]) => ({ name, value })),
              securityContext: {
                readOnlyRootFilesystem: true,
                allowPrivilegeEscalation: false,
                capabilities: { drop: ['ALL'] },
              },
              volumeMounts: [
                { name: 'scratch', mountPath: '/home/prefect', subPath: 'home' },
                { name: 'scratch', mountPath: '/tmp', subPath: 'tmp' },
              ],
            },
          ],
        },
      },
    },
  };
}
