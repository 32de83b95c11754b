import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PrefectApi } from '@slipway/prefect/client';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { type DuePool, makeDuePool } from '../chaos/due-runs.ts';
import { type Cluster, NAMESPACE, openCluster, until } from '../journey/cluster.ts';
import { openRigPrefect } from './prefect.ts';
import { startWorker, type WorkerProcess } from './worker-process.ts';

/** A pipe that is full from the first. */
interface FullPipe {
  readonly writer: number;
  /** The reader dies. */
  closeReader(): void;
}

function fullPipe(folder: string): FullPipe {
  const path = join(folder, `pipe-${Math.random().toString(36).slice(2)}`);
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  const filling = Buffer.alloc(4096, '\n');
  try {
    for (;;) writeSync(writer, filling);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
  }
  return { writer, closeReader: () => closeSync(reader) };
}

describe('a worker whose log nobody reads', () => {
  const rig = inject('rig');
  let api: PrefectApi;
  let cluster: Cluster;
  let pool: DuePool;
  let folder: string;
  let worker: WorkerProcess | undefined;

  beforeAll(async () => {
    api = openRigPrefect(rig.prefectApiUrl);
    cluster = openCluster(rig.kubeconfigPath);
    folder = mkdtempSync(join(tmpdir(), 'slipway-log-'));
  });
  afterEach(async () => {
    worker?.kill('SIGKILL');
    await worker?.ended;
    await cluster.batch.deleteCollectionNamespacedJob({
      namespace: NAMESPACE,
      labelSelector: `prefect.io/work-pool-name=${pool.name}`,
      propagationPolicy: 'Background',
    });
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await api.close();
  });

  it.each(['hangs', 'has died'])('makes Jobs and ends in time when the reader %s', async (what) => {
    const { writer, closeReader } = fullPipe(folder);
    pool = await makeDuePool(api, `unread-${what.replace(' ', '-')}`, NAMESPACE);
    worker = startWorker(pool.name, { ...rig.env, PREFECT_WORKER_DEBUG_MODE: 'true' }, ['--grace', '8'], writer);
    closeSync(writer);
    await pool.add(1);
    const made = async () =>
      (await cluster.jobs()).filter((job) => job.metadata?.labels?.['prefect.io/work-pool-name'] === pool.name).length;
    const makes = (count: number) =>
      until(`${count} Jobs`, async () => (await made()) === count || undefined, { timeoutMs: 60_000 });
    await makes(1);
    if (what === 'has died') closeReader();
    await pool.add(1);
    await makes(2);
    const begin = Date.now();
    worker.kill('SIGTERM');
    expect(await worker.ended, worker.log()).toBe(0);
    expect(Date.now() - begin).toBeLessThan(8_000 + 4_000);
    if (what === 'hangs') closeReader();
  });
});
