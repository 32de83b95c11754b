/**
 * Workers in trouble, and the accounts afterwards: runs are made due while everything between the workers and both real
 * servers goes wrong now and then, and workers are killed and started again. When the trouble is over, each run must have
 * its one Job.
 *
 * Failure model: the servers themselves are asked for the accounts, past the proxies, so that what is counted is true.
 * Everything drawn by chance comes out of the seed; what the workers and servers do with it also hangs on time.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { WorkerProcess } from '../e2e/worker-process.ts';
import { Random } from '../fuzz/random.ts';
import { type Accounts, balance } from './accounts.ts';
import { drawFault } from './faults.ts';
import { type ChaosPlace, openScene } from './scene.ts';

export interface ChaosOptions {
  readonly seed: number;
  readonly runs: number;
  readonly replicas: number;
  /** How often a worker is ended: two times of three by SIGKILL, else by SIGTERM; a new one takes its place at once. */
  readonly kills: number;
  /** How often a request meets a fault, 0 to 1. */
  readonly rate: number;
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

/** How far it has come. */
export interface ChaosProgress {
  readonly jobs: number;
  readonly kills: number;
}

/** Without a change for this long, the trouble is over and something is still wrong: that is the result. */
const STANDSTILL_MS = 240_000;
/** Runs made due at one time, and how many of them without a Job are few enough to make more. */
const SERVING = { runs: 50, left: 150 };

/** Runs it and counts. @throws when the place does not work: no pool, no namespace, no worker. */
export async function runChaos(
  options: ChaosOptions,
  place: ChaosPlace,
  tell: (progress: ChaosProgress) => void,
  signal: AbortSignal,
): Promise<ChaosReport> {
  const random = new Random(options.seed);
  const begin = Date.now();
  const name = `chaos-${options.seed}-${begin.toString(36)}`;
  const scene = await openScene(name, place, (asked) => drawFault(asked, options.rate, random));
  const workers: WorkerProcess[] = [];
  const endings = new Map<string, number>();
  const complaints: string[] = [];
  let made = 0;
  let jobs = 0;
  let kills = 0;

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
  const inTrouble = AbortSignal.any([signal, trouble.signal]);
  /** Ends workers all along the way, each at a moment of its own, and each followed by a new one. */
  async function killWorkers(): Promise<void> {
    const moments = Array.from({ length: options.kills }, () => random.below(options.runs)).sort((a, b) => a - b);
    for (const moment of moments) {
      const at = random.below(workers.length);
      const victim = workers[at];
      // On a slow machine a worker would otherwise never come to its first run.
      while (jobs < moment || !victim?.log().includes('started!')) await wait(100, undefined, { signal: inTrouble });
      await wait(random.below(2_000), undefined, { signal: inTrouble });
      workers[at] = scene.startWorker();
      kills += 1;
      await end(victim, random.chance(2 / 3) ? 'SIGKILL' : 'SIGTERM');
    }
  }

  const state = async () => balance(await scene.runs(), await scene.jobs());
  /** Makes runs due as the others get their Jobs. */
  async function makeRuns(): Promise<void> {
    while (made < options.runs) {
      while (made - jobs > SERVING.left) await wait(200, undefined, { signal: inTrouble });
      const more = Math.min(SERVING.runs, options.runs - made);
      await scene.addRuns(more);
      made += more;
    }
  }

  /** Watches until each run has its Job, or nothing changes any more. */
  async function watch(): Promise<void> {
    let before = '';
    for (let changedAt = Date.now(); Date.now() - changedAt < STANDSTILL_MS; ) {
      const asked = Date.now();
      jobs = await scene.countJobs();
      const right = jobs < options.runs ? 0 : (await state()).right;
      if (right === options.runs && kills === options.kills) return;
      const now = `${made} ${jobs} ${right} ${kills}`;
      if (now !== before) changedAt = Date.now();
      before = now;
      tell({ jobs, kills });
      // Looking at all of them costs the server as much as work does.
      await wait(Math.max(1_000, 4 * (Date.now() - asked)), undefined, { signal });
    }
    complaints.push(...workers.map((worker) => `standing still:\n${worker.log().slice(-3_000)}`));
  }

  try {
    for (let index = 0; index < options.replicas; index += 1) workers.push(scene.startWorker());
    const unlessOver = (work: Promise<void>) =>
      work.catch((error: unknown) => {
        if (!inTrouble.aborted) throw error;
      });
    const over = watch().finally(() => trouble.abort(new Error('the trouble is over')));
    await Promise.all([over, unlessOver(makeRuns()), unlessOver(killWorkers())]);
    await Promise.all(workers.splice(0).map((worker) => end(worker, 'SIGTERM')));
    const accounts = await state();
    const faults = { Prefect: scene.prefect.met, Kubernetes: scene.kubernetes.met };
    return { accounts, seconds: (Date.now() - begin) / 1000, faults, endings, complaints };
  } finally {
    trouble.abort(new Error('the trouble is over'));
    await scene.close();
  }
}
