import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { applyValues, isTruthy } from '../template/index.ts';

/** Job variables that do not go together, so that no configuration can be made; Prefect's worker crashes the run. */
export class JobVariablesError extends Error {
  override readonly name = 'JobVariablesError';
}

export interface RenderInput {
  /** The work pool's base job template. */
  readonly template: JsonObject;
  /** `job_variables` of the deployment and of the flow run; null or left out when there are none. */
  readonly deploymentVariables?: JsonObject | null;
  readonly runVariables?: JsonObject | null;
  /** The environment that `{{ $NAME }}` reads: the worker's. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The two things a configuration is made of. */
export interface MergedJobVariables {
  /** `job_configuration` with the environments merged in where it has one; placeholders unfilled. */
  readonly configuration: JsonObject;
  /** What fills the placeholders: the template's defaults under the job variables. */
  readonly values: JsonObject;
}

/**
 * The `job_configuration` of a run with its values filled in (contracts/worker.md §4.4, steps 1–6 up to the references;
 * workers/base.py `resolve_for_flow_run`, `from_template_and_values` of prefect 3.8.8). Blocks and variables are still
 * to be resolved with `resolveReferences`; values are not yet checked for their types.
 *
 * @throws JobVariablesError when the variables do not go together.
 */
export function renderJobConfiguration(input: RenderInput): JsonObject {
  const { configuration, values } = mergeJobVariables(
    input.template,
    input.deploymentVariables ?? {},
    input.runVariables ?? {},
  );
  return applyValues(configuration, values, { env: input.env, missing: 'remove' });
}

/**
 * Merges the three sources of variables, from weak to strong: the template's defaults, the deployment's, the run's
 * (contracts/worker.md §4.4, steps 1–5). Nothing given is changed. An overridden key keeps its place, as in Python.
 *
 * @throws JobVariablesError when the variables do not go together.
 */
export function mergeJobVariables(
  template: JsonObject,
  deploymentVariables: JsonObject,
  runVariables: JsonObject,
): MergedJobVariables {
  const { job_configuration: job, variables: schema } = template;
  if (!isJsonObject(job) || !isJsonObject(schema)) {
    throw new JobVariablesError(
      'The work pool has no usable base job template: it needs "job_configuration" and "variables". ' +
        'Start a worker on the empty pool, or set a template.',
    );
  }
  const defaults = defaultsOf(schema);
  const values = { ...defaults, ...expanded(withRunVariables(deploymentVariables, runVariables)) };
  return { configuration: withEnvironment(withDefaultEnvironment(job, defaults.env), values.env), values };
}

/** Defaults that are null are as good as absent, so that their places in the manifest go (worker.md §4.4). */
function defaultsOf(schema: JsonObject): JsonObject {
  const properties = isJsonObject(schema.properties) ? schema.properties : {};
  const defaults = Object.entries(properties).flatMap(([name, property]): [string, Json][] =>
    isJsonObject(property) && property.default !== undefined && property.default !== null
      ? [[name, property.default]]
      : [],
  );
  return Object.fromEntries(defaults);
}

/** The run's variables override the deployment's, except that a mapping `env` of the deployment is added to. */
function withRunVariables(deployment: JsonObject, run: JsonObject): JsonObject {
  if (!isJsonObject(deployment.env)) return { ...deployment, ...run };
  const { env: runEnv, ...others } = run;
  const env = runEnv === undefined ? deployment.env : { ...deployment.env, ...pairsOf(runEnv) };
  return { ...deployment, env, ...others };
}

/**
 * What Python's `dict.update()` takes besides a mapping: a list of pairs. A mapping with two keys is such a pair, so
 * `[{name, value}]` gives a variable called `name` (worker.md "Seen on 3.8.8" 2).
 */
function pairsOf(env: Json): JsonObject {
  if (isJsonObject(env)) return env;
  if (env === '') return {};
  const pairs = Array.isArray(env) ? env.map(pairOf) : [undefined];
  const entries = pairs.filter((pair) => pair !== undefined);
  if (entries.length === pairs.length) return Object.fromEntries(entries);
  throw new JobVariablesError(
    'The deployment’s "env" is a mapping and the run’s is not, so they cannot be merged. Write both as mappings.',
  );
}

function pairOf(item: Json): [string, Json] | undefined {
  const parts = isJsonObject(item) ? Object.keys(item) : typeof item === 'string' ? Array.from(item) : item;
  if (!Array.isArray(parts) || parts.length !== 2) return undefined;
  const [key, value] = parts;
  return typeof key === 'string' && value !== undefined ? [key, value] : undefined;
}

/** Turns `env.FOO` into `{env: {FOO: …}}`; where a plain key says the same, the plain key wins (worker.md §4.4, 3). */
function expanded(jobVariables: JsonObject): JsonObject {
  const entries = Object.entries(jobVariables);
  let result: JsonObject = {};
  for (const [key, value] of entries) {
    if (!key.includes('.')) continue;
    result = withPath(result, key.replaceAll('[', '.').replaceAll(']', '').split('.'), value, key);
  }
  for (const [key, value] of entries) {
    if (!key.includes('.'))
      result = { ...result, ...Object.fromEntries([[key, deepMerged(ownMember(result, key), value)]]) };
  }
  return result;
}

function withPath(target: JsonObject, path: readonly string[], value: Json, whole: string): JsonObject {
  const [key = '', ...rest] = path;
  if (rest.length === 0) return { ...target, ...Object.fromEntries([[key, value]]) };
  const inner = Object.hasOwn(target, key) ? target[key] : {};
  if (!isJsonObject(inner)) {
    throw new JobVariablesError(
      `The job variable "${whole}" leads through "${key}", which another job variable sets to a single value. ` +
        'Keep one of the two.',
    );
  }
  return { ...target, ...Object.fromEntries([[key, withPath(inner, rest, value, whole)]]) };
}

function deepMerged(under: Json | undefined, over: Json): Json {
  if (!isJsonObject(under) || !isJsonObject(over)) return over;
  const merged = Object.entries(over).map(([key, value]) => [key, deepMerged(ownMember(under, key), value)] as const);
  return { ...under, ...Object.fromEntries(merged) };
}

/** Before the job variables count: a default `env` joins a mapping in the configuration and replaces anything else. */
function withDefaultEnvironment(job: JsonObject, defaultEnv: Json | undefined): JsonObject {
  if (!isTruthy(defaultEnv)) return job;
  return { ...job, env: isJsonObject(job.env) ? joined(job.env, defaultEnv, 'the template’s default') : defaultEnv };
}

function withEnvironment(job: JsonObject, env: Json | undefined): JsonObject {
  return isJsonObject(job.env) && isTruthy(env) ? { ...job, env: joined(job.env, env, 'the job variables’') } : job;
}

function joined(env: JsonObject, more: Json, whose: string): JsonObject {
  if (isJsonObject(more)) return { ...env, ...more };
  throw new JobVariablesError(
    `The work pool’s "env" is a mapping and ${whose} "env" is not, so they cannot be merged. Write both as mappings.`,
  );
}

function ownMember(mapping: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(mapping, key) ? mapping[key] : undefined;
}
