import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FromEnclosure, type Plan, ToEnclosure } from './plan.ts';
import { mountsUnder, readRecord, undoRig } from './rig-record.ts';
import { ask } from './run.ts';
import { startParts } from './start-parts.ts';

/**
 * The process inside the enclosure (enclosure.ts): starts the parts, and ends everything when it is told to or when
 * its owner is gone. It talks with its owner by messages only.
 */
const stopping = new AbortController();
let plan: Plan | undefined;
let failed = false;

function tell(message: FromEnclosure): void {
  if (process.connected) process.send?.(message);
}

process.on('message', (received) => {
  const message = ToEnclosure.parse(received);
  switch (message.kind) {
    case 'start':
      plan = message.plan;
      refuseOutside(plan);
      void start(plan);
      break;
    case 'stop':
      void end();
      break;
  }
});
process.on('disconnect', () => void end());
// The owner decides; a signal to the process group is not for the parts.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end());

async function start(given: Plan): Promise<void> {
  const log = (line: string): void => tell({ kind: 'log', line });
  const env = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  delete env.NODE_CHANNEL_FD;
  delete env.NODE_CHANNEL_SERIALIZATION_MODE;
  try {
    const { addresses, running } = await startParts(given, { env, log, signal: stopping.signal });
    tell({
      kind: 'ready',
      addresses,
      parts: running.map(({ name, pid, address, probe }) => ({ name, pid, address, probe })),
    });
    for (const part of running) {
      void part.ended.then((how) => {
        if (!stopping.signal.aborted) log(`${part.name} ${how}; see ${join(given.folder, 'logs', `${part.name}.log`)}`);
      });
    }
  } catch (error) {
    failed = !stopping.signal.aborted;
    tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
}

/**
 * This process kills everything it can see, so it must not see the machine.
 *
 * @throws Error when it does not run in a pid namespace of its own.
 */
function refuseOutside(given: Plan): void {
  const own = readlinkSync('/proc/self/ns/pid');
  const first = readFileSync('/proc/1/cmdline', 'utf8');
  if (process.ppid !== 1 || own === given.outsideNamespace || !first.includes('slipway-rig')) {
    plan = undefined;
    throw new Error('enclosure-main.ts only runs inside an enclosure; start the rig instead');
  }
}

/** Ends everything inside, undoes the rig's traces outside, and then this process. */
async function end(): Promise<void> {
  if (stopping.signal.aborted) return;
  stopping.abort(new Error('the rig is stopping'));
  if (plan !== undefined) {
    const { recordFile, folder } = plan;
    await killEverythingElse();
    // Without a mount inside it, the folder can be removed without reaching through one.
    for (const point of mountsUnder(join(folder, 'data'))) await ask('umount', ['--lazy', point]);
    const record = readRecord(recordFile);
    if (record !== undefined) await undoRig(record, recordFile, failed);
  }
  process.exit(0);
}

/** All processes of this pid namespace but the first and this one; their data are thrown away, so none is asked. */
async function killEverythingElse(): Promise<void> {
  const kept = new Set(['1', String(process.pid)]);
  for (let tries = 0; tries < 100; tries++) {
    const others = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && !kept.has(name));
    const alive = others.filter((name) => !isZombie(name));
    if (alive.length === 0) return;
    for (const name of alive) {
      try {
        process.kill(Number(name), 'SIGKILL');
      } catch {
        // Ended by itself.
      }
    }
    await sleep(50);
  }
}

function isZombie(pid: string): boolean {
  try {
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
}
