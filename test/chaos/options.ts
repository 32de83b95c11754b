import { parseArgs } from 'node:util';
import type { ChaosOptions } from './chaos.ts';

export const HELP = `Submissions through proxies that break, by workers that are killed: every run must end up with exactly one Job.

Usage: npm run test:chaos -- [options]

  --runs N      submissions (default 10000), in rounds of at most 500
  --replicas N  workers on the pool at a time (default 2)
  --kills N     how often a worker is killed or told to end, and another takes its place (default one for 50 submissions)
  --rate R      how often a request meets a fault, 0 to 0.5 (default 0.08)
  --seed N      what is drawn by chance (default: another each time); a round that goes wrong says with which it is made again
  --sqlite      Prefect's data in SQLite instead of PostgreSQL
  --help        this text

Exit code: 0 when nothing was lost or doubled and every worker ended as it was told to; 1 when not; 2 for options that
are none; 130 when interrupted.
`;

export interface ChaosCommand extends ChaosOptions {
  readonly sqlite: boolean;
}

/** @returns 'help' when that is asked for. @throws Error saying what is wrong with an option. */
export function readOptions(args: readonly string[], seedOfNow: number): ChaosCommand | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      runs: { type: 'string', default: '10000' },
      replicas: { type: 'string', default: '2' },
      kills: { type: 'string' },
      rate: { type: 'string', default: '0.08' },
      sqlite: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const runs = whole('--runs', values.runs, 1);
  const rate = Number(values.rate);
  if (values.rate.trim() === '' || !(rate >= 0 && rate <= 0.5))
    throw new Error(`--rate is a share of all requests, from 0 to 0.5, and not ${values.rate}`);
  return {
    runs,
    seed: values.seed === undefined ? seedOfNow : whole('--seed', values.seed, 0),
    replicas: whole('--replicas', values.replicas, 1),
    kills: values.kills === undefined ? Math.floor(runs / 50) : whole('--kills', values.kills, 0),
    rate,
    sqlite: values.sqlite,
  };
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`${name} is a whole number from ${least}, and not ${text}`);
}
