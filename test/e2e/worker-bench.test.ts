import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { benchWorker } from '../bench/worker.ts';
import { serverPids } from '../bench/worker-place.ts';
import { callsTable, workerTable } from '../bench/worker-table.ts';

describe('the bench of the worker', () => {
  const { parts, prefectApiUrl, kubeconfigPath, kubernetesPort, prefectEnvironment } = inject('rig');
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('measures both workers on the same servers, and has a figure for everything', async () => {
    const kubernetesApiUrl = `https://127.0.0.1:${kubernetesPort}`;
    const servers = {
      prefectApiUrl,
      kubernetesApiUrl,
      kubeconfigPath,
      prefectEnvironment,
      folder,
      pids: serverPids(parts),
    };
    const options = { runs: 3, latency: 1, idleSeconds: 2, starts: 0, pods: 5, sides: ['python', 'slipway'] } as const;
    const figures = await benchWorker(options, servers, console.log, AbortSignal.timeout(400_000));
    const table = workerTable(figures);
    for (const line of table.split('\n').slice(1)) expect(line).toMatch(/ {2}\d+(\.\d+)? +\d+(\.\d+)?( |$)/);
    expect([figures.python?.burst.jobs, figures.slipway?.burst.jobs]).toEqual([3, 3]);
    const calls = callsTable(figures);
    expect(calls).toMatch(/POST \/apis\/batch\/v1\/namespaces\/:namespace\/jobs +1\.00 +1\.00/);
    expect(calls).toMatch(/POST \/flow_runs\/:id\/set_state +\d+\.\d+ +\d+\.\d+/);
  }, 420_000);
});
