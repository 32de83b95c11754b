/**
 * The effects of the action, passed in: nothing under src/ reaches for process, fetch, the clock or the disk by
 * itself, so that every decision can be tested as a table and every effect faked at one place or run for real.
 */

/** Text in and out of a child process. */
export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ExecOptions {
  readonly cwd: string;
  /** The child's whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Called with each piece of output as it comes, decoded, in order. */
  readonly onOutput?: (text: string, stream: 'stdout' | 'stderr') => void;
  /** Ends the child (SIGTERM, then SIGKILL after 5 s) when aborted. */
  readonly signal: AbortSignal;
  /** Ends the child likewise and rejects with ExecTimeout when it runs longer. */
  readonly timeoutMs?: number;
}

/** Runs a program directly, without a shell. Rejects only when it cannot be started or is ended by us. */
export type Exec = (command: string, args: readonly string[], options: ExecOptions) => Promise<ExecResult>;

/** The program could not be started. `code` is Node's, e.g. ENOENT. */
export class ExecNotStarted extends Error {
  override readonly name = 'ExecNotStarted';
  readonly command: string;
  readonly code: string;

  constructor(command: string, code: string, cause: unknown) {
    super(`cannot start ${command}: ${code}`, { cause });
    this.command = command;
    this.code = code;
  }
}

/** The program ran past its deadline and was ended. */
export class ExecTimeout extends Error {
  override readonly name = 'ExecTimeout';

  constructor(command: string, timeoutMs: number) {
    super(`${command} was ended after ${Math.round(timeoutMs / 1000)} s`);
  }
}

export interface Files {
  /** UTF-8 text. Rejects as node:fs does (`code: 'ENOENT'` …). */
  readText(path: string): Promise<string>;
  exists(path: string): Promise<boolean>;
  /** A new private directory (0700) under the runner's temporary directory. */
  makeTemporaryDirectory(prefix: string): Promise<string>;
  /** Writes a file that only its owner may read (0600) unless `mode` says otherwise; fails when it exists already. */
  writeNew(path: string, text: string, mode?: number): Promise<void>;
  symlink(target: string, path: string): Promise<void>;
  /** Names in a directory; rejects as node:fs does. */
  list(path: string): Promise<string[]>;
  /** Removes a file or a directory with all in it; missing is fine. */
  remove(path: string): Promise<void>;
}

/** What a person reads. Every secret ever seen is masked by the runner and by `mask`. */
export interface Log {
  info(text: string): void;
  debug(text: string): void;
  warning(text: string, where?: { file: string; line: number; column: number }): void;
  /** One collapsible group: everything logged inside stands in it. */
  group<T>(title: string, body: () => Promise<T>): Promise<T>;
  /** Masks a secret in everything written from now on, each of its lines too. */
  mask(secret: string): void;
  /** The text with every masked secret replaced by `***`, for what is not the log: summary, outputs, comments. */
  redact(text: string): string;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export interface World {
  /** The process environment as it was at start. */
  readonly env: Readonly<Record<string, string>>;
  readonly exec: Exec;
  readonly files: Files;
  readonly log: Log;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Aborted when the job is cancelled. */
  readonly signal: AbortSignal;
}
