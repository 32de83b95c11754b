import { parseArgs } from 'node:util';
import { buildWorker } from '../../scripts/build-worker.ts';
import type { PartGroup } from '../rig/plan.ts';
import { startRig } from '../rig/rig.ts';
import { OptionError } from './option-error.ts';
import { benchWorker } from './worker.ts';
import { serverPids } from './worker-place.ts';
import type { Side } from './worker-side.ts';
import { callsTable, workerTable } from './worker-table.ts';

export const WORKER_USAGE =
  'npm run bench -- worker [--runs 300] [--latency 15] [--idle 60] [--starts 3] [--pods 0] [--sqlite] [--only slipway|python]';

/**
 * `worker`: what runs cost a worker, beside Prefect's own. `--latency`: ad-hoc runs, one at a time; `--idle`: seconds;
 * `--pods`: pods to watch, 10000 for the target; `--sqlite`: Prefect's data in SQLite, whose 503s drown the comparison,
 * instead of PostgreSQL. @returns tables.
 */
export async function workerCommand(args: readonly string[], signal: AbortSignal): Promise<string> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '300' },
      latency: { type: 'string', default: '15' },
      idle: { type: 'string', default: '60' },
      starts: { type: 'string', default: '3' },
      pods: { type: 'string', default: '0' },
      sqlite: { type: 'boolean', default: false },
      only: { type: 'string' },
    },
  });
  const { only } = values;
  if (only !== undefined && only !== 'python' && only !== 'slipway')
    throw new OptionError('--only is python or slipway');
  const sides: readonly Side[] = only === undefined ? ['python', 'slipway'] : [only];
  const number = (name: 'runs' | 'latency' | 'idle' | 'starts' | 'pods', least: number): number => {
    const value = Number(values[name]);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new OptionError(`--${name} is a whole number, at least ${least}`);
  };
  const options = {
    runs: number('runs', 1),
    latency: number('latency', 0),
    idleSeconds: number('idle', 1),
    starts: number('starts', 1),
    pods: number('pods', 0),
    sides,
  };
  await buildWorker();
  const parts: PartGroup[] = ['prefect', 'kubernetes', ...(values.sqlite ? [] : (['postgresql'] as const))];
  const rig = await startRig({ log: console.log, signal, parts });
  try {
    const { prefectApiUrl, kubernetesApiUrl, kubeconfigPath, prefectEnvironment, dir: folder } = rig;
    const pids = serverPids(rig.parts);
    const servers = { prefectApiUrl, kubernetesApiUrl, kubeconfigPath, prefectEnvironment, folder, pids };
    const figures = await benchWorker(options, servers, console.log, signal);
    return `${workerTable(figures)}\n\n${callsTable(figures)}`;
  } finally {
    await rig.stop();
  }
}
