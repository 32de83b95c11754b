import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Case } from './cases.ts';
import type { Outcome } from './outcome.ts';

/**
 * Processor time that no case needs (the slowest takes a few tenths of a second). Time on the clock would say more about
 * the machine than about the case.
 */
const MAX_CPU_SECONDS = 10;
const LOOK_EVERY_MS = 500;

/**
 * Runs cases one after the other.
 *
 * @returns their outcomes, in order; a case that takes too much processor time, or never settles, is a defect.
 */
export async function runCases(cases: readonly Case[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let worker = startWorker();
  try {
    for (const one of cases) {
      const outcome = await runCase(worker, one);
      outcomes.push(outcome.result);
      if (outcome.isOver) {
        await worker.terminate();
        worker = startWorker();
      }
    }
  } finally {
    await worker.terminate();
  }
  return outcomes;
}

function startWorker(): Worker {
  return new Worker(new URL('./case-worker.ts', import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: 2048 } });
}

/** @returns what became of it, and whether the thread is of no more use. */
async function runCase(worker: Worker, one: Case): Promise<{ readonly result: Outcome; readonly isOver: boolean }> {
  const watching = new AbortController();
  try {
    return await new Promise((done, failed) => {
      const defect = (words: string): void => done({ result: { kind: 'defect', words }, isOver: true });
      const { signal } = watching;
      const on = (event: string, tell: (value: unknown) => void): void => {
        worker.on(event, tell);
        signal.addEventListener('abort', () => worker.off(event, tell));
      };
      on('message', (outcome) => done({ result: outcome as Outcome, isOver: false }));
      on('error', (error) => defect(error instanceof Error ? (error.stack ?? error.message) : String(error)));
      on('exit', () => defect('it waits for something that never comes'));
      watch(worker, signal).then((seconds) => {
        if (seconds !== undefined) defect(`it hangs: ${seconds} s of processor time`);
      }, failed);
      worker.postMessage(one);
    });
  } finally {
    watching.abort();
  }
}

/** @returns the seconds used once they are too many; undefined when there is nothing to watch any more. */
async function watch(worker: Worker, signal: AbortSignal): Promise<number | undefined> {
  let begin: number | undefined;
  for (;;) {
    try {
      await sleep(LOOK_EVERY_MS, undefined, { signal });
      const { user, system } = await worker.cpuUsage();
      const now = (user + system) / 1e6;
      begin ??= now;
      if (now - begin > MAX_CPU_SECONDS) return Math.round(now - begin);
    } catch {
      // The case has ended, or the thread has, which tells so by itself.
      return undefined;
    }
  }
}
