/** A work pool, a namespace and a counting proxy before each of both real servers, for one worker at a time. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { createFlowRun } from '@slipway/prefect/client';
import { type DuePool, makeDuePool } from '../chaos/due-runs.ts';
import { makeCertificates } from '../clouds/certificates.ts';
import { openRigPrefect, soon } from '../e2e/prefect.ts';
import { type Cluster, openCluster, unlessGone, until } from '../journey/cluster.ts';
import type { Rig } from '../rig/rig-description.ts';
import { type CountingProxy, type Passing, startCountingProxy } from './counting-proxy.ts';
import { cpuSeconds } from './process-cost.ts';
import { kubernetesKind, prefectKind } from './request-kinds.ts';
import { WorkerMoments } from './worker-moments.ts';
import { type RunningWorker, type Side, startSide } from './worker-side.ts';

/** Of the Prefect server, and of its database when that is a process of its own. */
export interface ServerPids {
  readonly prefect: number;
  readonly database: number | undefined;
}

/** @throws Error when the rig has no Prefect server. */
export function serverPids(parts: Rig['parts']): ServerPids {
  const pidOf = (name: string) => parts.find((part) => part.name === name)?.pid;
  const prefect = pidOf('prefect-server');
  if (prefect === undefined) throw new Error('the rig has no part named prefect-server');
  return { prefect, database: pidOf('postgresql') };
}

/** The real servers, and the real Prefect to compare with. */
export interface BenchServers {
  /** `http://127.0.0.1:PORT/api` */
  readonly prefectApiUrl: string;
  readonly kubernetesApiUrl: string;
  readonly kubeconfigPath: string;
  /** An environment with the locked Prefect: programs are in its `bin`. */
  readonly prefectEnvironment: string;
  readonly pids: ServerPids;
  /** Where files may be written. */
  readonly folder: string;
}

export interface WatchedWorker {
  readonly process: RunningWorker;
  readonly moments: WorkerMoments;
}

export interface WorkerPlace {
  readonly namespace: string;
  readonly pids: ServerPids;
  readonly pool: DuePool;
  readonly cluster: Cluster;
  readonly prefect: CountingProxy;
  readonly kubernetes: CountingProxy;
  start(): Promise<WatchedWorker>;
  /** Makes one run due now, as a person does. @returns when it was asked for. */
  addOne(): Promise<number>;
  /** Jobs there are in the namespace. */
  countJobs(): Promise<number>;
  /** Ends the worker, removes Jobs and namespace, and waits until both are gone. */
  close(): Promise<void>;
}

/** @param name of pool and namespace. */
export async function openWorkerPlace(side: Side, name: string, servers: BenchServers): Promise<WorkerPlace> {
  const api = openRigPrefect(servers.prefectApiUrl);
  const cluster = openCluster(servers.kubeconfigPath);
  await cluster.core.createNamespace({ body: { metadata: { name } } });
  const token = await clusterAdmin(cluster, name);
  const pool = await makeDuePool(api, name, name);
  const folder = join(servers.folder, name);
  await mkdir(folder, { recursive: true });
  const certificates = await makeCertificates(join(folder, 'certificates'), ['127.0.0.1']);
  let current: WatchedWorker | undefined;
  const tell = (passing: Passing) => current?.moments.note(passing);
  const prefect = await startCountingProxy(new URL(servers.prefectApiUrl).origin, { kindOf: prefectKind, tell });
  const kubernetes = await startCountingProxy(servers.kubernetesApiUrl, {
    kindOf: kubernetesKind,
    tell,
    certificate: certificates,
    ca: trustedBy(servers.kubeconfigPath),
  });
  const pod = {
    folder,
    prefectApiUrl: `${prefect.url}/api`,
    kubernetesPort: kubernetes.port,
    serviceAccount: { token, namespace: name, authority: certificates.authority },
    settings: { PREFECT_SERVER_ANALYTICS_ENABLED: 'false' },
  };
  return {
    namespace: name,
    pids: servers.pids,
    pool,
    cluster,
    prefect,
    kubernetes,
    async start() {
      prefect.take();
      kubernetes.take();
      const process = await startSide(side, name, pod, join(servers.prefectEnvironment, 'bin/python'));
      current = { process, moments: new WorkerMoments(() => cpuSeconds(process.pid)) };
      return current;
    },
    async addOne() {
      const askedAt = performance.now();
      await createFlowRun(api, pool.deploymentId, { parameters: {}, idempotency_key: randomUUID() }, soon());
      return askedAt;
    },
    async countJobs() {
      return (await cluster.batch.listNamespacedJob({ namespace: name })).items.length;
    },
    async close() {
      await current?.process.stop();
      await Promise.all([prefect.close(), kubernetes.close(), api.close()]);
      await removeNamespace(cluster, name);
    },
  };
}

/** A service account of the namespace that may do everything. @returns its token. */
async function clusterAdmin({ core, rbac }: Cluster, namespace: string): Promise<string> {
  const name = 'worker';
  await core.createNamespacedServiceAccount({ namespace, body: { metadata: { name } } });
  await rbac.createClusterRoleBinding({
    body: {
      metadata: { name: namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
  });
  const body = { spec: { audiences: [], expirationSeconds: 86_400 } };
  const { status } = await core.createNamespacedServiceAccountToken({ name, namespace, body });
  if (status?.token === undefined) throw new Error('the API server gave no token');
  return status.token;
}

/** The certificate that a kubeconfig trusts, as PEM. */
function trustedBy(kubeconfigPath: string): string {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfigPath);
  const { caData, caFile } = config.getCurrentCluster() ?? {};
  if (caData !== undefined) return Buffer.from(caData, 'base64').toString();
  if (caFile !== undefined) return readFileSync(caFile, 'utf8');
  throw new Error(`${kubeconfigPath} names no certificate to trust`);
}

/** The next worker watches the whole cluster: it must not see what this one left. */
async function removeNamespace({ core, batch, rbac }: Cluster, namespace: string): Promise<void> {
  await batch.deleteCollectionNamespacedJob({ namespace, propagationPolicy: 'Background' });
  await rbac.deleteClusterRoleBinding({ name: namespace });
  await unlessGone(core.deleteNamespace({ name: namespace }));
  const gone = async () => {
    const { items } = await batch.listNamespacedJob({ namespace, limit: 1 });
    return items.length === 0 ? true : undefined;
  };
  await until(`no Job in ${namespace}`, gone, { timeoutMs: 120_000 });
}
