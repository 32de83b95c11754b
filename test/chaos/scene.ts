/**
 * A namespace, a work pool and a proxy before each of the two real servers, with workers that know only the proxies. What
 * is counted is read past the proxies, from the servers themselves.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { openPrefectApi, type PrefectApi } from '@slipway/prefect/client';
import { readSettings } from '@slipway/prefect/settings';
import { startWorker, type WorkerProcess } from '../e2e/worker-process.ts';
import { openCluster, unlessGone } from '../journey/cluster.ts';
import type { JobAccount, RunAccount } from './accounts.ts';
import { type ChaosProxy, type Decide, startChaosProxy } from './chaos-proxy.ts';
import { makeDuePool } from './due-runs.ts';

export interface ChaosPlace {
  /** `http://127.0.0.1:PORT/api` */
  readonly prefectApiUrl: string;
  readonly kubeconfigPath: string;
  /** Where a kubeconfig may be written. */
  readonly folder: string;
}

export interface Scene {
  /** Of its work pool and of its namespace. */
  readonly name: string;
  /** Creates this many due runs. */
  addRuns(count: number): Promise<void>;
  runs(): Promise<RunAccount[]>;
  jobs(): Promise<JobAccount[]>;
  /** How many Jobs there are: a look that costs the server next to nothing. */
  countJobs(): Promise<number>;
  /** A worker of the pool, which reaches both servers through the proxies. @param more of its environment. */
  startWorker(more?: Readonly<Record<string, string>>, graceSeconds?: string, flags?: readonly string[]): WorkerProcess;
  readonly prefect: ChaosProxy;
  readonly kubernetes: ChaosProxy;
  /** Kills the workers that still run, and removes everything. */
  close(): Promise<void>;
}

/** Shorter than in production, so that what was interrupted is taken up again within the test. */
const IMPATIENT = {
  SLIPWAY_WORKER_REPAIR_SECONDS: '10',
  SLIPWAY_WORKER_ORPHAN_AFTER_SECONDS: '12',
  PREFECT_API_REQUEST_TIMEOUT: '10',
};

/** @param decide what becomes of each request of the workers. */
export async function openScene(name: string, place: ChaosPlace, decide: Decide): Promise<Scene> {
  const api = openPatientApi(place.prefectApiUrl);
  const cluster = openCluster(place.kubeconfigPath);
  await cluster.core.createNamespace({ body: { metadata: { name } } });
  const pool = await makeDuePool(api, name, name);
  const kubernetes = await kubernetesProxy(place.kubeconfigPath, decide);
  const prefect = await startChaosProxy({ side: 'prefect', origin: new URL(place.prefectApiUrl).origin }, decide);
  const kubeconfig = join(place.folder, `${name}.json`);
  writeFileSync(kubeconfig, kubernetes.kubeconfig, { mode: 0o600 });
  // What the Jobs of other scenes go through is nothing to these workers.
  const own = { PREFECT_INTEGRATIONS_KUBERNETES_OBSERVER_NAMESPACES: name };
  const env = { ...IMPATIENT, ...own, KUBECONFIG: kubeconfig, PREFECT_API_URL: `${prefect.url}/api` };
  const workers = new Set<WorkerProcess>();
  return {
    name,
    prefect,
    kubernetes: kubernetes.proxy,
    addRuns: (count) => pool.add(count),
    runs: () => pool.runs(),
    async jobs() {
      const listed = await cluster.batch.listNamespacedJob({ namespace: name });
      return listed.items.map(({ metadata }) => ({
        name: metadata?.name ?? '',
        flowRunId: metadata?.labels?.['prefect.io/flow-run-id'] ?? '',
      }));
    },
    async countJobs() {
      const { items, metadata } = await cluster.batch.listNamespacedJob({ namespace: name, limit: 1 });
      return items.length + (metadata?.remainingItemCount ?? 0);
    },
    startWorker(more = {}, graceSeconds = '12', flags = []) {
      const worker = startWorker(name, { ...env, ...more }, ['--limit', '60', '--grace', graceSeconds, ...flags]);
      workers.add(worker);
      return worker;
    },
    async close() {
      for (const worker of workers) worker.kill('SIGKILL');
      await Promise.all([...workers].map((worker) => worker.ended));
      await Promise.all([prefect.close(), kubernetes.proxy.close(), api.close()]);
      await unlessGone(cluster.core.deleteNamespace({ name, propagationPolicy: 'Background' }));
    },
  };
}

/** Asks again and again with short pauses: a SQLite server's 503 is over in milliseconds. */
function openPatientApi(url: string): PrefectApi {
  const settings = { ...readSettings({ PREFECT_API_URL: url }), maxRetries: 50, retryJitterFactor: 1 };
  return openPrefectApi(settings, {
    clock: { now: Date.now, sleep: (ms, signal) => wait(Math.min(ms, 1_000), undefined, { signal }) },
    random: () => Math.random() / 8,
    log: { debug: () => undefined, warning: () => undefined },
    product: 'slipway-test',
  });
}

/** A proxy before the cluster of a kubeconfig, and a kubeconfig with the same user that leads to it. */
async function kubernetesProxy(
  path: string,
  decide: Decide,
): Promise<{ readonly proxy: ChaosProxy; readonly kubeconfig: string }> {
  const config = new KubeConfig();
  config.loadFromFile(path);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error(`${path} names no cluster`);
  const { caData, caFile, server } = cluster;
  const ca = caData === undefined ? caFile && readFileSync(caFile, 'utf8') : Buffer.from(caData, 'base64').toString();
  const proxy = await startChaosProxy({ side: 'kubernetes', origin: server, ...(ca ? { ca } : {}) }, decide);
  const to = new KubeConfig();
  to.loadFromOptions({
    // client-node sends a token over plain HTTP only when told that certificates do not matter.
    clusters: [{ name: 'chaos', server: proxy.url, skipTLSVerify: true }],
    users: [{ ...config.getCurrentUser(), name: 'chaos' }],
    contexts: [{ name: 'chaos', cluster: 'chaos', user: 'chaos' }],
    currentContext: 'chaos',
  });
  return { proxy, kubeconfig: to.exportConfig() };
}
