import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Running, StartContext } from './part.ts';
import { listensOn } from './ports.ts';
import { isHealthy, type Probe } from './probe.ts';
import { duration } from './progress.ts';
import { RigError } from './rig-error.ts';

/** How a part's process is started and how one sees that it is ready. */
export interface ServerSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Added to the context's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly address: string;
  readonly probe: Probe;
  /** The port that the process itself must be listening on; absent for one on a Unix socket in its own folder. */
  readonly port?: number;
  readonly timeoutMs: number;
  /** What a person should do when it does not start. */
  readonly remedy: string;
}

/** How long a part may take to end on SIGTERM. Its data are thrown away, so there is nothing worth waiting for. */
const GRACE_MS = 2_000;

/**
 * Starts a server as a child and waits until it answers.
 *
 * Failure model: a process that ends before it is ready, or is not ready in time, is an error with the end of its
 * log; so is an answer on its port by any other process. The child is ended before the error is thrown.
 *
 * @throws RigError naming the part; the signal's reason when aborted.
 */
export async function startServer(spec: ServerSpec, context: StartContext): Promise<Running> {
  const { logFile, signal } = context;
  const begun = Date.now();
  const log = openSync(logFile, 'a');
  const child = spawn(spec.command, spec.args, {
    cwd: context.folder,
    env: { ...context.env, ...spec.env },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let end: string | undefined;
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('exit', (code, killedBy) => resolve(`ended with ${killedBy ?? `exit code ${code}`}`));
  }).then((how) => {
    end = how;
    return how;
  });
  const stop = async (): Promise<void> => {
    if (end !== undefined) return;
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
    await ended;
    clearTimeout(killer);
  };
  try {
    await untilReady();
  } catch (error) {
    await stop();
    throw error;
  }
  context.log(`${spec.name} is ready at ${spec.address} (${duration(Date.now() - begun)})`);
  return { name: spec.name, address: spec.address, pid: child.pid ?? 0, probe: spec.probe, ended, stop };

  async function untilReady(): Promise<void> {
    for (let pause = 25; ; pause = Math.min(pause * 1.5, 250)) {
      signal.throwIfAborted();
      if (end !== undefined) throw new RigError(`${spec.name} ${end}`, spec.remedy, logFile);
      if (await isHealthy(spec.probe)) break;
      if (Date.now() - begun > spec.timeoutMs) {
        throw new RigError(`${spec.name} was not ready after ${duration(spec.timeoutMs)}`, spec.remedy, logFile);
      }
      await Promise.race([sleep(pause, undefined, { signal }), ended]);
    }
    if (spec.port !== undefined && !listensOn(child.pid ?? 0, spec.port)) {
      const message = `${spec.name}: another process answers on port ${spec.port} of 127.0.0.1 in its place`;
      throw new RigError(message, 'start the rig again: it picks other ports', logFile);
    }
  }
}
