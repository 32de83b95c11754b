import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { cacheRoot } from './cache.ts';
import { identify, isRunning, ProcessIdentity } from './process-identity.ts';
import { asRig, type Rig, RigDescription } from './rig-description.ts';

/** What `rig up` leaves for `status`, `down` and attachRig: the supervisor, the rig, and which process each part is. */
export const UpState = z.object({
  supervisor: ProcessIdentity,
  rig: RigDescription,
  children: z.array(z.object({ name: z.string(), process: ProcessIdentity })),
});
export type UpState = z.infer<typeof UpState>;

const stateFile = (): string => join(cacheRoot(), 'up.json');

/** Where the supervisor's own words go; each rig's parts have their logs in the rig's folder. */
export const supervisorLog = (): string => join(cacheRoot(), 'logs', 'supervisor.log');

/** The state of the rig that `rig up` started, or undefined when there is none (or none that can be read). */
export function readUpState(): UpState | undefined {
  try {
    const parsed = UpState.safeParse(JSON.parse(readFileSync(stateFile(), 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** Writes the state of a rig whose owner is this process. */
export function writeUpState(rig: RigDescription): void {
  const supervisor = identify(process.pid);
  if (supervisor === undefined) throw new Error('this process is not in /proc');
  const children = rig.parts.flatMap(({ name, pid }) => {
    const process = identify(pid);
    return process === undefined ? [] : [{ name, process }];
  });
  const state: UpState = { supervisor, rig, children };
  mkdirSync(cacheRoot(), { recursive: true });
  writeFileSync(`${stateFile()}.new`, JSON.stringify(state), { mode: 0o600 });
  renameSync(`${stateFile()}.new`, stateFile());
}

export function removeUpState(): void {
  rmSync(stateFile(), { force: true });
}

/** A rig started by `npm run rig -- up` that still runs, or undefined. Stopping it is left to `down`. */
export function attachRig(): Rig | undefined {
  const state = readUpState();
  if (state === undefined || !isRunning(state.supervisor)) return undefined;
  return asRig(state.rig, async () => undefined);
}
