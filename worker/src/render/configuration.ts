import { isJsonObject, type Json, type JsonObject } from '@slipway/prefect/json';
import { pythonStr } from '@slipway/prefect/template';
import { RenderError } from './render-error.ts';

/** One variable of the environment of a container; a null value takes the variable out. */
export type EnvEntry = readonly [name: string, value: Json];

/** A cluster other than the worker's own: the data of a KubernetesClusterConfig block. It holds credentials. */
export interface ClusterConfig {
  /** A kubeconfig as text, JSON or YAML. */
  readonly kubeconfig: string;
  readonly contextName: string;
}

/** A run's job configuration with its types checked: what the manifest is prepared from. */
export interface JobConfiguration {
  readonly command: string | undefined;
  readonly env: readonly EnvEntry[];
  /** Entries of a list-valued env that have no plain value; undefined when env is no such list. */
  readonly specialEnv: readonly JsonObject[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly name: string | undefined;
  readonly namespace: string;
  /** Undefined: the worker's own. */
  readonly cluster: ClusterConfig | undefined;
  readonly jobManifest: JsonObject;
}

/**
 * Checks the types of a rendered `job_configuration` as Prefect's model does (contracts/worker.md §4.4, kw
 * `KubernetesWorkerJobConfiguration`). Fields that Prefect accepts and never uses are not looked at.
 *
 * @throws RenderError naming the field.
 */
export function readJobConfiguration(rendered: JsonObject): JobConfiguration {
  const manifest = rendered.job_manifest;
  if (!isJsonObject(manifest)) {
    throw new RenderError('The work pool’s template has no "job_manifest", or it is not a mapping.');
  }
  const { entries, special } = readEnv(rendered.env);
  return {
    command: optionalText(rendered, 'command') || undefined,
    env: entries,
    specialEnv: special,
    labels: texts(rendered, 'labels'),
    annotations: texts(rendered, 'annotations'),
    name: optionalText(rendered, 'name') || undefined,
    namespace: rendered.namespace === undefined ? 'default' : text(rendered, 'namespace'),
    cluster: readClusterConfig(rendered.cluster_config),
    jobManifest: structuredCloneOf(manifest),
  };
}

function readEnv(env: Json | undefined): { entries: EnvEntry[]; special: JsonObject[] } {
  if (env === undefined) return { entries: [], special: [] };
  if (isJsonObject(env)) {
    const entries = Object.entries(env).map(
      ([name, value]): EnvEntry => [name, value === null ? null : pythonStr(value)],
    );
    return { entries, special: [] };
  }
  if (!Array.isArray(env)) {
    throw new RenderError(`"env" is ${kindOf(env)}, but must be a mapping of names to values, or a list of entries.`);
  }
  const items = env.map((item, index) => {
    if (isJsonObject(item)) return item;
    throw new RenderError(`"env[${index}]" is ${kindOf(item)}, but must be a mapping with a name.`);
  });
  const plain = items.flatMap((item): EnvEntry[] =>
    typeof item.name === 'string' && item.value !== undefined ? [[item.name, item.value]] : [],
  );
  // Python keeps names in a dictionary: the last value counts, at the place of the first.
  return { entries: [...new Map(plain)], special: items.filter((item) => 'valueFrom' in item) };
}

/**
 * The cluster that a rendered `cluster_config` names. Nothing of it is quoted: it holds credentials.
 *
 * @returns undefined: the worker's own.
 * @throws RenderError when it is none.
 */
export function readClusterConfig(value: Json | undefined): ClusterConfig | undefined {
  if (value === undefined || value === null) return undefined;
  const { config, context_name: contextName } = isJsonObject(value) ? value : {};
  const isText = typeof config === 'string';
  if ((isText || isJsonObject(config)) && typeof contextName === 'string') {
    return { kubeconfig: isText ? config : JSON.stringify(config), contextName };
  }
  throw new RenderError(
    '"cluster_config" must be a mapping with "config" (a kubeconfig) and "context_name". ' +
      'Refer to a KubernetesClusterConfig block: {{ prefect.blocks.kubernetes-cluster-config.<name> }}.',
  );
}

function optionalText(rendered: JsonObject, field: string): string | undefined {
  return rendered[field] === undefined || rendered[field] === null ? undefined : text(rendered, field);
}

function text(rendered: JsonObject, field: string): string {
  const value = rendered[field];
  if (typeof value === 'string') return value;
  throw new RenderError(`"${field}" is ${kindOf(value)}, but must be a text.`);
}

function texts(rendered: JsonObject, field: string): Record<string, string> {
  const value = rendered[field];
  if (value === undefined) return {};
  if (!isJsonObject(value)) throw new RenderError(`"${field}" is ${kindOf(value)}, but must be a mapping of texts.`);
  for (const [key, each] of Object.entries(value)) {
    if (typeof each !== 'string') {
      throw new RenderError(`"${field}.${key}" is ${kindOf(each)}, but must be a text. Write it in quotes.`);
    }
  }
  return value as Record<string, string>;
}

function kindOf(value: Json | undefined): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (isJsonObject(value)) return 'a mapping';
  return typeof value === 'object' ? 'a number' : typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}

/** A copy of mappings and lists; numbers keep their spelling, which structuredClone would lose. */
function structuredCloneOf(value: JsonObject): JsonObject;
function structuredCloneOf(value: Json): Json;
function structuredCloneOf(value: Json): Json {
  if (Array.isArray(value)) return value.map((item) => structuredCloneOf(item));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, structuredCloneOf(member)]));
}
