import { openPrefectApi, type PrefectApi } from '@slipway/prefect/client';
import { readSettings, withSettingsFiles } from '@slipway/prefect/settings';
import { WORKER_VERSION } from '../version.ts';
import type { Clock } from '../world.ts';

/** What the commands beside `start` touch: they do one thing, say it on stdout and end. */
export interface CommandWorld {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The home directory and the working directory. */
  readonly home: string;
  readonly directory: string;
  readonly clock: Clock;
  readonly random: () => number;
  /** UTF-8 text of a file; rejects as node:fs does. */
  readonly readText: (path: string) => Promise<string>;
  /** A line, or lines, on stdout and on stderr. */
  readonly print: (text: string) => void;
  readonly complain: (text: string) => void;
  readonly signal: AbortSignal;
}

/** A command cannot do what it was asked; the message is for the person who asked. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

export interface Prefect {
  readonly api: PrefectApi;
  /** The environment with what Prefect's settings files say below it. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** Tries after the first one: a person waits. */
const RETRIES = 2;

/**
 * Does something with the Prefect API that environment and settings files name, and closes it.
 *
 * @param retries tries after the first one.
 * @throws SettingsError; what `work` throws.
 */
export async function withPrefect<T>(
  world: CommandWorld,
  work: (prefect: Prefect) => Promise<T>,
  retries = RETRIES,
): Promise<T> {
  const places = { home: world.home, directory: world.directory, writtenBy: 'operator' } as const;
  const { variables, warnings } = await withSettingsFiles(world.env, places, world.readText);
  const settings = readSettings(variables);
  for (const warning of [...warnings, ...settings.warnings]) world.complain(`Warning: ${warning}`);
  const log = { debug: () => undefined, warning: (text: string) => world.complain(text) };
  const api = openPrefectApi(
    { ...settings, maxRetries: Math.min(settings.maxRetries, retries) },
    { clock: world.clock, random: world.random, log, product: `slipway-worker/${WORKER_VERSION}` },
  );
  try {
    return await work({ api, variables });
  } finally {
    await api.close();
  }
}
