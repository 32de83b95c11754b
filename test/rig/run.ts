import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { RigError } from './rig-error.ts';

/** How a tool is run that comes to an end by itself: a compiler, an installer, `ip`. */
export interface RunOptions {
  /** Everything the tool prints goes here, and its end into the error. */
  readonly logFile: string;
  readonly signal: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** What a person should do when it fails. */
  readonly remedy: string;
}

/**
 * Runs a tool to its end inside a pid namespace of its own, which dies with this process: also when this process is
 * killed, no compiler or installer of it stays behind.
 *
 * @throws RigError with the end of its output when it cannot be started, fails, or is aborted.
 */
export function runLeashed(command: string, args: readonly string[], options: RunOptions): Promise<void> {
  const leash = ['--pdeathsig', 'KILL', 'unshare', '--pid', '--fork', '--kill-child=KILL', '--mount-proc', '--'];
  return runToEnd('setpriv', [...leash, command, ...args], command, options);
}

/** Runs a tool to its end as an ordinary child, for what must not be killed half way (a package installation). */
export function run(command: string, args: readonly string[], options: RunOptions): Promise<void> {
  return runToEnd(command, args, command, options);
}

function runToEnd(file: string, args: readonly string[], shown: string, options: RunOptions): Promise<void> {
  const { logFile, signal, remedy } = options;
  const log = openSync(logFile, 'a');
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', log, log],
      signal,
      killSignal: 'SIGKILL',
    });
    closeSync(log);
    child.once('error', (error) => {
      reject(signal.aborted ? signal.reason : new RigError(`cannot start ${shown}: ${error.message}`, remedy));
    });
    child.once('exit', (code, killedBy) => {
      if (code === 0) resolve();
      else reject(new RigError(`${shown} ended with ${killedBy ?? `exit code ${code}`}`, remedy, logFile));
    });
  });
}

/** Runs a small tool and returns what it printed, or undefined when it is missing or fails. Never throws. */
export function ask(command: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'], timeout: 30_000 });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    child.once('error', () => resolve(undefined));
    child.once('close', (code) => resolve(code === 0 ? text : undefined));
  });
}

/** The text of a file, or undefined when there is none. */
export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
