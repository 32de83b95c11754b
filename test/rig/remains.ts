import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { pidsInNamespace } from './process-identity.ts';
import type { Rig } from './rig-description.ts';
import { mountsUnder, readRecord, recordFile } from './rig-record.ts';
import { rulesWith, traceNames } from './traces.ts';

/** What one needs to know of a rig to look for what it left, after it has gone. */
export const RigMarks = z.object({ id: z.string(), folder: z.string(), namespace: z.string() });
export type RigMarks = z.infer<typeof RigMarks>;

/** The marks of a rig that runs. */
export function marksOf(rig: Rig): RigMarks {
  const pid = rig.parts[0]?.pid ?? 0;
  return { id: rig.id, folder: rig.dir, namespace: readlinkSync(`/proc/${pid}/ns/pid`) };
}

/**
 * Everything of one rig that is on the machine now, one line each: its processes (containers and shims too), bridges,
 * firewall rules, cgroups, mounts, data and record. Other rigs and the machine's own are not in it.
 */
export function remainsOf({ id, folder, namespace }: RigMarks): string[] {
  const { dockerBridge, podBridge, comment, cgroup } = traceNames(id);
  const rules = rulesWith(comment, spawnSync('iptables-save', { encoding: 'utf8' }).stdout ?? '');
  return [
    ...[...pidsInNamespace(namespace).values()].map((pid) => `process ${pid} ${commandOf(pid)}`),
    ...processesNaming(folder).map((pid) => `process ${pid} ${commandOf(pid)}`),
    ...[dockerBridge, podBridge]
      .filter((name) => existsSync(join('/sys/class/net', name)))
      .map((name) => `interface ${name}`),
    ...rules.map(({ table, rule }) => `rule ${table} ${rule.join(' ')}`),
    ...cgroupsNamed(cgroup).map((path) => `cgroup ${path}`),
    ...mountsUnder(folder).map((path) => `mount ${path}`),
    ...(existsSync(join(folder, 'data')) ? [`folder ${join(folder, 'data')}`] : []),
    ...(readRecord(recordFile(id)) === undefined ? [] : [`record ${recordFile(id)}`]),
  ];
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').slice(0, 80);
  } catch {
    return '(just ended)';
  }
}

/** Processes outside the rig's namespace that were started for it: their command line names its folder. */
function processesNaming(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => commandOf(pid).includes(folder));
}

function cgroupsNamed(cgroup: string): string[] {
  const root = '/sys/fs/cgroup';
  const places = [root, ...readdirSync(root).map((name) => join(root, name))];
  return places.map((place) => join(place, cgroup)).filter((path) => existsSync(path));
}
