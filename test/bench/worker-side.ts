import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

export type Side = 'python' | 'slipway';

/** Where a worker runs: a pod, as far as it can tell. */
export interface WorkerPod {
  /** A folder of its own: HOME, and the service account's files. */
  readonly folder: string;
  /** `http://127.0.0.1:PORT/api` */
  readonly prefectApiUrl: string;
  /** The port of the Kubernetes API on 127.0.0.1. */
  readonly kubernetesPort: number;
  readonly serviceAccount: {
    readonly token: string;
    readonly namespace: string;
    /** PEM of the authority to trust. */
    readonly authority: string;
  };
  readonly settings: Readonly<Record<string, string>>;
}

export interface RunningWorker {
  readonly pid: number;
  /** By performance.now(). */
  readonly startedAt: number;
  /** All it has said so far. */
  log(): string;
  /** True when it has ended, by itself or not. */
  hasEnded(): boolean;
  /** SIGTERM, and SIGKILL when it does not end by that. */
  stop(): Promise<void>;
}

/** A pod's service account is mounted where both workers look for it; here in a mount namespace of the worker's own. */
const IN_POD = `set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/secrets/kubernetes.io
ln -s "$1" /run/secrets/kubernetes.io/serviceaccount
shift
exec "$@"
`;
const MAIN = resolve(import.meta.dirname, '../../worker/dist/main.js');
const STOP_MS = 40_000;

/**
 * Starts a worker for a pool with default settings, as it runs in a cluster: by its service account, over TLS.
 *
 * @param python of an environment with the locked Prefect.
 */
export async function startSide(side: Side, pool: string, pod: WorkerPod, python: string): Promise<RunningWorker> {
  const account = join(pod.folder, 'serviceaccount');
  await mkdir(account, { recursive: true });
  const { token, namespace, authority } = pod.serviceAccount;
  await writeFile(join(account, 'token'), token, { mode: 0o600 });
  await writeFile(join(account, 'namespace'), namespace);
  await writeFile(join(account, 'ca.crt'), authority);
  const start = ['worker', 'start', '--pool', pool, '--type', 'kubernetes', '--name', side];
  const command = side === 'python' ? [python, '-m', 'prefect', ...start] : [MAIN, ...start];
  const startedAt = performance.now();
  const child = spawn(
    'unshare',
    ['--mount', '--propagation=private', '--', 'sh', '-c', IN_POD, 'pod', account, ...command],
    {
      env: {
        // For the worker's first line: the node that runs this is found first.
        PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
        HOME: pod.folder,
        LANG: 'C.UTF-8',
        KUBERNETES_SERVICE_HOST: '127.0.0.1',
        KUBERNETES_SERVICE_PORT: String(pod.kubernetesPort),
        PREFECT_API_URL: pod.prefectApiUrl,
        ...pod.settings,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  return running(child, startedAt);
}

function running(child: ChildProcess, startedAt: number): RunningWorker {
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  let hasEnded = false;
  const ended = new Promise<void>((done) => {
    const end = () => {
      hasEnded = true;
      done();
    };
    child.once('exit', end);
    child.once('error', (error) => {
      said += String(error);
      end();
    });
  });
  return {
    pid: child.pid ?? 0,
    startedAt,
    log: () => said,
    hasEnded: () => hasEnded,
    async stop() {
      if (hasEnded) return;
      child.kill('SIGTERM');
      const late = new AbortController();
      const killing = wait(STOP_MS, undefined, { signal: late.signal }).then(
        () => child.kill('SIGKILL'),
        () => undefined,
      );
      await ended;
      late.abort();
      await killing;
    },
  };
}
