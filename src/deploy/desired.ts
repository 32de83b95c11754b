import { isJsonObject, type Json, type JsonObject, SpelledNumber } from '@slipway/prefect/json';
import { applyValues } from '@slipway/prefect/template';
import type { Flow } from '../flow/model.ts';
import type { BuiltImage } from '../image/model.ts';
import { Problem, problemsOf, throwIfAny } from '../problem.ts';
import { placeOf } from '../project/place.ts';
import { tagList } from '../project/tags.ts';
import type { Revision } from '../source/model.ts';
import { inferVersionInfo, UnknownVersionType } from '../source/version-info.ts';
import type { Prepared } from '../steps/model.ts';
import { type Configuration, fillOutputs } from './configuration.ts';
import { type DeploymentFields, type DesiredDeployment, deploymentName } from './model.ts';
import { pinImage, withOwnImage } from './pin-image.ts';
import { desiredSchedules } from './schedules/desired-schedules.ts';
import type { DesiredSchedule } from './schedules/model.ts';
import { deploymentRules, NAME } from './server-rules.ts';

export interface DesireContext {
  readonly env: Readonly<Record<string, string>>;
  readonly revision: Revision;
  /** The action's own image, for deployments that name none. */
  readonly ownImage?: BuiltImage | undefined;
}

/** One entry with all that is known of it once its steps have run. */
export interface ReadyEntry {
  readonly configuration: Configuration;
  readonly flow: Flow;
  readonly prepared: Prepared;
  /** Pull steps that apply: written ones, or the generated default (contracts/deploy.md §1.6, §1.7). */
  readonly pull: readonly JsonObject[];
}

/**
 * What prefect.yaml wants of every deployment, in the API's own field names (contracts/deploy.md §1.10 order 5 to 9,
 * §4.2, §4.4).
 *
 * @throws Problem or Problems: a name that cannot be a name, two entries for one deployment, a value of the wrong kind
 *   after templating.
 */
export function desiredDeployments(entries: readonly ReadyEntry[], context: DesireContext): DesiredDeployment[] {
  const problems: Problem[] = [];
  const desired = entries.flatMap((entry): DesiredDeployment[] => {
    try {
      return [desiredDeployment(entry, context)];
    } catch (error) {
      const found = problemsOf(error);
      if (found === undefined) throw error;
      problems.push(...found);
      return [];
    }
  });
  const byName = new Map<string, DesiredDeployment>();
  for (const deployment of desired) {
    const first = byName.get(deployment.name);
    if (first !== undefined) {
      problems.push(
        new Problem(`two entries make the deployment ${deployment.name}; the other is at line ${first.where.line}`, {
          where: deployment.where,
          remedy: 'Give one of them another name.',
        }),
      );
    }
    byName.set(deployment.name, deployment);
  }
  throwIfAny(problems);
  return desired;
}

function desiredDeployment(ready: ReadyEntry, context: DesireContext): DesiredDeployment {
  const { configuration, flow, prepared } = ready;
  const { entry } = configuration;
  const outputs = prepared.outputs;
  const filled = fillOutputs(
    {
      ...configuration.settings,
      name: configuration.name,
      entrypoint: configuration.entrypoint,
      work_pool_name: configuration.workPoolName,
      description: description(configuration, flow, context.env),
    },
    outputs,
    context.env,
  );
  const values = isJsonObject(filled) ? filled : {};
  throwIfAny(deploymentRules(values, entry));
  const name = text(values.name, entry, 'name').replace(/\.py$/, '');
  // A server answers 500 to the others, and keeps nothing (contracts/deploy.md §4.2).
  if (!NAME.test(name)) {
    throw new Problem(`"${name}" cannot be the name of a deployment`, {
      where: placeOf(entry, 'name'),
      remedy: 'A name is not empty and has none of / % & < and >; the flow’s name is put before it by itself.',
    });
  }
  const workPool = isJsonObject(values.work_pool) ? values.work_pool : {};
  const jobVariables = isJsonObject(workPool.job_variables) ? workPool.job_variables : {};
  const version = versionOf(ready, values, context);
  const limit = concurrencyOf(values.concurrency_limit);
  const fields: DeploymentFields = {
    version: version.version ?? null,
    version_info: { ...version.info },
    description: typeof values.description === 'string' ? values.description : null,
    tags: tagsOf(values.tags, entry),
    entrypoint: text(values.entrypoint, entry, 'entrypoint'),
    parameters: isJsonObject(values.parameters) ? values.parameters : {},
    parameter_openapi_schema: flow.parameters.schema,
    job_variables: pinImage(withOwnImage(jobVariables, context.ownImage), prepared.images),
    pull_steps: applyValues([...ready.pull], outputs, { env: context.env, missing: 'keep' }),
    work_pool_name: text(values.work_pool_name, entry, 'work_pool.name'),
    work_queue_name: typeof workPool.work_queue_name === 'string' ? workPool.work_queue_name : null,
    ...(typeof values.enforce_parameter_schema === 'boolean'
      ? { enforce_parameter_schema: values.enforce_parameter_schema }
      : {}),
    ...(typeof values.paused === 'boolean' ? { paused: values.paused } : {}),
    ...(limit ?? {}),
  };
  return {
    name: deploymentName(flow.name, name),
    flowName: flow.name,
    deploymentName: name,
    fields,
    schedules: schedulesOf(configuration, outputs, context.env),
    where: entry.where,
    positions: entry.positions,
  };
}

/** Step outputs are filled in here without exception: `ctx.` means nothing to a schedule (§1.10, order 6). */
function schedulesOf(
  { entry, settings }: Configuration,
  outputs: JsonObject,
  env: Readonly<Record<string, string>>,
): readonly DesiredSchedule[] | undefined {
  const written = { schedules: settings.schedules ?? null, schedule: settings.schedule ?? null };
  const filled = applyValues(written, outputs, { env, missing: 'remove' });
  const { schedules, problems } = desiredSchedules(isJsonObject(filled) ? filled : {}, entry);
  throwIfAny(problems);
  return schedules;
}

/** From the file, else from the flow's docstring, to which blocks and variables do not apply ("Seen on 3.8.8" 7). */
function description(configuration: Configuration, flow: Flow, env: Readonly<Record<string, string>>): Json {
  const written = configuration.settings.description;
  if (typeof written === 'string' && written !== '') return written;
  if (flow.description === undefined) return null;
  const filled = applyValues(flow.description, { ...env }, { env, missing: 'keep' });
  return typeof filled === 'symbol' ? null : filled;
}

function versionOf(ready: ReadyEntry, values: JsonObject, context: DesireContext) {
  const { entry } = ready.configuration;
  try {
    return inferVersionInfo(context.env, context.revision, {
      type: typeof values.version_type === 'string' ? values.version_type : undefined,
      version: typeof values.version === 'string' ? values.version : undefined,
      flowVersion: ready.flow.version,
    });
  } catch (error) {
    if (!(error instanceof UnknownVersionType)) throw error;
    throw new Problem(error.message, {
      where: placeOf(entry, 'version_type'),
      remedy: `Use one of ${error.known.join(', ')}.`,
      cause: error,
    });
  }
}

function tagsOf(value: Json | undefined, entry: Configuration['entry']): string[] {
  const tags = tagList(value);
  if (tags !== undefined) return tags;
  throw new Problem('tags are neither a list nor a text once their placeholders are filled in', {
    where: placeOf(entry, 'tags'),
    remedy: 'Check the step outputs and variables that they name.',
  });
}

type Concurrency = Pick<DeploymentFields, 'concurrency_limit' | 'concurrency_options'>;

/** Only sent when written; a mapping without a strategy means ENQUEUE (design.md, difference 6; §1.5). */
function concurrencyOf(value: Json | undefined): Concurrency | undefined {
  if (value === undefined) return undefined;
  if (!isJsonObject(value)) return { concurrency_limit: numberOf(value), concurrency_options: null };
  const { limit, collision_strategy, grace_period_seconds } = value;
  return {
    concurrency_limit: numberOf(limit ?? null),
    concurrency_options: {
      collision_strategy: collision_strategy ?? 'ENQUEUE',
      ...(grace_period_seconds === undefined ? {} : { grace_period_seconds }),
    },
  };
}

function numberOf(value: Json): number | null {
  if (value === null) return null;
  return value instanceof SpelledNumber ? value.valueOf() : Number(value);
}

function text(value: Json | undefined, entry: Configuration['entry'], key: string): string {
  if (typeof value === 'string') return value;
  throw new Problem(`${key} is ${value === undefined ? 'empty' : 'not a text'} once its placeholders are filled in`, {
    where: placeOf(entry, key),
    remedy: 'Check the step outputs and variables that it names.',
  });
}
