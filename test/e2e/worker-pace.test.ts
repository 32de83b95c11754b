import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { runsClaimedBy } from '../chaos/claims.ts';
import type { Asked, Fault } from '../chaos/faults.ts';
import { openScene } from '../chaos/scene.ts';
import { until } from '../journey/cluster.ts';
import { type OwnPrefect, startPrefectOnPostgresql } from './prefect-on-postgresql.ts';

/** What was refused waits for its own turn again, up to 15 s each time. */
const WITHIN_MS = 240_000;
const PASS: Fault = { kind: 'pass' };

/** The most that were under way at one time. */
const most = (numbers: readonly number[]) => Math.max(0, ...numbers);

interface Trouble {
  readonly fault: Fault;
  readonly count: number;
  /** It begins when so many have gone and two at a time were seen: on a busy machine the real server's own answers make the worker go slower as well. */
  readonly after: number;
}

/** Requests of one kind, each held up so that those under way at one time can be counted, with trouble in the middle. */
function troubled(isCounted: (asked: Asked) => boolean, heldMs: number, { fault, count, after }: Trouble) {
  let open = 0;
  /** How many were under way when each one came. */
  const seen: { before: number[]; during: number[]; afterwards: number[] } = { before: [], during: [], afterwards: [] };
  return {
    seen,
    async decide(asked: Asked): Promise<Fault> {
      if (!isCounted(asked)) return PASS;
      open += 1;
      const { before, during, afterwards } = seen;
      const isBefore = during.length === 0 && (before.length < after || most(before) < 2);
      const isDuring = !isBefore && during.length < count;
      const phase = isBefore ? before : isDuring ? during : afterwards;
      phase.push(open);
      await wait(heldMs);
      open -= 1;
      return isDuring ? fault : PASS;
    },
  };
}

describe('the pace of the worker', { timeout: WITHIN_MS + 60_000 }, () => {
  const { kubeconfigPath } = inject('rig');
  const folder = mkdtempSync(join(tmpdir(), 'slipway-pace-'));
  let prefect: OwnPrefect;
  beforeAll(async () => {
    prefect = await startPrefectOnPostgresql();
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await prefect.stop();
  });

  /** Lets a worker make Jobs of all runs, and sees that each has exactly one. */
  async function allMade(name: string, count: number, decide: (asked: Asked) => Promise<Fault>): Promise<void> {
    const { prefectApiUrl } = prefect;
    const scene = await openScene(name, { prefectApiUrl, kubeconfigPath, folder }, decide);
    try {
      await scene.addRuns(count);
      const worker = scene.startWorker();
      await until('every run has its Job', async () => (await scene.jobs()).length >= count || undefined, {
        timeoutMs: WITHIN_MS,
        describe: async () => worker.log().slice(-4_000),
      });
      const jobs = await scene.jobs();
      expect(new Set(jobs.map((job) => job.flowRunId)).size).toBe(count);
      expect(jobs).toHaveLength(count);
    } finally {
      await scene.close();
    }
  }

  /** Several before the trouble (it began, so they were seen), one at a time at its end, several again afterwards. */
  function expectSlowerAndFaster({ seen }: ReturnType<typeof troubled>, count: number): void {
    const story = JSON.stringify(seen);
    expect(seen.during, story).toHaveLength(count);
    expect(most(seen.during.slice(-3)), story).toBe(1);
    expect(most(seen.afterwards), story).toBeGreaterThanOrEqual(2);
  }

  it('creates fewer Jobs at a time while Kubernetes asks for less, and more again afterwards', async () => {
    const throttled: Fault = { kind: 'answer', status: 429, reason: 'TooManyRequests', retryAfter: 1 };
    const isCreate = ({ side, method, url }: Asked) =>
      side === 'kubernetes' && method === 'POST' && url.includes('/jobs');
    const creates = troubled(isCreate, 300, { fault: throttled, count: 40, after: 30 });
    await allMade('throttled', 80, creates.decide);
    expectSlowerAndFaster(creates, 40);
  });

  it('claims fewer runs at a time while Prefect is busy, and more again afterwards', async () => {
    const busy: Fault = { kind: 'answer', status: 503, reason: 'busy' };
    const isClaim = (asked: Asked) => runsClaimedBy(asked).length > 0;
    const claims = troubled(isClaim, 100, { fault: busy, count: 30, after: 15 });
    // Several go in one claim, and it takes some that are answered for two at a time again.
    await allMade('busy', 200, claims.decide);
    expectSlowerAndFaster(claims, 30);
  });
});
