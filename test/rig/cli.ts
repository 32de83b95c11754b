import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLock } from './lock.ts';
import { PartGroup } from './plan.ts';
import { isHealthy } from './probe.ts';
import { isRunning, signalProcess } from './process-identity.ts';
import { DEFAULT_PARTS } from './rig.ts';
import { sweepDeadRigs } from './rig-record.ts';
import { FromSupervisor } from './supervisor.ts';
import { attachRig, readUpState, removeUpState, supervisorLog, type UpState } from './up-state.ts';

const HELP = `The real parts that tests and the demo run against, on free ports of 127.0.0.1.

Usage: npm run rig -- up [part ...]    start them and leave them running (parts: ${PartGroup.options.join(' ')};
                                       default all but postgresql, where Prefect keeps its data when it is named)
       npm run rig -- status           what runs, where, and whether it is well; exit code 1 when not all is
       npm run rig -- down             end them and undo every trace

SLIPWAY_RIG_KUBECONFIG=FILE uses that cluster instead of starting one.
XDG_CACHE_HOME (default ~/.cache) holds what is built once: slipway-rig/.
`;

const say = (line: string): void => console.log(`rig: ${line}`);

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  if (command === 'up') return up(rest);
  if (command === 'down' && rest.length === 0) return down();
  if (command === 'status' && rest.length === 0) return status();
  const asked = command === undefined || command === '--help' || command === '-h' || command === 'help';
  (asked ? console.log : console.error)(asked ? HELP : `unknown command: ${args.join(' ')}\n\n${HELP}`);
  return asked ? 0 : 2;
}

async function up(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !PartGroup.safeParse(name).success);
  if (unknown.length > 0) {
    console.error(`there is no part ${unknown.join(', ')}; parts are: ${PartGroup.options.join(' ')}`);
    return 2;
  }
  const parts = names.length === 0 ? DEFAULT_PARTS : names.flatMap((name) => PartGroup.safeParse(name).data ?? []);
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  return withLock('up', say, interrupted.signal, async () => {
    if (attachRig() !== undefined) {
      say('it is up already');
      return status();
    }
    const failure = await startSupervisor(parts, interrupted.signal);
    if (failure !== undefined) {
      console.error(failure);
      return 1;
    }
    const rig = attachRig();
    for (const [name, value] of Object.entries(rig?.env ?? {})) console.log(`export ${name}='${value}'`);
    return status();
  });
}

/** @returns why the rig did not start, or undefined when it did. */
function startSupervisor(parts: readonly PartGroup[], signal: AbortSignal): Promise<string | undefined> {
  mkdirSync(dirname(supervisorLog()), { recursive: true });
  const log = openSync(supervisorLog(), 'w');
  const main = join(import.meta.dirname, 'supervisor.ts');
  const child = spawn(process.execPath, [main, ...parts], { stdio: ['ignore', log, log, 'ipc'], detached: true });
  closeSync(log);
  const interrupt = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', interrupt, { once: true });
  return new Promise((resolve) => {
    child.on('message', (received) => {
      const message = FromSupervisor.parse(received);
      if (message.kind === 'log') say(message.line);
      if (message.kind === 'failed') resolve(message.message);
      if (message.kind === 'ready') {
        signal.removeEventListener('abort', interrupt);
        child.unref();
        resolve(undefined);
      }
    });
    child.once('error', (error) => resolve(`the supervisor cannot be started: ${error.message}`));
    child.once('exit', () => resolve(`the supervisor ended before the rig was ready. Log: ${supervisorLog()}`));
  });
}

/** Longer than a rig takes to end everything and remove its data. */
const DOWN_MS = 60_000;

async function down(): Promise<number> {
  const state = readUpState();
  if (state !== undefined) await endSupervisor(state);
  await sweepDeadRigs(say);
  removeUpState();
  say(state === undefined ? 'nothing was up' : 'down');
  return 0;
}

/** Every process is compared with what the state says of it, pid and start time, before it gets a signal. */
async function endSupervisor({ supervisor, children }: UpState): Promise<void> {
  const running = (): boolean => isRunning(supervisor) || children.some((child) => isRunning(child.process));
  signalProcess(supervisor, 'SIGTERM');
  const deadline = Date.now() + DOWN_MS;
  while (running() && Date.now() < deadline) await sleep(100);
  if (!running()) return;
  say('the supervisor does not end; killing it and its children');
  signalProcess(supervisor, 'SIGKILL');
  for (const child of children) signalProcess(child.process, 'SIGKILL');
}

async function status(): Promise<number> {
  const state = readUpState();
  if (state === undefined) {
    say('not up; `npm run rig -- up` starts it');
    return 1;
  }
  const supervised = isRunning(state.supervisor);
  const rows = await Promise.all(
    state.rig.parts.map(async ({ name, pid, address, probe }) => {
      const child = state.children.find((candidate) => candidate.name === name);
      const alive = child !== undefined && isRunning(child.process);
      const healthy = alive && (await isHealthy(probe));
      return {
        name,
        pid: String(pid),
        address,
        healthy: healthy ? 'yes' : alive ? 'no: it does not answer' : 'no: it has ended',
      };
    }),
  );
  const supervisor = {
    name: 'supervisor',
    pid: String(state.supervisor.pid),
    address: state.rig.dir,
    healthy: supervised ? 'yes' : 'no: it has ended; `npm run rig -- down` cleans up',
  };
  const table = [{ name: 'part', pid: 'pid', address: 'address', healthy: 'healthy' }, supervisor, ...rows];
  const width = (key: 'name' | 'pid' | 'address'): number => Math.max(...table.map((row) => row[key].length));
  for (const row of table) {
    const cells = [
      row.name.padEnd(width('name')),
      row.pid.padStart(width('pid')),
      row.address.padEnd(width('address')),
    ];
    console.log([...cells, row.healthy].join('  '));
  }
  return supervised && rows.every((row) => row.healthy === 'yes') ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
