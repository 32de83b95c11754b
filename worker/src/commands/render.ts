import { readWorkPool, referenceReaders } from '@slipway/prefect/client';
import { isJsonObject, type Json, type JsonObject } from '@slipway/prefect/json';
import { TemplateError } from '@slipway/prefect/template';
import { JobVariablesError } from '@slipway/prefect/workpool';
import type { RenderFlags, StartFlags } from '../config/command-line.ts';
import { compileConfig } from '../config/config.ts';
import { withLetters } from '../render/letters.ts';
import { makeJob } from '../render/make-job.ts';
import { originsOf, originText } from '../render/origins.ts';
import type { JobManifest } from '../render/render.ts';
import { RenderError } from '../render/render-error.ts';
import { yamlText } from '../render/yaml-text.ts';
import { CommandError, type CommandWorld, withPrefect } from './command.ts';
import { findTarget } from './render-target.ts';

/** What a label says of a worker that nobody named. */
const WORKER_NAME = 'slipway-worker';
const MASK = '********';
/** A secret shorter than this is masked where it is all of a text: its letters turn up everywhere. */
const SHORT = 6;

/**
 * `slipway-worker render`: shows the Job that a run gets, or that a run of a deployment would get, made by the code that
 * makes it in the worker. Reads only. What comes out of blocks and the worker's credentials is masked.
 *
 * @returns the exit code: 1 when no Job can be made of it, with what the run would crash with.
 * @throws CommandError, SettingsError, ConfigError; what the Prefect API answers.
 */
export async function renderCommand(flags: RenderFlags, world: CommandWorld): Promise<number> {
  return await withPrefect(world, async ({ api, variables }) => {
    const target = await findTarget(api, flags.target, world.signal);
    const pool = await readWorkPool(api, target.pool, world.signal);
    if (pool === undefined) throw new CommandError(`The work pool ${target.pool} does not exist any more.`);
    if (pool.type !== 'kubernetes') {
      throw new CommandError(`The work pool ${pool.name} is of type ${pool.type}, whose runs are no Kubernetes Jobs.`);
    }
    const start = { ...NO_FLAGS, pool: pool.name, name: flags.name ?? WORKER_NAME };
    const config = compileConfig(start, world.env, () => '', variables);
    const { env: templateEnv, prefectEnv: env, ...rest } = config.render;
    const settings = { ...rest, env, templateEnv, cloud: config.prefect.cloud };
    const { run, flow, deployment } = target;
    const context = { run, flow, deployment, pool, workerName: config.workerName };
    const secrets = new Set(config.prefect.secrets);
    let job: JobManifest;
    try {
      const readers = referenceReaders(api, world.signal);
      job = await makeJob(pool.base_job_template, context, target.claim, settings, readers, (text) =>
        secrets.add(text),
      );
    } catch (error) {
      const known =
        error instanceof RenderError || error instanceof JobVariablesError || error instanceof TemplateError;
      if (!known) throw error;
      world.complain(`No Job can be made: ${error.message} A run would crash with this.`);
      return 1;
    }
    for (const note of notesOn(job, target.runExists)) world.complain(`Note: ${note}`);
    const findOrigins = () => originsOf(job, pool.base_job_template, context, settings);
    const leaves = flags.origins ? await withLetters(findOrigins) : [];
    const origins = new Map(
      leaves.map((leaf) => [pointer(leaf.path), leaf.origins.map(originText).join(' + ')] as const),
    );
    const body = masked(
      job.body,
      [...secrets].filter((text) => text !== '').sort((a, b) => b.length - a.length),
    );
    world.print(
      flags.output === 'json'
        ? jsonOf(body, origins)
        : yamlText(body, (path) => (isNameOfVariable(path) ? undefined : origins.get(pointer(path)))).trimEnd(),
    );
    return 0;
  });
}

const NO_FLAGS: StartFlags = {
  workQueue: [],
  runOnce: false,
  withHealthcheck: false,
  installPolicy: 'prompt',
  createPoolIfNotFound: true,
};

function notesOn(job: JobManifest, runExists: boolean): string[] {
  return [
    ...(runExists ? [] : ['the run is made up: its name, its id and so the end of the Job’s name will be others']),
    ...(job.cluster === undefined ? [] : [`it goes to another cluster, context ${job.cluster.contextName}`]),
    ...job.secrets.map(({ kind, name }) =>
      kind === 'env'
        ? `Secret ${name} is made before it, with its environment`
        : `Secret ${name} is made before it, with the API key`,
    ),
    ...job.notes,
  ];
}

function jsonOf(body: JsonObject, origins: ReadonlyMap<string, string>): string {
  const shown = origins.size === 0 ? body : { job: body, origins: Object.fromEntries(origins) };
  return JSON.stringify(shown, undefined, 2);
}

/** Its value, in the next line, says the same. */
function isNameOfVariable(path: readonly (string | number)[]): boolean {
  return path.at(-1) === 'name' && path.at(-3) === 'env';
}

/** RFC 6901. */
function pointer(path: readonly (string | number)[]): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function masked(value: JsonObject, secrets: readonly string[]): JsonObject;
function masked(value: Json, secrets: readonly string[]): Json;
function masked(value: Json, secrets: readonly string[]): Json {
  if (typeof value === 'string') {
    if (secrets.includes(value)) return MASK;
    return secrets.reduce((shown, text) => (text.length < SHORT ? shown : shown.replaceAll(text, MASK)), value);
  }
  if (Array.isArray(value)) return value.map((item) => masked(item, secrets));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, masked(member, secrets)]));
}
