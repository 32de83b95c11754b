import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pidsInNamespace } from '../rig/process-identity.ts';
import type { Door, Doors } from './doors.ts';

/**
 * A place without a way out: mount, network and pid namespaces (namespaces(7)) with `lo` alone, where chosen host
 * names lead to doors (doors.ts) and all others are unknown. Failure model: its first process ends when it is told to
 * and when its owner is gone (their channel breaks, also on SIGKILL); the kernel then kills everything inside and takes
 * mounts and network away, so nothing is left on the machine.
 */
export interface Enclosure {
  /** The command that runs a program inside, in a directory that is there too: to be put before it. */
  entry(directory: string): readonly string[];
  stop(): Promise<void>;
}

export interface EnclosureOptions {
  /** A folder for its files; the caller's to remove. */
  readonly folder: string;
  /** Names that are known inside; `*.` at the front stands for any names before the rest. */
  readonly hosts: readonly string[];
  readonly doors: readonly Door[];
  /** PEM of the authority that programs inside trust beside the machine's own. */
  readonly authority: string;
}

/** Link-local: where clouds' machines find their metadata. */
export const METADATA_ADDRESS = '169.254.169.254';

const FIRST_PROCESS = `
set -e
folder=$1; shift
ip link set lo up
ip address add ${METADATA_ADDRESS}/32 dev lo
mount --bind "$folder/hosts" /etc/hosts
mount --bind "$folder/resolv.conf" /etc/resolv.conf
mount --bind "$folder/bundle.crt" /etc/ssl/certs/ca-certificates.crt
set +e
"$@"
`;

const READY_MS = 20_000;
const STOP_MS = 10_000;

/** @throws Error with the end of its log when it does not come up. */
export async function openEnclosure(options: EnclosureOptions): Promise<Enclosure> {
  const { folder, authority } = options;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'hosts'), '127.0.0.1 localhost\n');
  await writeFile(join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\noptions attempts:1 timeout:2\n');
  const machine = readFileSync('/etc/ssl/certs/ca-certificates.crt', 'utf8');
  await writeFile(join(folder, 'bundle.crt'), `${machine}\n${authority}`);
  const doors: Doors = { hosts: options.hosts, doors: options.doors };
  writeFileSync(join(folder, 'doors.json'), JSON.stringify(doors));

  const logFile = join(folder, 'enclosure.log');
  const log = openSync(logFile, 'w');
  const namespaces = ['--mount', '--net', '--pid', '--fork', '--mount-proc', '--propagation=private'];
  const main = [process.execPath, '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'doors.ts')];
  const child = spawn(
    'unshare',
    [...namespaces, '--kill-child=SIGKILL', '--', 'sh', '-c', FIRST_PROCESS, 'clouds', folder, ...main, folder],
    { stdio: ['ignore', log, log, 'ipc'], env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` } },
  );
  closeSync(log);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  try {
    await untilReady(child, ended);
    const first = pidsInNamespace(readlinkSync(`/proc/${child.pid}/ns/pid_for_children`)).get(1);
    if (first === undefined) throw new Error('the enclosure has no first process');
    return {
      entry: (directory) => ['nsenter', `--target=${first}`, '--mount', '--net', '--pid', `--wdns=${directory}`, '--'],
      stop: () => stop(child, ended),
    };
  } catch (error) {
    await stop(child, ended);
    const said = readFileSync(logFile, 'utf8').slice(-2_000);
    throw new Error(`the enclosure did not come up (it takes root, unshare and ip): ${said}`, { cause: error });
  }
}

async function untilReady(child: ChildProcess, ended: Promise<void>): Promise<void> {
  const late = new AbortController();
  try {
    await Promise.race([
      new Promise<void>((resolve) => child.once('message', () => resolve())),
      ended.then(() => {
        throw new Error('it ended at once');
      }),
      sleep(READY_MS, undefined, { signal: late.signal }).then(() => {
        throw new Error('it was not ready in time');
      }),
    ]);
  } finally {
    late.abort();
  }
}

/** Its doors close with the channel; the first process ends with them, and with it everything inside. */
async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.connected) child.disconnect();
  const killer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(killer);
}
