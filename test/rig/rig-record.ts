import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { cacheRoot } from './cache.ts';
import { isRunning, ProcessIdentity } from './process-identity.ts';
import type { Log } from './progress.ts';
import { undoTraces } from './traces.ts';

/**
 * A file per living rig, written before the rig leaves its first trace and removed after its last is undone. When a
 * rig and the process that watches it are both killed at once, the next start or `down` finds the file and undoes
 * what they could not.
 */
export const RigRecord = z.object({
  id: z.string().regex(/^[0-9a-f]{6}$/),
  /** Everything the rig writes is in here; `data` inside it is thrown away. */
  folder: z.string(),
  /** Whether the rig made the folder for itself, so that nothing of it stays. */
  temporary: z.boolean(),
  owner: ProcessIdentity,
  enclosure: ProcessIdentity.optional(),
  forwardingBefore: z.string(),
});
export type RigRecord = z.infer<typeof RigRecord>;

const recordFolder = (): string => join(cacheRoot(), 'live');

/** Where the record of a rig stands. */
export const recordFile = (id: string): string => join(recordFolder(), `${id}.json`);

export function writeRecord(record: RigRecord): void {
  mkdirSync(recordFolder(), { recursive: true });
  const file = recordFile(record.id);
  writeFileSync(`${file}.new`, JSON.stringify(record));
  renameSync(`${file}.new`, file);
}

/** The record in a file, or undefined when there is none: the rig is undone already. */
export function readRecord(file: string): RigRecord | undefined {
  try {
    const parsed = RigRecord.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** The records of this user on this machine; a file that is no record is left alone. */
export function readRecords(): RigRecord[] {
  let names: string[];
  try {
    names = readdirSync(recordFolder()).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
  return names.flatMap((name) => readRecord(join(recordFolder(), name)) ?? []);
}

/** Whether anything of the rig still runs that will undo its traces itself. */
export function isLive(record: RigRecord): boolean {
  return isRunning(record.owner) || (record.enclosure !== undefined && isRunning(record.enclosure));
}

/**
 * Undoes all traces of a rig whose processes have ended, removes its data, then its record.
 * The data stay when something is still mounted in them: removing would reach through the mount.
 *
 * @param file the record's file, as recordFile says it outside the enclosure.
 * @param keepLogs keeps the logs in a temporary folder too: a part did not start, and the error names them.
 */
export async function undoRig(record: RigRecord, file: string, keepLogs = false): Promise<void> {
  await undoTraces(record.id, record.forwardingBefore);
  const data = join(record.folder, 'data');
  if (mountsUnder(data).length === 0) {
    await removeAll(data);
    if (record.temporary && !keepLogs) await removeAll(record.folder);
  }
  rmSync(file, { force: true });
}

/** Removes a folder, its entries at once: those of containerd and dockerd hold tens of thousands of files each. */
async function removeAll(folder: string): Promise<void> {
  const entries = existsSync(folder) ? readdirSync(folder) : [];
  await Promise.all(entries.map((name) => rm(join(folder, name), { recursive: true, force: true, maxRetries: 3 })));
  await rm(folder, { recursive: true, force: true });
}

/**
 * What IP forwarding has to go back to in the end: what it was before the first of the rigs that run now.
 *
 * @param now what it is.
 */
export function forwardingToRestore(now: string): string {
  return readRecords().some((record) => isLive(record) && record.forwardingBefore === '0') ? '0' : now;
}

/** Undoes what rigs left that were killed together with their watchers. */
export async function sweepDeadRigs(log: Log): Promise<void> {
  for (const record of readRecords()) {
    if (isLive(record)) continue;
    log(`undoing what rig ${record.id} left: it was killed`);
    await undoRig(record, recordFile(record.id));
  }
}

/** The mount points inside a folder, innermost first (proc(5), /proc/PID/mounts; spaces are written \040). */
export function mountsUnder(folder: string, table: string = readFileSync('/proc/self/mounts', 'utf8')): string[] {
  return table
    .split('\n')
    .map((line) =>
      line
        .split(' ')[1]
        ?.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
    .filter((point) => point !== undefined)
    .filter((point) => point === folder || point.startsWith(`${folder}/`))
    .reverse();
}
