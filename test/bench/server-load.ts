import { cpuSeconds } from './process-cost.ts';

/** What a server did while Jobs were made: the reason why they were not made sooner, when it was busy all the time. */
export interface ServerLoad {
  readonly cpuSeconds: number;
  /** Processors it kept busy: 1 is all that a server of one process with one thread, as Prefect's is, can have. */
  readonly processors: number;
}

/**
 * Looks at the processor time of a process tree from now on.
 *
 * @returns what to call whenever something was done: the load from the start until the last call.
 */
export function watchLoad(pid: number): { note(): void; load(): ServerLoad } {
  const begun = { at: performance.now(), cpuSeconds: cpuSeconds(pid) };
  let last = begun;
  return {
    note() {
      last = { at: performance.now(), cpuSeconds: cpuSeconds(pid) };
    },
    load() {
      const seconds = (last.at - begun.at) / 1000;
      const used = last.cpuSeconds - begun.cpuSeconds;
      return { cpuSeconds: used, processors: seconds === 0 ? 0 : used / seconds };
    },
  };
}
