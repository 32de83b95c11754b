import { createWorkPool, PrefectApiError, readWorkPoolAsSent, updateWorkPool } from '@slipway/prefect/client';
import { isJsonObject, type JsonObject, parseJson } from '@slipway/prefect/json';
import { defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import type { WorkPoolFlags } from '../config/command-line.ts';
import { CommandError, type CommandWorld, withPrefect } from './command.ts';

/**
 * `prefect work-pool inspect|update|create`, with the exit codes and texts of Prefect 3.8.8: the official chart's init
 * container decides by them (contracts/worker.md §7.5). `inspect` prints JSON with and without `--output json`.
 *
 * @returns the exit code. @throws CommandError, SettingsError; what the Prefect API answers.
 */
export async function workPoolCommand(flags: WorkPoolFlags, world: CommandWorld): Promise<number> {
  switch (flags.action) {
    case 'inspect':
      return await inspect(flags.pool, world);
    case 'update':
      return await update(flags, world);
    case 'create':
      return await create(flags, world);
  }
}

async function inspect(name: string, world: CommandWorld): Promise<number> {
  return await withPrefect(world, async ({ api }) => {
    const pool = await readWorkPoolAsSent(api, name, world.signal);
    if (pool === undefined) throw new CommandError(`Work pool '${name}' not found!`);
    world.print(JSON.stringify(pool, undefined, 2));
    return 0;
  });
}

async function update(flags: WorkPoolFlags & { action: 'update' }, world: CommandWorld): Promise<number> {
  const { pool, baseJobTemplate, concurrencyLimit, description } = flags;
  const body = {
    ...(baseJobTemplate === undefined ? {} : { base_job_template: await readTemplate(baseJobTemplate, world) }),
    ...(concurrencyLimit === undefined ? {} : { concurrency_limit: concurrencyLimit }),
    ...(description === undefined || description === '' ? {} : { description }),
  };
  return await withPrefect(world, async ({ api }) => {
    try {
      await updateWorkPool(api, pool, body, world.signal);
    } catch (error) {
      if (!(error instanceof PrefectApiError && error.status === 404)) throw error;
      throw new CommandError(`Work pool named '${pool}' does not exist.`);
    }
    world.print(`Updated work pool '${pool}'`);
    return 0;
  });
}

async function create(flags: WorkPoolFlags & { action: 'create' }, world: CommandWorld): Promise<number> {
  const { pool: name, type, baseJobTemplate, paused, overwrite } = flags;
  if (name.replace(/^['" ]+|['" ]+$/g, '') === '') throw new CommandError('Work pool name cannot be empty.');
  return await withPrefect(world, async ({ api }) => {
    const existing = await readWorkPoolAsSent(api, name, world.signal);
    if (existing !== undefined && !overwrite) throw alreadyThere(name);
    const kind = typeof existing?.type === 'string' ? existing.type : type;
    if (kind === undefined) {
      throw new CommandError('When not using an interactive terminal, you must supply a `--type` value.');
    }
    if (kind !== 'kubernetes') {
      throw new CommandError(`Unknown work pool type '${kind}'. Only kubernetes work pools are created here.`);
    }
    const base_job_template =
      baseJobTemplate === undefined ? defaultKubernetesTemplate : await readTemplate(baseJobTemplate, world);
    if (existing === undefined) {
      try {
        await createWorkPool(api, { name, type: kind, base_job_template, is_paused: paused }, world.signal);
      } catch (error) {
        if (!(error instanceof PrefectApiError)) throw error;
        throw error.status === 409 ? alreadyThere(name) : new CommandError(error.detail || error.message);
      }
    } else {
      await updateWorkPool(api, name, { base_job_template, is_paused: paused }, world.signal);
    }
    world.print(`${existing === undefined ? 'Created' : 'Updated'} work pool '${name}'!`);
    if (!paused) world.print(`\nTo start a worker for this work pool, run:\n\n\tprefect worker start --pool ${name}`);
    return 0;
  });
}

function alreadyThere(name: string): CommandError {
  return new CommandError(`Work pool named '${name}' already exists. Use --overwrite to update it.`);
}

async function readTemplate(path: string, world: CommandWorld): Promise<JsonObject> {
  let text: string;
  try {
    text = await world.readText(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new CommandError(`The file "${path}" of --base-job-template cannot be read (${code}).`);
  }
  try {
    const json = parseJson(text);
    if (isJsonObject(json)) return json;
  } catch {
    // The message of a JSON error quotes the file; what to do is the same.
  }
  throw new CommandError(`The file "${path}" of --base-job-template is not a JSON object.`);
}
