/**
 * Workers in trouble, and the accounts afterwards: runs are made due while everything between the workers and both real
 * servers goes wrong now and then, and workers are killed and started again. When the trouble is over, each run must get
 * its one Job.
 *
 * Failure model: the servers themselves are asked for the accounts, past the proxies, so that what is counted is true.
 * Everything drawn by chance comes out of the seed; what the workers and servers do with it also hangs on time.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { openPrefectApi, type PrefectApi } from '@slipway/prefect/client';
import { readSettings } from '@slipway/prefect/settings';
import { startWorker, type WorkerProcess } from '../e2e/worker-process.ts';
import { Random } from '../fuzz/random.ts';
import { openCluster, unlessGone } from '../journey/cluster.ts';
import { type Accounts, balance, type JobAccount } from './accounts.ts';
import { type ChaosProxy, startChaosProxy } from './chaos-proxy.ts';
import { makeDuePool } from './due-runs.ts';
import { drawFault } from './faults.ts';

export interface ChaosOptions {
  readonly seed: number;
  readonly runs: number;
  readonly replicas: number;
  /** How often a worker is ended: two times of three by SIGKILL, else by SIGTERM; a new one takes its place at once. */
  readonly kills: number;
  /** How often a request meets a fault, 0 to 1. */
  readonly rate: number;
}

export interface ChaosPlace {
  /** `http://127.0.0.1:PORT/api` */
  readonly prefectApiUrl: string;
  readonly kubeconfigPath: string;
  /** Where a kubeconfig may be written. */
  readonly folder: string;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface ChaosReport {
  readonly accounts: Accounts;
  readonly seconds: number;
  /** By the server's name: how often each fault was met. */
  readonly faults: Readonly<Record<string, ReadonlyMap<string, number>>>;
  /** How the ended workers ended, and how often. */
  readonly endings: ReadonlyMap<string, number>;
  /** The last words of each worker that ended as it should not have. */
  readonly complaints: readonly string[];
}

/** Shorter than in production, so that what was interrupted is taken up again within the test. */
const IMPATIENT = {
  SLIPWAY_WORKER_REPAIR_SECONDS: '2',
  SLIPWAY_WORKER_ORPHAN_AFTER_SECONDS: '5',
  PREFECT_API_REQUEST_TIMEOUT: '10',
};
/** Without a change for this long, the trouble is over and something is still wrong: that is the result. */
const STANDSTILL_MS = 60_000;

/** Runs it and counts. @throws when the place does not work: no pool, no namespace, no worker. */
export async function runChaos(options: ChaosOptions, place: ChaosPlace): Promise<ChaosReport> {
  const { log, signal } = place;
  const api = openPatientApi(place.prefectApiUrl);
  const random = new Random(options.seed);
  const name = `chaos-${options.seed}-${Date.now().toString(36)}`;
  const begin = Date.now();
  const cluster = openCluster(place.kubeconfigPath);
  const jobs = async (): Promise<JobAccount[]> => {
    const listed = await cluster.batch.listNamespacedJob({ namespace: name });
    return listed.items.map(({ metadata }) => ({
      name: metadata?.name ?? '',
      flowRunId: metadata?.labels?.['prefect.io/flow-run-id'] ?? '',
    }));
  };

  await cluster.core.createNamespace({ body: { metadata: { name } } });
  const pool = await makeDuePool(api, name, name);
  const kubernetes = await kubernetesProxy(place.kubeconfigPath, (asked) => drawFault(asked, options.rate, random));
  const prefect = await startChaosProxy({ side: 'prefect', origin: new URL(place.prefectApiUrl).origin }, (asked) =>
    drawFault(asked, options.rate, random),
  );
  const kubeconfig = join(place.folder, `${name}.json`);
  writeFileSync(kubeconfig, kubernetes.kubeconfig, { mode: 0o600 });
  const env = { ...IMPATIENT, KUBECONFIG: kubeconfig, PREFECT_API_URL: `${prefect.url}/api` };
  const start = () => startWorker(name, env, ['--limit', '60', '--grace', '12']);
  const workers: WorkerProcess[] = [];
  const endings = new Map<string, number>();
  const complaints: string[] = [];

  async function end(worker: WorkerProcess, by: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    worker.kill(by);
    const ended = await worker.ended;
    const how = `${by} → ${ended}`;
    endings.set(how, (endings.get(how) ?? 0) + 1);
    // A process that is still being loaded is ended by any signal; it has claimed nothing.
    const unborn = ended === 'SIGTERM' && worker.log() === '';
    if (ended !== (by === 'SIGTERM' ? 0 : by) && !unborn) complaints.push(`${how}:\n${worker.log().slice(-3_000)}`);
  }

  const trouble = new AbortController();
  let kills = 0;
  /** Ends workers at random moments, each of which is followed by a new one. */
  async function killWorkers(): Promise<void> {
    while (kills < options.kills) {
      const at = random.below(workers.length);
      const victim = workers[at];
      // On a slow machine a worker would otherwise never come to its first run.
      while (!victim?.log().includes('started!')) await wait(200, undefined, { signal: trouble.signal });
      await wait(random.below(4_000), undefined, { signal: trouble.signal });
      workers[at] = start();
      kills += 1;
      await end(victim, random.chance(2 / 3) ? 'SIGKILL' : 'SIGTERM');
    }
  }

  const state = async () => balance(await pool.runs(), await jobs());
  /** Watches until each run has its Job, or nothing changes any more. */
  async function watch(): Promise<void> {
    let best = -1;
    for (let changedAt = Date.now(); Date.now() - changedAt < STANDSTILL_MS; ) {
      const asked = Date.now();
      const { right } = await state();
      if (right === options.runs) return;
      if (right !== best || kills < options.kills) changedAt = Date.now();
      best = right;
      log(`${right} of ${options.runs} runs have their Job; ${kills} workers ended`);
      // Looking costs the server as much as work does.
      await wait(Math.max(2_000, 4 * (Date.now() - asked)), undefined, { signal });
    }
    complaints.push(...workers.map((worker) => `standing still:\n${worker.log().slice(-3_000)}`));
  }

  try {
    for (let index = 0; index < options.replicas; index += 1) workers.push(start());
    const killing = killWorkers().catch((error: unknown) => {
      if (!trouble.signal.aborted) throw error;
    });
    await Promise.all([pool.add(options.runs), watch()]);
    trouble.abort(new Error('the trouble is over'));
    await killing;
    await Promise.all(workers.splice(0).map((worker) => end(worker, 'SIGTERM')));
    const accounts = await state();
    const faults = { Prefect: prefect.met, Kubernetes: kubernetes.proxy.met };
    return { accounts, seconds: (Date.now() - begin) / 1000, faults, endings, complaints };
  } finally {
    trouble.abort(new Error('the trouble is over'));
    for (const worker of workers) worker.kill('SIGKILL');
    await Promise.all([
      ...workers.map((worker) => worker.ended),
      prefect.close(),
      kubernetes.proxy.close(),
      api.close(),
    ]);
    await unlessGone(cluster.core.deleteNamespace({ name, propagationPolicy: 'Background' }));
  }
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
  decide: Parameters<typeof startChaosProxy>[1],
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
