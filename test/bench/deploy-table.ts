import { aligned } from './aligned.ts';
import type { DeployFigures } from './deploy.ts';

const SIDES = ['prefect', 'action'] as const;
const DEPLOYS = ['first', 'unchanged'] as const;

/** Every deploy in a row: seconds, processor seconds, requests, writes, and how many times less the action takes. */
export function table(figures: readonly DeployFigures[]): string {
  const rows = [['entries', 'deploy', 'by', 'wall s', 'CPU s', 'requests', 'writes', '503s', 'wall ×', 'CPU ×']];
  for (const one of figures) {
    for (const deploy of DEPLOYS) {
      for (const side of SIDES) {
        const run = one[deploy][side];
        if (run === undefined) continue;
        const theirs = side === 'action' ? one[deploy].prefect : undefined;
        rows.push([
          ...[String(one.entries), deploy, side, run.wallSeconds.toFixed(2), run.cpuSeconds.toFixed(2)],
          ...[String(run.requests), String(run.writes), String(run.busy)],
          ...(theirs === undefined
            ? ['', '']
            : [(theirs.wallSeconds / run.wallSeconds).toFixed(1), (theirs.cpuSeconds / run.cpuSeconds).toFixed(1)]),
        ]);
      }
    }
  }
  return aligned(rows);
}

/** The targets of a deploy, each with what was measured. */
export function targets(figures: readonly DeployFigures[], entryMegabytes: number): string {
  const rows = [['target', 'measured', '']];
  const add = (target: string, measured: number, isMet: boolean, unit = ''): void => {
    rows.push([target, `${measured.toFixed(Number.isInteger(measured) ? 0 : 2)}${unit}`, isMet ? 'met' : 'MISSED']);
  };
  for (const { entries, first, unchanged } of figures) {
    if (first.action !== undefined && entries >= 10) {
      const each = first.action.requests / entries;
      add(`${entries} entries, first: at most 3 requests an entry`, each, each <= 3);
    }
    if (unchanged.action !== undefined) {
      const { requests, writes } = unchanged.action;
      add(`${entries} entries, unchanged: at most 10 requests`, requests, requests <= 10);
      add(`${entries} entries, unchanged: no writes`, writes, writes === 0);
    }
    for (const [name, run, factor] of [
      ['first', first, 20],
      ['unchanged', unchanged, 50],
    ] as const) {
      if (entries < 100 || run.prefect === undefined || run.action === undefined) continue;
      const wall = run.prefect.wallSeconds / run.action.wallSeconds;
      const cpu = run.prefect.cpuSeconds / run.action.cpuSeconds;
      add(`${entries} entries, ${name}: ${factor} times less time`, wall, wall >= factor);
      add(`${entries} entries, ${name}: ${factor} times less CPU`, cpu, cpu >= factor);
    }
  }
  const starts = figures.flatMap(({ first, unchanged }) => [first.action, unchanged.action]);
  const fastest = Math.min(...starts.map((run) => run?.firstLineMs ?? Number.POSITIVE_INFINITY));
  add(
    'start to first line of the log: at most 250 ms (best of these runs)',
    Math.round(fastest),
    fastest <= 250,
    ' ms',
  );
  add('dist/main/index.js: at most 3 MB', entryMegabytes, entryMegabytes <= 3, ' MB');
  return aligned(rows);
}
