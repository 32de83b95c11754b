import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import * as z from 'zod';

/**
 * Which process is meant. A pid alone is reused by the kernel; with the time it started it is not, so whoever ends a
 * process by a pid that stood in a file compares both first.
 */
export const ProcessIdentity = z.object({
  pid: z.int().positive(),
  /** Clock ticks since boot, field 22 of /proc/PID/stat (proc(5)). */
  startTime: z.string().regex(/^\d+$/),
});
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

/**
 * The start time in one line of /proc/PID/stat.
 *
 * @param stat the file's text. The command name in its second field may hold spaces and brackets.
 * @returns field 22, or undefined for a process that is dead already (state Z or X) or a text that is no stat line.
 */
export function startTimeIn(stat: string): string | undefined {
  const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = afterName;
  if (state === 'Z' || state === 'X') return undefined;
  return afterName[19];
}

/** The identity of a running process, or undefined when there is none with this pid (or only its remains). */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    const startTime = startTimeIn(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return startTime === undefined ? undefined : { pid, startTime };
  } catch {
    return undefined;
  }
}

/** Whether this very process still runs: the same pid started at the same time. */
export function isRunning(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTime === identity.startTime;
}

/** Sends a signal to this very process; false when it has ended (and perhaps another has its pid). */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isRunning(identity)) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch {
    return false;
  }
}

/**
 * The pids of a pid namespace as this process sees them.
 *
 * @param namespace what readlink of /proc/PID/ns/pid says, for example `pid:[4026532200]`.
 * @returns pid inside the namespace → pid here. Empty when the namespace is gone.
 */
export function pidsInNamespace(namespace: string): Map<number, number> {
  const pids = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (readlinkSync(`/proc/${name}/ns/pid`) !== namespace) continue;
      const line = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1];
      const inside = line?.split(/\s+/).at(-1);
      if (inside !== undefined) pids.set(Number(inside), Number(name));
    } catch {
      // Ended between the listing and the look, or not ours to see.
    }
  }
  return pids;
}
