import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Addresses, FromEnclosure, type PartStatus, type Plan, type ToEnclosure } from './plan.ts';
import { identify, type ProcessIdentity, pidsInNamespace } from './process-identity.ts';
import type { Log } from './progress.ts';
import { RigError } from './rig-error.ts';

/**
 * The enclosure: a pid and a mount namespace (namespaces(7)) in which all parts run, containers and pods included.
 *
 * Failure model. Its first process is a shell that waits for enclosure-main.ts and reaps orphans; when the shell
 * ends, the kernel kills everything inside and takes all mounts away. It ends when it is told to stop, when its owner
 * is gone (the message channel breaks, also on SIGKILL), and when enclosure-main.ts is killed. Network traces are the
 * only thing the kernel does not take away: traces.ts.
 *
 * The private mounts keep everything that containerd, dockerd, CNI and the kubelet write at fixed places off the
 * machine: /run and /var/log are empty, /etc and /var/lib are copies on write, in memory.
 */
const FIRST_PROCESS = `
set -e
mount --make-rshared /
resolver=$(cat /etc/resolv.conf)
upstream=$(cat /run/systemd/resolve/resolv.conf 2>/dev/null || true)
mount -t tmpfs -o mode=0755 slipway-rig /run
mount -t tmpfs -o mode=0755 slipway-rig /var/log
for place in etc var/lib; do
  mkdir -p "/run/overlay/$place/upper" "/run/overlay/$place/work"
  mount -t overlay -o "lowerdir=/$place,upperdir=/run/overlay/$place/upper,workdir=/run/overlay/$place/work" slipway-rig "/$place"
done
rm -f /etc/resolv.conf
printf '%s\\n' "$resolver" > /etc/resolv.conf
if [ -n "$upstream" ]; then
  mkdir -p /run/systemd/resolve
  printf '%s\\n' "$upstream" > /run/systemd/resolve/resolv.conf
fi
set +e
"$@"
exit $?
`;

/** Places the rig's folder cannot be in: what is written there inside the enclosure is not seen outside. */
export const PRIVATE_PLACES = ['/run', '/var/run', '/var/log', '/etc', '/var/lib'];

/** Longer than the enclosure ever takes to end everything and clean up. */
const STOP_MS = 30_000;

export interface Enclosure {
  readonly identity: ProcessIdentity;
  readonly addresses: Addresses;
  /** With pids as this process sees them. */
  readonly parts: readonly PartStatus[];
  /** Ends everything inside; resolves when the enclosure's processes have ended. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Opens an enclosure and starts the parts of the plan in it.
 *
 * @param env the parts' whole environment.
 * @param opened called as soon as the enclosure's process exists, before it does anything.
 * @throws RigError with the message of the part that did not start; the signal's reason when aborted. Everything has
 *   ended then.
 */
export async function openEnclosure(
  plan: Plan,
  env: Readonly<Record<string, string>>,
  opened: (identity: ProcessIdentity) => void,
  log: Log,
  signal: AbortSignal,
): Promise<Enclosure> {
  const logFile = join(plan.folder, 'logs', 'enclosure.log');
  const output = openSync(logFile, 'a');
  const namespaces = ['--mount', '--pid', '--fork', '--mount-proc', '--propagation=private', '--kill-child=SIGKILL'];
  const main = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    join(import.meta.dirname, 'enclosure-main.ts'),
  ];
  const child = spawn('unshare', [...namespaces, '--', 'sh', '-c', FIRST_PROCESS, 'slipway-rig', ...main], {
    env,
    stdio: ['ignore', output, output, 'ipc'],
    detached: true, // Ctrl-C in the terminal is the owner's to answer.
  });
  closeSync(output);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  let stopped = false;
  const stop = async (): Promise<void> => {
    stopped = true;
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    child.channel?.ref();
    send(child, { kind: 'stop' });
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await exited;
    clearTimeout(killer);
  };
  const identity = identify(child.pid ?? 0);
  if (identity === undefined) {
    throw new RigError(
      'the rig cannot make namespaces with unshare',
      'run as root on Linux with CAP_SYS_ADMIN',
      logFile,
    );
  }
  opened(identity);
  try {
    const { addresses, parts } = await untilReady(child, plan, exited, logFile, log, signal);
    const inside = pidsInNamespace(readlinkSync(`/proc/${identity.pid}/ns/pid_for_children`));
    // The rig must not keep alive a process that has nothing else to do: then its end is the rig's end.
    child.unref();
    child.channel?.unref();
    void exited.then(() => {
      if (!stopped) log(`the rig has ended before it was told to; see ${logFile}`);
    });
    return { identity, addresses, parts: parts.map((part) => ({ ...part, pid: inside.get(part.pid) ?? 0 })), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function untilReady(
  child: ChildProcess,
  plan: Plan,
  exited: Promise<void>,
  logFile: string,
  log: Log,
  signal: AbortSignal,
): Promise<{ addresses: Addresses; parts: PartStatus[] }> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(signal.reason);
    if (signal.aborted) aborted();
    signal.addEventListener('abort', aborted, { once: true });
    child.on('message', (received) => {
      const message = FromEnclosure.parse(received);
      switch (message.kind) {
        case 'log':
          log(message.line);
          break;
        case 'ready':
          resolve({ addresses: message.addresses, parts: message.parts });
          break;
        case 'failed':
          reject(new Error(message.message));
          break;
      }
    });
    void exited.then(() => {
      const remedy = 'run as root on Linux; in a container it takes --privileged';
      reject(new RigError("the rig's enclosure ended before its parts were ready", remedy, logFile));
    });
    send(child, { kind: 'start', plan });
  });
}

/** A message to an enclosure that has just ended is lost, which its exit shows. */
function send(child: ChildProcess, message: ToEnclosure): void {
  if (child.connected) child.send(message, () => undefined);
}
