import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RigError } from './rig-error.ts';
import { ask } from './run.ts';
import { freeSubnet } from './subnet.ts';

/**
 * What a rig leaves on the machine outside its enclosure: two bridges, three firewall rules, IP forwarding switched
 * on, and a cgroup. All are named after the rig's id, so that they can be found and undone by anyone who knows the
 * id, also when the rig that made them was killed. Undoing twice, or what was never made, does nothing.
 */
const SYSFS_CGROUP = '/sys/fs/cgroup';
const FORWARDING = '/proc/sys/net/ipv4/ip_forward';

/** The names of a rig's traces. Interface names have at most 15 characters. */
export function traceNames(id: string): { dockerBridge: string; podBridge: string; comment: string; cgroup: string } {
  return {
    dockerBridge: `slip-${id}-d`,
    podBridge: `slip-${id}-p`,
    comment: `slipway-rig-${id}`,
    cgroup: `/slipway-rig-${id}`,
  };
}

/** Whether the machine forwards IP packets now: `0` or `1`. */
export const forwardingNow = (): string => readFileSync(FORWARDING, 'utf8').trim();

/** A part of 10.213.0.0/16 or its like that no route of this machine knows, as three numbers and a dot: `10.213.7.`. */
export async function pickSubnet(): Promise<string> {
  return freeSubnet((await ask('ip', ['-4', 'route', 'show', 'table', 'all'])) ?? '', Math.random);
}

async function must(command: string, args: readonly string[]): Promise<void> {
  if ((await ask(command, args)) !== undefined) return;
  const remedy =
    'run this command by hand as root and see its words; containers are not allowed to without CAP_NET_ADMIN';
  throw new RigError(`the machine's network cannot be set up: ${command} ${args.join(' ')}`, remedy);
}

/**
 * Makes the bridge that image builds run on, with a way out: RUN steps reach package indexes through the machine.
 *
 * @param subnet as pickSubnet gives it; the bridge gets its address 1.
 */
export async function makeDockerBridge(id: string, subnet: string): Promise<void> {
  const { dockerBridge: bridge, comment } = traceNames(id);
  await must('ip', ['link', 'add', 'name', bridge, 'type', 'bridge']);
  await must('ip', ['addr', 'add', `${subnet}1/24`, 'dev', bridge]);
  await must('ip', ['link', 'set', bridge, 'up']);
  const marked = ['-m', 'comment', '--comment', comment, '-j'];
  const ours = ['-s', `${subnet}0/24`, '!', '-o', bridge];
  await must('iptables', ['-w', '-t', 'nat', '-I', 'POSTROUTING', ...ours, ...marked, 'MASQUERADE']);
  await must('iptables', ['-w', '-I', 'FORWARD', '-i', bridge, ...marked, 'ACCEPT']);
  await must('iptables', ['-w', '-I', 'FORWARD', '-o', bridge, ...marked, 'ACCEPT']);
  if (forwardingNow() === '0') writeFileSync(FORWARDING, '1');
}

/** Makes the rig's cgroup in the one hierarchy of cgroup v2, or in every hierarchy of v1. */
export function makeCgroup(id: string): void {
  const { cgroup } = traceNames(id);
  enableControllers();
  for (const hierarchy of hierarchies()) {
    const folder = join(hierarchy, cgroup);
    mkdirSync(folder);
    // A new cpuset of v1 has no processors and takes no process until it is given some.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (hierarchy === SYSFS_CGROUP || !existsSync(join(folder, file))) continue;
      writeFileSync(join(folder, file), readFileSync(join(hierarchy, file), 'utf8').trim());
    }
  }
}

/** Undoes the traces of a rig whose processes have all ended. */
export async function undoTraces(id: string, forwardingBefore: string): Promise<void> {
  const { dockerBridge, podBridge, comment, cgroup } = traceNames(id);
  for (const bridge of [dockerBridge, podBridge]) {
    if (existsSync(join('/sys/class/net', bridge))) await ask('ip', ['link', 'delete', bridge]);
  }
  for (const { table, rule } of rulesWith(comment, (await ask('iptables-save', [])) ?? '')) {
    await ask('iptables', ['-w', '-t', table, '-D', ...rule]);
  }
  if (forwardingBefore === '0' && !anyRigBridge() && forwardingNow() === '1') writeFileSync(FORWARDING, '0');
  for (const hierarchy of hierarchies()) removeCgroup(join(hierarchy, cgroup));
}

/** Whether another rig's image builds still need the machine to forward. */
function anyRigBridge(): boolean {
  return readdirSync('/sys/class/net').some((name) => /^slip-[0-9a-f]{6}-d$/.test(name));
}

/**
 * The rules that carry a comment, in the words of iptables-save.
 *
 * @returns each with its table and the words after `-A`, which `iptables -D` takes.
 */
export function rulesWith(comment: string, saved: string): { table: string; rule: string[] }[] {
  const rules: { table: string; rule: string[] }[] = [];
  let table = 'filter';
  for (const line of saved.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1).trim();
    const words = line.split(' ');
    const marked = words[words.indexOf('--comment') + 1]?.replaceAll('"', '') === comment;
    if (words[0] === '-A' && words.includes('--comment') && marked) {
      rules.push({ table, rule: words.slice(1).map((word) => word.replaceAll('"', '')) });
    }
  }
  return rules;
}

/** The folders at the top of each cgroup hierarchy. */
function hierarchies(): string[] {
  if (existsSync(join(SYSFS_CGROUP, 'cgroup.controllers'))) return [SYSFS_CGROUP];
  return readdirSync(SYSFS_CGROUP, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(SYSFS_CGROUP, entry.name, 'cgroup.procs')))
    .map((entry) => join(SYSFS_CGROUP, entry.name));
}

/**
 * In cgroup v2 a group only has the controllers that its parent hands down; the kubelet refuses a group without them.
 * One that this kernel or a surrounding container withholds stays off, and the kubelet's log names it.
 */
function enableControllers(): void {
  const file = join(SYSFS_CGROUP, 'cgroup.subtree_control');
  if (!existsSync(file)) return;
  for (const controller of ['cpu', 'cpuset', 'memory', 'pids', 'io', 'hugetlb']) {
    try {
      writeFileSync(file, `+${controller}`);
    } catch {
      // See above.
    }
  }
}

/** Cgroups are removed from the innermost out; one that still holds a process stays, which the caller's checks show. */
function removeCgroup(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroup(join(folder, entry.name));
  }
  try {
    rmdirSync(folder);
  } catch {
    // Busy for a moment after its last process ended, or gone already; undoing again gets it.
  }
}
