import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts a process's time in hundredths of a second towards the outside (USER_HZ). */
const TICKS_A_SECOND = 100;

/** A process and all below it that run now. */
function treeOf(pid: number): number[] {
  const threads = quietly(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  const children = threads.flatMap((thread) =>
    (quietly(() => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')) ?? '').split(' ').filter(Boolean),
  );
  return [pid, ...children.flatMap((child) => treeOf(Number(child)))];
}

/**
 * Processor time of a process tree since it was started, children that have ended and were waited for included, to a
 * hundredth of a second (proc(5), /proc/pid/stat).
 */
export function cpuSeconds(pid: number): number {
  return sum(treeOf(pid), (each) => {
    const stat = quietly(() => readFileSync(`/proc/${each}/stat`, 'utf8')) ?? '';
    // The program's name, in parentheses, may hold anything; utime, stime, cutime and cstime are fields 14 to 17.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return sum(fields.slice(11, 15), Number) / TICKS_A_SECOND;
  });
}

/**
 * The same by the scheduler's own clock (/proc/pid/task/tid/schedstat), but of the threads that live only: for the time in
 * which a process does next to nothing.
 */
export function exactCpuSeconds(pid: number): number {
  return sum(treeOf(pid), (each) => {
    const threads = quietly(() => readdirSync(`/proc/${each}/task`)) ?? [];
    return sum(threads, (thread) => {
      const stat = quietly(() => readFileSync(`/proc/${each}/task/${thread}/schedstat`, 'utf8')) ?? '0';
      return Number(stat.split(' ')[0]) / 1e9;
    });
  });
}

/** Resident memory of a process tree in MB (10^6 bytes): now, and the most it ever was. */
export function memoryMegabytes(pid: number): { readonly now: number; readonly peak: number } {
  const read = (name: string) =>
    sum(treeOf(pid), (each) => {
      const status = quietly(() => readFileSync(`/proc/${each}/status`, 'utf8')) ?? '';
      return (Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * 1024) / 1e6;
    });
  return { now: read('VmRSS'), peak: read('VmHWM') };
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/** Processes and threads end while they are looked at. */
function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
