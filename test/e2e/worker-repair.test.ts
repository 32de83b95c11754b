import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { type Asked, isWatch } from '../chaos/faults.ts';
import { openScene } from '../chaos/scene.ts';
import { until } from '../journey/cluster.ts';

const RUNS = 60;

describe('the sweep for interrupted submissions', () => {
  const { prefectApiUrl, kubeconfigPath } = inject('rig');
  const folder = mkdtempSync(join(tmpdir(), 'slipway-repair-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('costs nothing for runs that wait with their Jobs, however many they are', async () => {
    let asked: Asked[] = [];
    const scene = await openScene('waiting', { prefectApiUrl, kubeconfigPath, folder }, (one) => {
      asked.push(one);
      return { kind: 'pass' };
    });
    try {
      await scene.addRuns(RUNS);
      const worker = scene.startWorker();
      await until('all have their Jobs', async () => (await scene.jobs()).length >= RUNS || undefined, {
        timeoutMs: 120_000,
        describe: async () => worker.log().slice(-4_000),
      });
      // Long enough for each of them to look abandoned.
      await wait(8_000);
      asked = [];
      // Two sweeps at least, which come every two seconds, give or take a quarter.
      await wait(6_000);
      const seen = asked.map(({ side, method, url }) => `${side} ${method} ${url}`).join('\n');
      expect(seen).toContain('prefect POST /api/flow_runs/filter');
      const looks = asked.filter((one) => one.method === 'GET' && /\/flow_runs\/|flow_run_states/.test(one.url));
      expect(looks, seen).toEqual([]);
      expect(
        asked.filter((one) => one.side === 'kubernetes' && !isWatch(one)),
        seen,
      ).toEqual([]);
      expect(await scene.jobs()).toHaveLength(RUNS);
      expect(worker.count('taking it up'), worker.log()).toBe(0);
    } finally {
      await scene.close();
    }
  });
});
