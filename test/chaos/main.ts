/**
 * `npm run test:chaos -- [--seed N] [--runs N] [--replicas N] [--kills N] [--rate R]`: submissions through proxies that
 * break, and by workers that are killed; every run must end up with exactly one Job.
 */
import { parseArgs } from 'node:util';
import { buildWorker } from '../../scripts/build-worker.ts';
import { startRig } from '../rig/rig.ts';
import { runChaos } from './chaos.ts';
import { isClean, reportText } from './report.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    runs: { type: 'string', default: '1000' },
    replicas: { type: 'string', default: '2' },
    kills: { type: 'string', default: '20' },
    rate: { type: 'string', default: '0.08' },
  },
});
const options = {
  seed: Number(values.seed ?? Date.now() % 1_000_000),
  runs: Number(values.runs),
  replicas: Number(values.replicas),
  kills: Number(values.kills),
  rate: Number(values.rate),
};
const { rate, seed, runs, replicas, kills } = options;
if (![seed, runs, replicas, kills].every((each) => Number.isSafeInteger(each) && each >= 0) || runs < 1 || replicas < 1)
  throw new Error('--seed, --runs, --replicas and --kills are whole numbers; at least one run and one replica');
if (!(rate >= 0 && rate <= 0.5)) throw new Error('--rate is a share of all requests, from 0 to 0.5');

const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort(new Error(name)));
const { signal } = stopping;
await buildWorker();
const rig = await startRig({ log: console.log, signal, parts: ['prefect', 'kubernetes'] });
try {
  const { prefectApiUrl, kubeconfigPath, dir: folder } = rig;
  console.log(`seed ${seed}: ${runs} runs, ${replicas} replicas, ${kills} of them ended, faults in ${rate * 100} %`);
  const report = await runChaos(options, { prefectApiUrl, kubeconfigPath, folder }, console.log, signal);
  console.log(reportText(options, report));
  process.exitCode = isClean(report) ? 0 : 1;
} finally {
  await rig.stop();
}
