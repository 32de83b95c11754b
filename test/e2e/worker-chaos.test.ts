import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { balance } from '../chaos/accounts.ts';
import { type ChaosOptions, runChaos } from '../chaos/chaos.ts';
import type { Decide } from '../chaos/chaos-proxy.ts';
import { runsClaimedBy } from '../chaos/claims.ts';
import { type ChaosPlace, openScene } from '../chaos/scene.ts';
import { until } from '../journey/cluster.ts';
import { type OwnPrefect, startPrefectOnPostgresql } from './prefect-on-postgresql.ts';

/** The short form of `npm run test:chaos`. */
const SHORT = { seed: 20_261_126, runs: 200, replicas: 2, kills: 4, rate: 0.06 };
/** On SQLite, which adds refusals of its own. */
const ON_SQLITE = { ...SHORT, runs: 40, kills: 2 };
const IN_FLIGHT = 50;
/** Everything here takes a minute or two; on a busy machine nothing but the machine is slow. */
const TIMEOUT_MS = 1_200_000;

/** What makes such a run alone; `--sqlite` as well for the one that is. */
const commandOf = (options: ChaosOptions) =>
  ['npm run test:chaos --', ...Object.entries(options).map(([name, value]) => `--${name} ${value}`)].join(' ');

/** Keeps the answer to the first claim of each run back; the server has accepted it. */
function keepClaims() {
  const released = Promise.withResolvers<void>();
  const kept = new Set<string>();
  const asked = new Set<string>();
  const decide: Decide = (request) => {
    const runs = runsClaimedBy(request).filter((run) => !asked.has(run));
    if (runs.length === 0) return { kind: 'pass' };
    for (const run of runs) asked.add(run);
    const done = () => {
      for (const run of runs) kept.add(run);
    };
    return { kind: 'withheld', done, until: released.promise };
  };
  return { decide, kept, release: () => released.resolve() };
}

describe('workers in trouble', () => {
  const rig = inject('rig');
  let prefect: OwnPrefect;
  let place: ChaosPlace;
  beforeAll(async () => {
    prefect = await startPrefectOnPostgresql();
    const folder = mkdtempSync(join(tmpdir(), 'slipway-chaos-'));
    place = { prefectApiUrl: prefect.prefectApiUrl, kubeconfigPath: rig.kubeconfigPath, folder };
  });
  afterAll(async () => {
    rmSync(place.folder, { recursive: true, force: true });
    await prefect.stop();
  });

  async function expectOneJobEach(options: ChaosOptions, where: ChaosPlace, signal: AbortSignal): Promise<void> {
    const { accounts, complaints } = await runChaos(options, where, () => undefined, signal);
    const right = { right: options.runs, lost: [], double: [], strange: [] };
    expect({ ...accounts, complaints }, commandOf(options)).toEqual({ ...right, complaints: [] });
  }

  it(
    'make exactly one Job of each of 200 runs, through proxies that break and although they are killed',
    ({ signal }) => expectOneJobEach(SHORT, place, signal),
    TIMEOUT_MS,
  );

  it(
    'do so beside a server on SQLite',
    ({ signal }) => expectOneJobEach(ON_SQLITE, { ...place, prefectApiUrl: rig.prefectApiUrl }, signal),
    TIMEOUT_MS,
  );

  it(
    'leave none of 50 runs Pending without a Job when they are told to end before their claims are answered',
    async ({ signal }) => {
      const claims = keepClaims();
      const scene = await openScene(`drained-${Date.now().toString(36)}`, place, claims.decide);
      try {
        await scene.addRuns(IN_FLIGHT);
        // A worker of its own pace takes fewer than 50 before it has heard an answer. Sweeps are to stay out of it.
        const patient = { SLIPWAY_WORKER_ORPHAN_AFTER_SECONDS: '3600' };
        const workers = [scene.startWorker(patient, '120'), scene.startWorker(patient, '120')];
        await until('50 claims are unanswered', async () => (claims.kept.size === IN_FLIGHT ? true : undefined), {
          timeoutMs: TIMEOUT_MS,
          signal,
          describe: async () => `${claims.kept.size}: ${workers.map((one) => one.log().slice(-2_000)).join('\n')}`,
        });
        for (const one of workers) one.kill('SIGTERM');
        for (const one of workers) {
          await until('the worker drains', async () => (one.count('no more runs are taken') > 0 ? true : undefined), {
            timeoutMs: TIMEOUT_MS,
            signal,
          });
        }
        claims.release();
        expect(await Promise.all(workers.map((one) => one.ended))).toEqual([0, 0]);
        const [runs, jobs] = [await scene.runs(), await scene.jobs()];
        const withJob = new Set(jobs.map(({ flowRunId }) => flowRunId));
        expect(jobs).toHaveLength(withJob.size);
        const wrong = runs.filter(({ id, state }) => state !== (withJob.has(id) ? 'PENDING' : 'SCHEDULED'));
        expect(wrong).toEqual([]);
        const next = scene.startWorker();
        const all = async () =>
          balance(await scene.runs(), await scene.jobs()).right === IN_FLIGHT ? true : undefined;
        await until('each has its Job', all, {
          timeoutMs: TIMEOUT_MS,
          signal,
          describe: async () => next.log().slice(-3_000),
        });
      } finally {
        claims.release();
        await scene.close();
      }
    },
    TIMEOUT_MS,
  );

  it(
    'give runs the time that they need with --run-once, however short the grace is',
    async ({ signal }) => {
      const released = Promise.withResolvers<void>();
      let asked = 0;
      const scene = await openScene(`once-${Date.now().toString(36)}`, place, ({ side, method, url }) => {
        if (side !== 'kubernetes' || method !== 'POST' || !url.includes('/jobs')) return { kind: 'pass' };
        asked += 1;
        return { kind: 'withheld', done: () => undefined, until: released.promise };
      });
      try {
        await scene.addRuns(3);
        const one = scene.startWorker({}, '8', ['--run-once']);
        await until('its Jobs are asked for', async () => (asked === 3 ? true : undefined), {
          timeoutMs: 120_000,
          signal,
          describe: async () => one.log(),
        });
        // More than the whole grace: then it would cut its requests, and hand back what has no Job.
        expect(await Promise.race([one.ended, wait(10_000, 'it waits', { signal })]), one.log()).toBe('it waits');
        released.resolve();
        expect(await one.ended, one.log()).toBe(0);
        expect(balance(await scene.runs(), await scene.jobs()).right).toBe(3);
      } finally {
        released.resolve();
        await scene.close();
      }
    },
    TIMEOUT_MS,
  );

  it(
    'end at once when they are told a second time',
    async ({ signal }) => {
      const claims = keepClaims();
      const scene = await openScene(`twice-${Date.now().toString(36)}`, place, claims.decide);
      try {
        await scene.addRuns(1);
        const one = scene.startWorker({ PREFECT_API_REQUEST_TIMEOUT: '3600' }, '3600');
        const says = (text: string) => async () => (one.count(text) > 0 ? true : undefined);
        await until('a claim is unanswered', async () => (claims.kept.size > 0 ? true : undefined), {
          timeoutMs: TIMEOUT_MS,
          signal,
        });
        one.kill('SIGTERM');
        await until('the worker drains', says('no more runs are taken'), { timeoutMs: TIMEOUT_MS, signal });
        one.kill('SIGTERM');
        expect(await one.ended).toBe(143);
      } finally {
        claims.release();
        await scene.close();
      }
    },
    TIMEOUT_MS,
  );
});
