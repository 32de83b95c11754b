import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { type Exec, ExecNotStarted, type ExecOptions, type ExecResult, ExecTimeout } from './world.ts';

/**
 * Child processes. Failure model: each child leads a process group of its own, so that ending it ends what it started
 * too; when we end it (aborted, or past its deadline) the group gets SIGTERM, SIGKILL after a grace, and SIGKILL again
 * once its leader is gone, for those that outlive it. A child that is left alone is waited for until its output closes,
 * also when a background process of its own holds it open, as Python's subprocess does.
 */
export interface ExecSettings {
  /** Milliseconds between SIGTERM and SIGKILL. */
  readonly graceMs?: number;
}

const GRACE_MS = 5_000;

type Child = ChildProcessWithoutNullStreams;

/**
 * The real Exec (src/world.ts). Output is decoded as UTF-8 with replacement, split characters kept together. A child
 * ended by somebody else's signal has a negative exit code, as in Python: -9 for SIGKILL.
 */
export function createExec(settings: ExecSettings = {}): Exec {
  const graceMs = settings.graceMs ?? GRACE_MS;
  return async (command, args, options) => {
    options.signal.throwIfAborted();
    const child: Child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    });
    return await run(child, command, options, graceMs);
  };
}

function run(child: Child, command: string, options: ExecOptions, graceMs: number): Promise<ExecResult> {
  const { signal, timeoutMs, stdin, onOutput } = options;
  const { promise, resolve, reject } = Promise.withResolvers<ExecResult>();
  let ending: { readonly reason: unknown; readonly timer: NodeJS.Timeout } | undefined;
  const end = (reason: unknown): void => {
    if (ending !== undefined) return;
    ending = { reason, timer: setTimeout(() => killGroup(child, 'SIGKILL'), graceMs) };
    killGroup(child, 'SIGTERM');
  };
  const onAbort = (): void => end(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const deadline =
    timeoutMs === undefined ? undefined : setTimeout(() => end(new ExecTimeout(command, timeoutMs)), timeoutMs);

  const collect = (stream: 'stdout' | 'stderr'): (() => string) => {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    const pieces: string[] = [];
    const take = (text: string): void => {
      if (text === '') return;
      pieces.push(text);
      try {
        onOutput?.(text, stream);
      } catch (error) {
        end(error);
      }
    };
    child[stream].on('data', (chunk: Buffer) => take(decoder.decode(chunk, { stream: true })));
    child[stream].on('end', () => take(decoder.decode()));
    return () => pieces.join('');
  };
  const stdout = collect('stdout');
  const stderr = collect('stderr');

  const settle = (): void => {
    signal.removeEventListener('abort', onAbort);
    clearTimeout(deadline);
    clearTimeout(ending?.timer);
  };
  child.on('error', (error: NodeJS.ErrnoException) => {
    // Also told of a failed kill; only a child that has no pid was never started.
    if (child.pid !== undefined) return;
    settle();
    reject(new ExecNotStarted(command, error.code ?? 'unknown error', error));
  });
  child.on('close', (code, endedBy) => {
    settle();
    if (ending === undefined) {
      resolve({ exitCode: exitCode(code, endedBy), stdout: stdout(), stderr: stderr() });
      return;
    }
    killGroup(child, 'SIGKILL');
    reject(ending.reason);
  });
  // A child that does not read all its input is no error of ours.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin ?? '');
  return promise;
}

function exitCode(code: number | null, endedBy: NodeJS.Signals | null): number {
  return code ?? -(endedBy === null ? 1 : constants.signals[endedBy]);
}

function killGroup(child: Child, name: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill(name);
    else process.kill(-child.pid, name);
  } catch (error) {
    // ESRCH: the whole group has gone already.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
