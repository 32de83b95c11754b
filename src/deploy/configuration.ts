import type { Json, JsonObject } from '@slipway/prefect/json';
import { isJsonObject } from '@slipway/prefect/json';
import {
  applyValues,
  NotSet,
  type ReferenceReaders,
  resolveReferences,
  TemplateError,
} from '@slipway/prefect/template';
import { Problem, throwIfAny } from '../problem.ts';
import type { Entry } from '../project/model.ts';
import { placeOf } from '../project/place.ts';

/**
 * An entry with what can be filled in before any step runs: blocks, variables, environment (contracts/deploy.md §1.10,
 * order 2 and 3). Placeholders of step outputs are still in it.
 */
export interface Configuration {
  readonly entry: Entry;
  /** The deployment's name; may still hold placeholders of step outputs. */
  readonly name: string;
  readonly entrypoint: string;
  /** The entry's other settings. */
  readonly settings: JsonObject;
  /** From the entry, else the default pool of the settings; may still hold placeholders of step outputs. */
  readonly workPoolName: string;
}

export interface ConfigureOptions {
  readonly readers: ReferenceReaders;
  readonly env: Readonly<Record<string, string>>;
  readonly onSecret: (secret: string) => void;
  readonly defaultWorkPoolName: string | undefined;
}

/**
 * Fills in blocks, variables and environment variables of every entry.
 *
 * @throws Problem or Problems: a missing block, a name, entrypoint or work pool that is missing.
 */
export async function configure(entries: readonly Entry[], options: ConfigureOptions): Promise<Configuration[]> {
  const problems: Problem[] = [];
  const configurations: Configuration[] = [];
  for (const entry of entries) {
    const result = await configureEntry(entry, options);
    if (result instanceof Problem) problems.push(result);
    else configurations.push(result);
  }
  throwIfAny(problems);
  return configurations;
}

async function configureEntry(entry: Entry, options: ConfigureOptions): Promise<Configuration | Problem> {
  const raw: JsonObject = {
    name: entry.name ?? null,
    entrypoint: entry.entrypoint ?? null,
    ...entry.settings,
  };
  let referenced: Json;
  try {
    referenced = await resolveReferences(raw, options.readers, { onSecret: options.onSecret });
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return new Problem(`deployment ${entry.name ?? ''}: ${error.message}`, {
      where: entry.where,
      remedy: 'Create the block, or correct its name in prefect.yaml.',
      cause: error,
    });
  }
  // Whole placeholders inside lists stay for the step outputs (design.md, difference 5).
  const filled = applyValues(
    referenced,
    { ...options.env },
    {
      env: options.env,
      missing: 'keep',
      wholeMissingListItems: 'keep',
    },
  );
  const { name, entrypoint, ...settings } = isJsonObject(filled) ? filled : {};
  if (typeof entrypoint !== 'string' || entrypoint === '') {
    return missing(entry, 'entrypoint', 'Add `entrypoint: path/to/file.py:flow_function`.');
  }
  if (typeof name !== 'string' || name === '') return missing(entry, 'name', 'Add `name:` to the deployment.');
  const pool = isJsonObject(settings.work_pool) ? settings.work_pool.name : undefined;
  const workPoolName = typeof pool === 'string' && pool !== '' ? pool : options.defaultWorkPoolName;
  if (workPoolName === undefined) {
    return missing(entry, 'work_pool.name', 'Add `work_pool: {name: …}`, or set PREFECT_DEFAULT_WORK_POOL_NAME.');
  }
  return { entry, name, entrypoint, settings, workPoolName };
}

function missing(entry: Entry, key: string, remedy: string): Problem {
  return new Problem(`the deployment${entry.name ? ` ${entry.name}` : ''} has no ${key}`, {
    where: placeOf(entry, key),
    remedy,
  });
}

/** Fills step outputs into a value; what they do not have is removed, `ctx.` stays for the worker (§1.10, order 7). */
export function fillOutputs(value: Json, outputs: JsonObject, env: Readonly<Record<string, string>>): Json | undefined {
  const filled = applyValues(value, outputs, { env, missing: 'remove', skipPrefixes: ['ctx.'] });
  return filled === NotSet ? undefined : filled;
}
