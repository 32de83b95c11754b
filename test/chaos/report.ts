import type { ChaosOptions, ChaosReport } from './chaos.ts';

/** Nothing lost, nothing double, and every worker ended as it was told to. */
export function isClean({ accounts, complaints }: ChaosReport): boolean {
  const { lost, double, strange } = accounts;
  return lost.length + double.length + strange.length + complaints.length === 0;
}

/** The report for people: a table, then whatever is wrong. */
export function reportText({ seed, runs, replicas, kills, rate }: ChaosOptions, report: ChaosReport): string {
  const { accounts, seconds, faults, endings, complaints } = report;
  const { right, lost, double, strange } = accounts;
  const counts = (of: ReadonlyMap<string, number>) =>
    [...of]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([what, count]) => `${what} ${count}`)
      .join(', ');
  const rows: [string, string][] = [
    ['runs', String(runs)],
    ['with exactly one Job', String(right)],
    ['lost', String(lost.length)],
    ['double', String(double.length)],
    ['strange', String(strange.length)],
    ['seconds', `${seconds.toFixed(0)}, ${(right / Math.max(seconds, 1)).toFixed(1)} submissions a second`],
    ['seed, replicas', `${seed}, ${replicas}`],
    ['workers ended', counts(endings)],
    ...Object.entries(faults).map(([server, met]): [string, string] => [`requests to ${server}`, counts(met)]),
  ];
  const width = Math.max(...rows.map(([what]) => what.length));
  const again = `npm run test:chaos -- --seed ${seed} --runs ${runs} --replicas ${replicas} --kills ${kills} --rate ${rate}`;
  const wrong = [...lost, ...double, ...strange, ...complaints];
  return [
    '',
    ...rows.map(([what, value]) => `${what.padEnd(width)}  ${value}`),
    '',
    ...wrong,
    ...(wrong.length > 0 ? [again] : []),
  ].join('\n');
}
