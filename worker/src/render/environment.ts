import { isJsonObject, type Json, type JsonObject } from '@slipway/prefect/json';
import type { EnvEntry, JobConfiguration } from './configuration.ts';
import { RenderError } from './render-error.ts';
import type { RunContext } from './run-context.ts';

const SIGTERM_BEHAVIOR = 'PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR';

/** Where the environment of the first container comes from. */
export interface EnvironmentSources {
  readonly configuration: JobConfiguration;
  readonly context: RunContext;
  /** The worker's own settings, from passedSettings. */
  readonly settings: readonly (readonly [name: string, value: string])[];
  /** The manifest's `spec.backoffLimit`. */
  readonly backoffLimit: Json | undefined;
  /** The container's `env` in the manifest. */
  readonly manifestEnv: Json | undefined;
}

/**
 * The environment of the first container in Prefect's order (contracts/worker.md §4.6, §4.8): the worker's settings, what
 * tells the pod which run it is, the user's variables, which win and of which null removes, the behaviour on SIGTERM;
 * then what the manifest itself has under other names. A variable that is overridden keeps its place.
 */
export function containerEnvironment(sources: EnvironmentSources): JsonObject[] {
  const { configuration, context } = sources;
  const variables = new Map<string, Json>([
    ...sources.settings,
    ...attribution(context),
    ...configuration.env.map(([name, value]): EnvEntry => [name, value]),
  ]);
  const plain = [...variables].filter(([, value]) => value !== null);
  const entries =
    configuration.specialEnv.length === 0
      ? withBehaviorOfMapping(plain, sources.backoffLimit)
      : withBehaviorOfList([...plain.map(toEntry), ...configuration.specialEnv], sources.backoffLimit);
  return [...entries, ...remaining(sources.manifestEnv, new Set(entries.map((entry) => entry.name)))];
}

function attribution({ run, flow, deployment, workerName }: RunContext): EnvEntry[] {
  return [
    ['PREFECT__FLOW_RUN_ID', run.id],
    ['PREFECT__WORKER_NAME', workerName],
    ['PREFECT__FLOW_ID', run.flow_id],
    ...(flow.name === '' ? [] : [['PREFECT__FLOW_NAME', flow.name] as const]),
    ...(deployment === undefined
      ? []
      : ([
          ['PREFECT__DEPLOYMENT_ID', deployment.id],
          ['PREFECT__DEPLOYMENT_NAME', deployment.name],
        ] as const)),
  ];
}

/** At backoffLimit 0 Prefect reschedules an evicted run, unless the user said otherwise; else Kubernetes retries it. */
function withBehaviorOfMapping(
  plain: readonly (readonly [string, Json])[],
  backoffLimit: Json | undefined,
): JsonObject[] {
  const variables = new Map(plain);
  const chosen = variables.get(SIGTERM_BEHAVIOR);
  if (!isZero(backoffLimit)) variables.set(SIGTERM_BEHAVIOR, 'relinquish');
  else if (chosen === undefined || chosen === '') variables.set(SIGTERM_BEHAVIOR, 'reschedule');
  return [...variables].map(toEntry);
}

function withBehaviorOfList(entries: readonly JsonObject[], backoffLimit: Json | undefined): JsonObject[] {
  const chosen = entries.some((entry) => entry.name === SIGTERM_BEHAVIOR);
  if (isZero(backoffLimit)) {
    return chosen ? [...entries] : [...entries, { name: SIGTERM_BEHAVIOR, value: 'reschedule' }];
  }
  const others = entries.filter((entry) => entry.name !== SIGTERM_BEHAVIOR);
  return [...others, { name: SIGTERM_BEHAVIOR, value: 'relinquish' }];
}

/** Python's `== 0`, for which 0.0 and False are zero too. */
function isZero(value: Json | undefined): boolean {
  if (value === undefined || value === null || typeof value === 'string' || Array.isArray(value)) return false;
  return !isJsonObject(value) && Number(value) === 0;
}

function remaining(manifestEnv: Json | undefined, ours: ReadonlySet<Json | undefined>): JsonObject[] {
  if (!Array.isArray(manifestEnv)) return [];
  return manifestEnv
    .map((entry, index) => {
      if (isJsonObject(entry)) return entry;
      throw new RenderError(`The job manifest’s env[${index}] is not a mapping with a name.`);
    })
    .filter((entry) => !ours.has(entry.name));
}

function toEntry([name, value]: readonly [string, Json]): JsonObject {
  return { name, value };
}
