import { aligned } from './aligned.ts';
import type { SideFigures, WorkerFigures } from './worker.ts';
import type { Side } from './worker-side.ts';

interface Target {
  readonly text: string;
  /** @param theirs undefined when Prefect's worker was left out. */
  readonly isMet: (ours: number, theirs: number | undefined) => boolean;
}

interface Row {
  readonly what: string;
  /** Undefined: not measured. */
  readonly read: (figures: SideFigures) => number | undefined;
  readonly digits: number;
  /** Better is more; less, otherwise. */
  readonly isMore?: true;
  readonly target?: Target;
}

const atMost = (most: number): Target => ({ text: `≤ ${most}`, isMet: (ours) => ours <= most });
const noMore: Target = {
  text: 'no more',
  isMet: (ours, theirs) => theirs === undefined || ours <= theirs,
};
const timesLess = (factor: number): Target => ({
  text: `≥ ${factor}× less`,
  isMet: (ours, theirs) => theirs === undefined || theirs / ours >= factor,
});
const perRun = (of: (burst: SideFigures['burst']) => number) => (figures: SideFigures) =>
  of(figures.burst) / figures.burst.runs;

/** @param runs how many runs were due in the burst. @param pods how many pods were watched. */
function rows(runs: number, pods: number): Row[] {
  return [
    { what: 'start → first poll, s', read: (side) => median(walls(side)), digits: 2, target: atMost(1) },
    { what: 'start → first poll, CPU s', read: (side) => median(cpus(side)), digits: 2, target: atMost(0.5) },
    { what: 'idle: memory, MB', read: (side) => side.idle.memoryMegabytes, digits: 0, target: atMost(90) },
    { what: 'idle: CPU, millicores', read: (side) => side.idle.cpuMillicores, digits: 2, target: atMost(1) },
    {
      what: 'idle: Prefect requests a minute',
      read: (side) => side.idle.prefectRequestsAMinute,
      digits: 1,
      target: noMore,
    },
    {
      what: 'idle: Kubernetes requests a minute',
      read: (side) => side.idle.kubernetesRequestsAMinute,
      digits: 1,
      target: noMore,
    },
    { what: 'ad-hoc run → Job, p50, s', read: latency(0.5), digits: 2, target: atMost(0.3) },
    { what: 'ad-hoc run → Job, p99, s', read: latency(0.99), digits: 2, target: atMost(1) },
    {
      what: `${runs} due runs: Jobs made`,
      read: (side) => side.burst.jobs,
      digits: 0,
      isMore: true,
      target: { text: `= ${runs}`, isMet: (ours) => ours === runs },
    },
    { what: 'first poll → first Job, s', read: (side) => side.burst.firstJobSeconds, digits: 2, target: atMost(1) },
    { what: 'first poll → last Job, s', read: (side) => side.burst.lastJobSeconds, digits: 2 },
    {
      what: 'start → all Jobs, s',
      read: ({ burst }) => burst.firstPollSeconds + burst.lastJobSeconds,
      digits: 2,
      target: timesLess(5),
    },
    { what: 'runs a second', read: ({ burst }) => burst.jobs / burst.lastJobSeconds, digits: 1, isMore: true },
    {
      what: 'CPU a run, ms',
      read: perRun(({ cpuSeconds }) => cpuSeconds * 1000),
      digits: 1,
      target: atMost(10),
    },
    {
      what: 'Prefect server: CPU a run, ms',
      read: perRun(({ servers }) => servers.prefect.cpuSeconds * 1000),
      digits: 1,
    },
    { what: '… processors kept busy', read: ({ burst }) => burst.servers.prefect.processors, digits: 2, isMore: true },
    {
      what: 'PostgreSQL: CPU a run, ms',
      read: ({ burst }) => burst.servers.database && (burst.servers.database.cpuSeconds * 1000) / burst.runs,
      digits: 1,
    },
    { what: 'memory, most, MB', read: (side) => side.burst.peakMegabytes, digits: 0 },
    { what: 'Prefect requests a run', read: perRun((of) => of.prefect.requests), digits: 2, target: atMost(4) },
    { what: '… answered 503', read: perRun((of) => of.prefect.busy), digits: 2 },
    { what: 'Kubernetes requests a run', read: perRun((of) => of.kubernetes.requests), digits: 2 },
    {
      what: 'new connections a run, Prefect',
      read: perRun((of) => of.prefect.connections),
      digits: 2,
      target: poolOnly(runs),
    },
    {
      what: 'new connections a run, Kubernetes',
      read: perRun((of) => of.kubernetes.connections),
      digits: 2,
      target: poolOnly(runs),
    },
    {
      what: 'kB a run, both servers',
      read: perRun(({ prefect, kubernetes }) => (prefect.bytes + kubernetes.bytes) / 1000),
      digits: 1,
    },
    {
      what: `memory with ${pods} watched pods, MB`,
      read: ({ watched }) => watched?.memoryMegabytes,
      digits: 0,
      target: atMost(180),
    },
  ];
}

/** Connections opened once, however many runs there are: a pool of them to each server. */
const POOL = 32;
function poolOnly(runs: number): Target {
  return { text: `0 (a pool of ≤ ${POOL})`, isMet: (ours) => ours * runs <= POOL };
}

const walls = ({ starts }: SideFigures) => starts.map(({ wallSeconds }) => wallSeconds);
const cpus = ({ starts }: SideFigures) => starts.map(({ cpuSeconds }) => cpuSeconds);
const median = (values: readonly number[]) => percentile(values, 0.5);
const latency = (share: number) => (side: SideFigures) =>
  side.latencySeconds.length === 0 ? undefined : percentile(side.latencySeconds, share);

/** The smallest value that this share of all values does not exceed (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Every figure that was measured of the workers, how many times better ours is, and the targets. */
export function workerTable({ python, slipway }: WorkerFigures): string {
  const { burst, watched } = slipway ?? python ?? { burst: undefined, watched: undefined };
  const lines = rows(burst?.runs ?? 0, watched?.pods ?? 0).flatMap(({ what, read, digits, isMore, target }) => {
    const [theirs, ours] = [python, slipway].map((side) => (side === undefined ? undefined : read(side)));
    if (theirs === undefined && ours === undefined) return [];
    const shown = (value: number | undefined) => (value === undefined ? '' : value.toFixed(digits));
    const ratio = timesBetter(theirs, ours, isMore);
    const met = target === undefined || ours === undefined ? '' : target.isMet(ours, theirs) ? 'met' : 'MISSED';
    return [[what, shown(theirs), shown(ours), ratio, target?.text ?? '', met]];
  });
  return aligned([['', 'python', 'slipway', '×', 'target', ''], ...lines]);
}

/** @returns nothing where there is nothing to compare. */
function timesBetter(theirs: number | undefined, ours: number | undefined, isMore = false): string {
  const [more, less] = isMore ? [ours, theirs] : [theirs, ours];
  return more === undefined || less === undefined || less === 0 ? '' : (more / less).toFixed(1);
}

/** What the burst asked of each server, by endpoint and run. */
export function callsTable(figures: WorkerFigures): string {
  const lines = (['prefect', 'kubernetes'] as const).flatMap((server) => {
    const of = (side: Side) => figures[side]?.burst[server].kinds ?? new Map<string, number>();
    const kinds = [...new Set([...of('python').keys(), ...of('slipway').keys()])].sort();
    return kinds.map((kind) => {
      const shown = (side: Side) => {
        const burst = figures[side]?.burst;
        return burst === undefined ? '' : ((of(side).get(kind) ?? 0) / burst.runs).toFixed(2);
      };
      return [server, kind, shown('python'), shown('slipway')];
    });
  });
  return aligned([['server', 'requests a run', 'python', 'slipway'], ...lines]);
}
