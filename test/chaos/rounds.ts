import type { ChaosOptions, ChaosReport } from './chaos.ts';

/**
 * Most runs of one round. Runs whose pods never start stay Pending, and every sweep of every worker reads all that are:
 * with ten thousand of them the server would do little else.
 */
const ROUND = 500;

/**
 * A long run as rounds, each with a pool, a namespace and a seed of its own, so that one that goes wrong can be made
 * again alone. Runs and kills are spread evenly.
 */
export function roundsOf(options: ChaosOptions): ChaosOptions[] {
  const count = Math.ceil(options.runs / ROUND);
  const share = (whole: number, index: number) =>
    Math.floor((whole * (index + 1)) / count) - Math.floor((whole * index) / count);
  return Array.from({ length: count }, (_, index) => ({
    ...options,
    seed: options.seed + index,
    runs: share(options.runs, index),
    kills: share(options.kills, index),
  }));
}

/** The rounds as one. */
export function together(reports: readonly ChaosReport[]): ChaosReport {
  const servers = [...new Set(reports.flatMap(({ faults }) => Object.keys(faults)))];
  return {
    accounts: {
      right: reports.reduce((sum, { accounts }) => sum + accounts.right, 0),
      lost: reports.flatMap(({ accounts }) => accounts.lost),
      double: reports.flatMap(({ accounts }) => accounts.double),
      strange: reports.flatMap(({ accounts }) => accounts.strange),
    },
    seconds: reports.reduce((sum, { seconds }) => sum + seconds, 0),
    faults: Object.fromEntries(
      servers.map((server) => [server, added(reports.map(({ faults }) => faults[server] ?? new Map()))]),
    ),
    endings: added(reports.map(({ endings }) => endings)),
    complaints: reports.flatMap(({ complaints }) => complaints),
  };
}

function added(maps: readonly ReadonlyMap<string, number>[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const map of maps) for (const [what, count] of map) sums.set(what, (sums.get(what) ?? 0) + count);
  return sums;
}
