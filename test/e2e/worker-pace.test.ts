import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, inject, it } from 'vitest';
import type { Asked, Fault } from '../chaos/faults.ts';
import { openScene } from '../chaos/scene.ts';
import { until } from '../journey/cluster.ts';

const RUNS = 80;
/** What was refused waits for its own turn again, up to 15 s each time. */
const WITHIN_MS = 240_000;
const PASS: Fault = { kind: 'pass' };

/** Requests of one kind, each held up so that those under way at one time can be counted. */
function counted(isCounted: (asked: Asked) => boolean, heldMs: number, fate: (index: number) => Fault) {
  let open = 0;
  /** How many were under way when each one came. */
  const seen: number[] = [];
  return {
    seen,
    async decide(asked: Asked): Promise<Fault> {
      if (!isCounted(asked)) return PASS;
      open += 1;
      const index = seen.push(open) - 1;
      await wait(heldMs);
      open -= 1;
      return fate(index);
    },
  };
}

describe('the pace of the worker', { timeout: WITHIN_MS + 60_000 }, () => {
  const { prefectApiUrl, kubeconfigPath } = inject('rig');
  const folder = mkdtempSync(join(tmpdir(), 'slipway-pace-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Lets a worker make Jobs of all runs, and sees that each has exactly one. */
  async function allMade(name: string, decide: (asked: Asked) => Promise<Fault>): Promise<void> {
    const scene = await openScene(name, { prefectApiUrl, kubeconfigPath, folder }, decide);
    try {
      await scene.addRuns(RUNS);
      const worker = scene.startWorker();
      await until('every run has its Job', async () => (await scene.jobs()).length >= RUNS || undefined, {
        timeoutMs: WITHIN_MS,
        describe: async () => worker.log().slice(-4_000),
      });
      const jobs = await scene.jobs();
      expect(new Set(jobs.map((job) => job.flowRunId)).size).toBe(RUNS);
      expect(jobs).toHaveLength(RUNS);
    } finally {
      await scene.close();
    }
  }
  const most = (numbers: readonly number[]) => Math.max(0, ...numbers);

  it('creates fewer Jobs at a time while Kubernetes asks for less, and more again afterwards', async () => {
    const TROUBLE = { from: 30, count: 40 };
    const throttled: Fault = { kind: 'answer', status: 429, reason: 'TooManyRequests', retryAfter: 1 };
    const isCreate = ({ side, method, url }: Asked) =>
      side === 'kubernetes' && method === 'POST' && url.includes('/jobs');
    const creates = counted(isCreate, 300, (index) =>
      index >= TROUBLE.from && index < TROUBLE.from + TROUBLE.count ? throttled : PASS,
    );
    await allMade('throttled', creates.decide);
    const { seen } = creates;
    const end = TROUBLE.from + TROUBLE.count;
    expect(most(seen.slice(0, TROUBLE.from)), seen.join()).toBeGreaterThanOrEqual(3);
    expect(most(seen.slice(end - 3, end)), seen.join()).toBe(1);
    expect(most(seen.slice(-20)), seen.join()).toBeGreaterThanOrEqual(3);
  });

  it('claims fewer runs at a time while Prefect is busy, and more again afterwards', async () => {
    const TROUBLE = { from: 20, count: 60 };
    const busy: Fault = { kind: 'answer', status: 503, reason: 'busy' };
    const isClaim = ({ side, method, url }: Asked) =>
      side === 'prefect' && method === 'POST' && url.endsWith('/set_state');
    const claims = counted(isClaim, 100, (index) =>
      index >= TROUBLE.from && index < TROUBLE.from + TROUBLE.count ? busy : PASS,
    );
    await allMade('busy', claims.decide);
    const { seen } = claims;
    const end = TROUBLE.from + TROUBLE.count;
    expect(most(seen.slice(0, TROUBLE.from)), seen.join()).toBeGreaterThanOrEqual(3);
    expect(most(seen.slice(end - 5, end)), seen.join()).toBe(1);
    expect(most(seen.slice(end + 20)), seen.join()).toBeGreaterThanOrEqual(2);
  });
});
