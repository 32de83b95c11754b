/** `npm run test:chaos`: see HELP in options.ts. */
import { buildWorker } from '../../scripts/build-worker.ts';
import { duration } from '../rig/progress.ts';
import { startRig } from '../rig/rig.ts';
import type { ChaosOptions, ChaosReport } from './chaos.ts';
import { runChaos } from './chaos.ts';
import { type ChaosCommand, HELP, readOptions } from './options.ts';
import { isClean, reportText } from './report.ts';
import { roundsOf, together } from './rounds.ts';

/** Between two lines of progress. */
const TELL_MS = 10_000;

const say = (line: string): void => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);

async function main(args: readonly string[]): Promise<number> {
  let options: ChaosCommand | 'help';
  try {
    options = readOptions(args, Date.now() % 1_000_000);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
    return 2;
  }
  if (options === 'help') {
    console.log(HELP);
    return 0;
  }
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stopping.abort(new Error(name)));
  const { signal } = stopping;
  // A rig that runs is stopped last, after what was made on it.
  const starting = new AbortController();
  const giveUp = () => starting.abort(signal.reason);
  signal.addEventListener('abort', giveUp);
  await buildWorker();
  const parts = ['prefect', 'kubernetes', ...(options.sqlite ? [] : (['postgresql'] as const))] as const;
  const rig = await startRig({ log: say, signal: starting.signal, parts });
  signal.removeEventListener('abort', giveUp);
  const { prefectApiUrl, kubeconfigPath, dir: folder } = rig;
  const done: ChaosReport[] = [];
  try {
    for (const round of roundsOf(options)) {
      const tell = progressOf(options, done);
      const report = await runChaos(round, { prefectApiUrl, kubeconfigPath, folder }, tell, signal);
      done.push(report);
      if (!isClean(report)) console.log(reportText(round, report));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    say(`interrupted by ${signal.reason instanceof Error ? signal.reason.message : signal.reason}`);
  } finally {
    await rig.stop();
  }
  const report = together(done);
  console.log(reportText(options, report));
  if (signal.aborted) return 130;
  return isClean(report) && report.accounts.right === options.runs ? 0 : 1;
}

/** Says now and then how far it is, how fast it goes, and how long it will take at that rate. */
function progressOf({ runs, rate }: ChaosOptions, done: readonly ChaosReport[]) {
  const begin = Date.now();
  const before = together(done);
  let toldAt = Date.now();
  if (done.length === 0) say(`${runs} submissions, a fault in ${rate * 100} % of the requests`);
  return ({ jobs, kills }: { readonly jobs: number; readonly kills: number }): void => {
    if (Date.now() - toldAt < TELL_MS) return;
    toldAt = Date.now();
    const made = before.accounts.right + jobs;
    const perSecond = made / (before.seconds + (toldAt - begin) / 1000);
    const left = perSecond > 0 ? `, about ${duration(((runs - made) / perSecond) * 1000)} left` : '';
    const ended = [...before.endings.values()].reduce((sum, count) => sum + count, kills);
    const wrong = before.accounts.lost.length + before.accounts.double.length + before.accounts.strange.length;
    say(
      `round ${done.length + 1}: ${made} of ${runs} have their Job, ${perSecond.toFixed(1)} a second${left}; ${ended} workers ended; ${wrong} wrong`,
    );
  };
}

process.exitCode = await main(process.argv.slice(2));
