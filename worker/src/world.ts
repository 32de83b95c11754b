/**
 * The effects of the worker, passed in: nothing else here reaches for process, the clock or chance by itself, so that
 * every decision can be tested as a table.
 */

/** Facts about a line of the log that programs read; never a secret. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** The worker's own log. Secrets of the settings are masked in everything that goes through it. */
export interface Log {
  debug(text: string, fields?: LogFields): void;
  info(text: string, fields?: LogFields): void;
  warning(text: string, fields?: LogFields): void;
  error(text: string, fields?: LogFields): void;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export interface World {
  /** The process environment as it was at start. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
}
