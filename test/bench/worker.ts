/**
 * The worker beside Prefect's own: each in a pool of its own on the same two servers, one after the other, through
 * proxies that count. No pod ever starts, so what is measured is the way from a due run to its Job.
 *
 * Failure model: a worker that ends, or does not come to its first poll, ends the bench with the end of its log. One that
 * does not make all Jobs is what was to be found out: the figures say how many there are.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Traffic } from './counting-proxy.ts';
import { load } from './measure.ts';
import { cpuSeconds, exactCpuSeconds, memoryMegabytes } from './process-cost.ts';
import { type ServerLoad, watchLoad } from './server-load.ts';
import { type BenchServers, openWorkerPlace, type WatchedWorker, type WorkerPlace } from './worker-place.ts';
import { makePods } from './worker-pods.ts';
import type { Side } from './worker-side.ts';

export interface WorkerBenchOptions {
  /** Due runs of the burst. */
  readonly runs: number;
  /** Ad-hoc runs, one at a time. */
  readonly latency: number;
  /** How long an idle worker is looked at. */
  readonly idleSeconds: number;
  /** How often a worker is started for nothing but to be timed. */
  readonly starts: number;
  /** Pods of flow runs in the cluster for a worker to watch; 0: this is left out. */
  readonly pods: number;
  readonly sides: readonly Side[];
}

export interface Start {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
}

export interface SideFigures {
  /** Process start to first poll. */
  readonly starts: readonly Start[];
  readonly idle: {
    readonly memoryMegabytes: number;
    readonly cpuMillicores: number;
    readonly prefectRequestsAMinute: number;
    readonly kubernetesRequestsAMinute: number;
  };
  /** Of each ad-hoc run, request to create it until its Job exists; empty when none was asked for. */
  readonly latencySeconds: readonly number[];
  readonly burst: {
    readonly runs: number;
    /** Jobs that exist in the end. */
    readonly jobs: number;
    readonly firstPollSeconds: number;
    /** From the first poll. */
    readonly firstJobSeconds: number;
    readonly lastJobSeconds: number;
    /** From the first poll until no more work was done. */
    readonly cpuSeconds: number;
    readonly peakMegabytes: number;
    /** Of the Prefect server and of its database, from the first poll until the last Job; SQLite is a part of the server. */
    readonly servers: { readonly prefect: ServerLoad; readonly database: ServerLoad | undefined };
    readonly prefect: Traffic;
    readonly kubernetes: Traffic;
  };
  /** With so many pods in the cluster, when they are known. */
  readonly watched: { readonly pods: number; readonly memoryMegabytes: number } | undefined;
}

export type WorkerFigures = Partial<Record<Side, SideFigures>>;

const FIRST_POLL_MS = 120_000;
/** As long as no poll interval is: then every run that was due has been seen. */
const ONE_JOB_MS = 120_000;
/** What a worker writes of a run comes within this time after what it wrote before. */
const QUIET_MS = 4_000;
/** Workers that watch pods have taken note of them after this time. */
const KNOWN_MS = 15_000;
/** Between two ad-hoc runs at most: longer than Prefect's poll interval of ten seconds. */
const LONGEST_GAP_MS = 10_000;

export async function benchWorker(
  options: WorkerBenchOptions,
  servers: BenchServers,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<WorkerFigures> {
  const figures: WorkerFigures = {};
  for (const side of options.sides) {
    const tell = (line: string) => log(`${side}: ${line} (load ${load()})`);
    const place = await openWorkerPlace(side, `bench-${side}-${Date.now().toString(36)}`, servers);
    try {
      figures[side] = await benchSide(place, options, tell, signal);
    } finally {
      await place.close();
    }
  }
  return figures;
}

type Tell = (line: string) => void;

async function benchSide(
  place: WorkerPlace,
  options: WorkerBenchOptions,
  tell: Tell,
  signal: AbortSignal,
): Promise<SideFigures> {
  const starts: Start[] = [];
  for (let index = 0; index < options.starts; index += 1) {
    const worker = await place.start();
    const start = await firstPoll(worker, signal);
    starts.push(start);
    tell(
      `start ${index + 1}: first poll after ${start.wallSeconds.toFixed(2)} s, ${start.cpuSeconds.toFixed(2)} s CPU`,
    );
    await worker.process.stop();
  }
  const resting = await place.start();
  starts.push(await firstPoll(resting, signal));
  const idle = await measureIdle(resting, place, options.idleSeconds, signal);
  tell(`idle: ${idle.memoryMegabytes.toFixed(0)} MB, ${idle.cpuMillicores.toFixed(2)} m`);
  const latencySeconds = await measureLatency(resting, place, options.latency, tell, signal);
  await resting.process.stop();
  const burst = await measureBurst(place, options.runs, tell, signal);
  const watched = options.pods === 0 ? undefined : await measureWatched(place, options.pods, tell, signal);
  return { starts, idle, latencySeconds, burst, watched };
}

async function firstPoll({ process, moments }: WatchedWorker, signal: AbortSignal): Promise<Start> {
  await until(process, 'its first poll', () => moments.firstPoll !== undefined, FIRST_POLL_MS, signal);
  const { at, cpuSeconds } = moments.firstPoll ?? { at: 0, cpuSeconds: 0 };
  return { wallSeconds: (at - process.startedAt) / 1000, cpuSeconds };
}

async function measureIdle(
  { process: { pid } }: WatchedWorker,
  { prefect, kubernetes }: WorkerPlace,
  seconds: number,
  signal: AbortSignal,
): Promise<SideFigures['idle']> {
  // Whatever follows the first poll is not idling yet.
  await wait(QUIET_MS, undefined, { signal });
  prefect.take();
  kubernetes.take();
  const before = exactCpuSeconds(pid);
  await wait(seconds * 1000, undefined, { signal });
  const aMinute = 60 / seconds;
  return {
    memoryMegabytes: memoryMegabytes(pid).now,
    cpuMillicores: ((exactCpuSeconds(pid) - before) / seconds) * 1000,
    prefectRequestsAMinute: prefect.take().requests * aMinute,
    kubernetesRequestsAMinute: kubernetes.take().requests * aMinute,
  };
}

async function measureLatency(
  { process, moments }: WatchedWorker,
  place: WorkerPlace,
  count: number,
  tell: Tell,
  signal: AbortSignal,
): Promise<number[]> {
  const all: number[] = [];
  for (let index = 0; index < count; index += 1) {
    // At any moment between two polls, the last of which was just before.
    await wait(Math.random() * LONGEST_GAP_MS, undefined, { signal });
    const before = moments.jobs.length;
    const askedAt = await place.addOne();
    await until(process, 'the Job of an ad-hoc run', () => moments.jobs.length > before, ONE_JOB_MS, signal);
    const seconds = ((moments.jobs.at(before) ?? Number.NaN) - askedAt) / 1000;
    all.push(seconds);
    tell(`ad-hoc run ${index + 1}: its Job after ${seconds.toFixed(2)} s`);
  }
  return all;
}

async function measureBurst(
  place: WorkerPlace,
  runs: number,
  tell: Tell,
  signal: AbortSignal,
): Promise<SideFigures['burst']> {
  const jobsBefore = await place.countJobs();
  await place.pool.add(runs);
  tell(`${runs} runs are due`);
  const { process, moments } = await place.start();
  const { wallSeconds, cpuSeconds: untilPoll } = await firstPoll({ process, moments }, signal);
  const polledAt = moments.firstPoll?.at ?? 0;
  const serverLoad = watchLoad(place.pids.prefect);
  const databaseLoad = place.pids.database === undefined ? undefined : watchLoad(place.pids.database);
  const lastDoneAt = () => Math.max(moments.workedAt, moments.jobs.at(-1) ?? 0, polledAt);
  const over = () => {
    const quietMs = performance.now() - lastDoneAt();
    return quietMs > (moments.jobs.length >= runs ? QUIET_MS : ONE_JOB_MS);
  };
  for (let told = 0, seen = 0; !over(); ) {
    if (process.hasEnded()) throw new Error(`the worker has ended: ${process.log().slice(-2_000)}`);
    await wait(200, undefined, { signal });
    if (moments.jobs.length > seen) for (const each of [serverLoad, databaseLoad]) each?.note();
    seen = moments.jobs.length;
    if (moments.jobs.length < told + runs / 5) continue;
    told = moments.jobs.length;
    tell(`${told} of ${runs} Jobs after ${((performance.now() - polledAt) / 1000).toFixed(1)} s`);
  }
  const used = cpuSeconds(process.pid) - untilPoll;
  const { peak } = memoryMegabytes(process.pid);
  const [prefect, kubernetes] = [place.prefect.take(), place.kubernetes.take()];
  await process.stop();
  const sincePoll = (at: number | undefined) => ((at ?? Number.NaN) - polledAt) / 1000;
  return {
    runs,
    jobs: (await place.countJobs()) - jobsBefore,
    firstPollSeconds: wallSeconds,
    firstJobSeconds: sincePoll(moments.jobs.at(0)),
    lastJobSeconds: sincePoll(moments.jobs.at(-1)),
    cpuSeconds: used,
    peakMegabytes: peak,
    servers: { prefect: serverLoad.load(), database: databaseLoad?.load() },
    prefect,
    kubernetes,
  };
}

async function measureWatched(
  place: WorkerPlace,
  pods: number,
  tell: Tell,
  signal: AbortSignal,
): Promise<NonNullable<SideFigures['watched']>> {
  const remove = await makePods(place, pods, signal);
  try {
    tell(`${pods} pods are there`);
    const { process, moments } = await place.start();
    await until(process, 'its watch of pods', () => moments.watchesPodsAt !== undefined, FIRST_POLL_MS, signal);
    await wait(KNOWN_MS, undefined, { signal });
    const { now } = memoryMegabytes(process.pid);
    await process.stop();
    return { pods, memoryMegabytes: now };
  } finally {
    await remove();
  }
}

/** @throws Error with the end of the worker's log when it ends, or when it takes too long. */
async function until(
  process: WatchedWorker['process'],
  what: string,
  isThere: () => boolean,
  mostMs: number,
  signal: AbortSignal,
): Promise<void> {
  const ends = performance.now() + mostMs;
  while (!isThere()) {
    const why = process.hasEnded() ? 'the worker has ended' : performance.now() > ends ? 'not in time' : undefined;
    if (why !== undefined) throw new Error(`${what}: ${why}: ${process.log().slice(-2_000)}`);
    await wait(20, undefined, { signal });
  }
}
