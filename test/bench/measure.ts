import { spawn } from 'node:child_process';
import { loadavg } from 'node:os';

/** What a command cost. */
export interface Cost {
  readonly wallSeconds: number;
  /** User and system time of the whole process tree. */
  readonly cpuSeconds: number;
  /** Until its first line of output. */
  readonly firstLineMs: number | undefined;
}

/** bash's `time` counts children and grandchildren that were waited for; Node cannot say so of its own children. */
const TIMED = `TIMEFORMAT='slipway-bench %R %U %S'; time "$@"`;

/**
 * Runs a command to its end.
 *
 * @throws Error with the end of its output when it fails.
 */
export async function measure(
  command: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>>; readonly signal: AbortSignal },
): Promise<Cost> {
  const begun = performance.now();
  const child = spawn('bash', ['-c', TIMED, 'bash', ...command], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let firstLineMs: number | undefined;
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      firstLineMs ??= performance.now() - begun;
      output += text;
    });
  }
  const exitCode = await new Promise<number>((done, failed) => {
    child.on('error', failed);
    child.on('close', (code) => done(code ?? 128));
  });
  if (exitCode !== 0) throw new Error(`${command.join(' ')} ended with ${exitCode}:\n${output.slice(-3000)}`);
  const [, wall, user, system] = /slipway-bench ([\d.]+) ([\d.]+) ([\d.]+)/.exec(output) ?? [];
  return { wallSeconds: Number(wall), cpuSeconds: Number(user) + Number(system), firstLineMs };
}

/** How busy the machine is, since wall times mean little on a busy one. */
export function load(): string {
  return loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');
}
