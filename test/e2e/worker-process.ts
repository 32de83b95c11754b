import { spawn } from 'node:child_process';
import { delimiter, dirname, resolve } from 'node:path';

const MAIN = resolve(import.meta.dirname, '../../worker/dist/main.js');
/** The node that runs this is found first. */
const PATH_TO_NODE = [dirname(process.execPath), process.env.PATH].join(delimiter);

/** The bundled worker as a process of this machine. */
export interface WorkerProcess {
  /** All it has said so far. */
  log(): string;
  /** How often a line of its log contains this text. */
  count(text: string): number;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

/**
 * Starts `worker/dist/main.js start --pool …`, as its first line says, with nothing but what it needs in its environment.
 *
 * @param stdout where its log goes instead of being kept: a file descriptor of the caller.
 */
export function startWorker(
  pool: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  stdout: 'pipe' | number = 'pipe',
): WorkerProcess {
  const child = spawn(MAIN, ['start', '--pool', pool, ...args], {
    env: { PATH: PATH_TO_NODE, HOME: process.env.HOME, PREFECT_WORKER_QUERY_SECONDS: '1', ...env },
    stdio: ['ignore', stdout, 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  return {
    log: () => said,
    count: (text) => said.split('\n').filter((line) => line.includes(text)).length,
    kill: (signal) => child.kill(signal),
    ended: new Promise((done, failed) => {
      child.once('error', failed);
      child.once('exit', (code, signal) => done(code ?? signal ?? 'unknown'));
    }),
  };
}
