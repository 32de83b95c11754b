/**
 * Where each field of a rendered Job comes from.
 *
 * The same code that makes the Job is run a second time on inputs whose every value was replaced by a mark, a text that
 * no template can hold; the marks that come out say which value would have. What the worker adds afterwards (names,
 * labels, environment, image) follows render.ts by name. Only `slipway-worker render` uses this.
 */
import { isJsonObject, type Json, type JsonObject } from '@slipway/prefect/json';
import { JobVariablesError, renderJobConfiguration } from '@slipway/prefect/workpool';
import { prefectLabels } from './labels.ts';
import type { JobSettings } from './make-job.ts';
import { passedSettings } from './passed-settings.ts';
import type { JobManifest } from './render.ts';
import type { RunContext } from './run-context.ts';
import { slugLabelKey } from './slug.ts';

/** One source of a value. */
export type Origin =
  /** Written out in the work pool's template. */
  | { readonly from: 'template' }
  /** The default of a template's variable, or a job variable of the deployment or run, with its path. */
  | { readonly from: 'default' | 'deployment' | 'run'; readonly variable: string }
  /** The worker's own settings and environment. */
  | { readonly from: 'worker'; readonly variable: string }
  /** Made by the worker, as Prefect's makes it. */
  | { readonly from: 'slipway' };

/** A leaf of the Job: a single value, or an empty mapping or list. */
export interface OriginatedLeaf {
  readonly path: readonly (string | number)[];
  readonly origins: readonly Origin[];
}

/** The leaves of a Job with their sources, in the Job's order; several sources where texts were put together. */
export function originsOf(
  job: JobManifest,
  template: JsonObject,
  context: RunContext,
  settings: JobSettings,
): OriginatedLeaf[] {
  const tracer = new Tracer(template, context, settings);
  return leavesOf(job.body, []).map((path) => ({ path, origins: tracer.at(path, job.body) }));
}

/** `deployment: env.A`, as a person reads it. */
export function originText(origin: Origin): string {
  return 'variable' in origin ? `${origin.from}: ${origin.variable}` : origin.from;
}

const TEMPLATE: Origin = { from: 'template' };
const SLIPWAY: Origin = { from: 'slipway' };
const POD = ['spec', 'template', 'spec', 'containers', 0];

class Tracer {
  readonly #marks: Origin[] = [];
  /** The job configuration with values, and the same with marks in the place of values. */
  readonly #real: JsonObject;
  readonly #marked: JsonObject;
  readonly #builtLabels: ReadonlySet<string>;
  readonly #passed: ReadonlySet<string>;

  constructor(template: JsonObject, context: RunContext, settings: JobSettings) {
    const [deployment, run] = [context.deployment?.job_variables ?? {}, context.run.job_variables ?? {}];
    const env = settings.templateEnv ?? settings.env;
    this.#real = renderJobConfiguration({ template, deploymentVariables: deployment, runVariables: run, env });
    const markedEnv = Object.keys(env).map((name) => [name, this.#mark({ from: 'worker', variable: name })]);
    this.#marked = markedConfiguration({
      template: this.#markedTemplate(template),
      deploymentVariables: this.#markedVariables('deployment', deployment),
      runVariables: this.#markedVariables('run', run),
      env: Object.fromEntries(markedEnv),
    });
    this.#builtLabels = new Set(Object.keys(prefectLabels(context)));
    this.#passed = new Set(passedSettings(settings.env, settings.cloud).map(([name]) => name));
  }

  at(path: readonly (string | number)[], body: JsonObject): Origin[] {
    const [first, second, third, fourth] = path;
    if (first === 'metadata') {
      if (second === 'name') return unique([SLIPWAY, ...(this.#real.name ? this.#find(['name']) : [])]);
      if (second === 'namespace') return this.#manifest(path) ?? this.#found(['namespace'], SLIPWAY);
      if (second === 'labels') return this.#label(String(third), ['metadata', 'labels']);
      if (second === 'annotations' && third !== undefined) return this.#annotation(String(third), ['metadata']);
    }
    if (startsWith(path, ['spec', 'template', 'metadata']) && path[4] !== undefined) {
      const key = String(path[4]);
      if (fourth === 'labels') return this.#label(key, path.slice(0, 4));
      if (fourth === 'annotations') return this.#annotation(key, path.slice(0, 3), ['metadata']);
    }
    if (startsWith(path, POD)) return this.#container(path, body);
    return this.#manifest(path) ?? [SLIPWAY];
  }

  #container(path: readonly (string | number)[], body: JsonObject): Origin[] {
    const field = path[POD.length];
    if (field === 'env') {
      const entry = valueAt(body, path.slice(0, POD.length + 2));
      return this.#environment(isJsonObject(entry) ? String(entry.name) : '');
    }
    const written = this.#manifest(path);
    if (written !== undefined) return written;
    return [field === 'image' ? { from: 'worker', variable: 'SLIPWAY_WORKER_DEFAULT_IMAGE' } : SLIPWAY];
  }

  #environment(name: string): Origin[] {
    const configured = isJsonObject(this.#real.env) ? [name] : indexOfEntry(this.#real.env, name);
    if (configured !== undefined && valueAt(this.#real, ['env', ...configured]) !== undefined) {
      return this.#found(['env', ...configured], TEMPLATE);
    }
    if (this.#passed.has(name)) return [{ from: 'worker', variable: name }];
    const manifestPath = ['job_manifest', ...POD, 'env'];
    const inManifest = indexOfEntry(valueAt(this.#real, manifestPath), name);
    if (inManifest !== undefined) return this.#found([...manifestPath, ...inManifest], TEMPLATE);
    // A reference to a block, whose names are not known before it is read.
    const referred = typeof this.#real.env === 'string' && !/^PREFECT_(_|FLOW_RUN_EXECUTE_)/.test(name);
    return referred ? this.#found(['env'], TEMPLATE) : [SLIPWAY];
  }

  /** The user's label wins over the worker's, that over the manifest's own. */
  #label(slug: string, manifestPath: readonly (string | number)[]): Origin[] {
    const own = keyOf(this.#real.labels, slug);
    if (own !== undefined) return this.#found(['labels', own], TEMPLATE);
    if ([...this.#builtLabels].some((key) => slugLabelKey(key) === slug)) return [SLIPWAY];
    const path = ['job_manifest', ...manifestPath];
    const key = keyOf(valueAt(this.#real, path), slug);
    return key === undefined ? [SLIPWAY] : this.#found([...path, key], TEMPLATE);
  }

  #annotation(slug: string, ...holders: (readonly (string | number)[])[]): Origin[] {
    const own = keyOf(this.#real.annotations, slug);
    if (own !== undefined) return this.#found(['annotations', own], TEMPLATE);
    for (const holder of holders) {
      const path = ['job_manifest', ...holder, 'annotations'];
      const key = keyOf(valueAt(this.#real, path), slug);
      if (key !== undefined) return this.#found([...path, key], TEMPLATE);
    }
    return [SLIPWAY];
  }

  /** Undefined when the manifest of the template has no such place. */
  #manifest(path: readonly (string | number)[]): Origin[] | undefined {
    const whole = ['job_manifest', ...path];
    if (valueAt(this.#real, whole) !== undefined) return this.#found(whole, TEMPLATE);
    const found = this.#find(whole);
    return found.length > 0 ? found : undefined;
  }

  #found(path: readonly (string | number)[], otherwise: Origin): Origin[] {
    const found = this.#find(path);
    return found.length > 0 ? found : [otherwise];
  }

  /** The marks at a place; where the marked configuration ends earlier (a block came in), those where it ends. */
  #find(path: readonly (string | number)[]): Origin[] {
    let node: Json | undefined = this.#marked;
    for (const step of path) {
      if (isJsonObject(node) && '$ref' in node) break;
      if (!isJsonObject(node) && !Array.isArray(node)) break;
      node = valueAt(node, [step]);
    }
    const marks = JSON.stringify(node ?? null).matchAll(/\uE000(\d+)\uE001/g);
    return unique([...marks].flatMap(([, index]) => this.#marks[Number(index)] ?? []));
  }

  #mark(origin: Origin): string {
    return `\uE000${this.#marks.push(origin) - 1}\uE001`;
  }

  #markedTemplate(template: JsonObject): JsonObject {
    const variables = isJsonObject(template.variables) ? template.variables : {};
    const properties = isJsonObject(variables.properties) ? variables.properties : {};
    const marked = Object.entries(properties).map(([name, property]) => {
      const given = isJsonObject(property) ? property.default : undefined;
      // A default that is null counts as none.
      if (!isJsonObject(property) || given === undefined || given === null) return [name, property];
      return [name, { ...property, default: this.#markedValue('default', given, name) }];
    });
    return { ...template, variables: { ...variables, properties: Object.fromEntries(marked) } };
  }

  #markedVariables(from: 'deployment' | 'run', variables: JsonObject): JsonObject {
    const marked = Object.entries(variables).map(([name, value]) => [name, this.#markedValue(from, value, name)]);
    return Object.fromEntries(marked);
  }

  #markedValue(from: 'default' | 'deployment' | 'run', value: Json, variable: string): Json {
    if (Array.isArray(value)) {
      return value.map((item, index) => this.#markedValue(from, item, `${variable}[${index}]`));
    }
    if (!isJsonObject(value)) return this.#mark({ from, variable });
    const members = Object.entries(value).map(([key, member]) => [
      key,
      this.#markedValue(from, member, `${variable}.${key}`),
    ]);
    return Object.fromEntries(members);
  }
}

/** A value whose text decides how variables are merged (a list of pairs of letters, say) cannot be marked. */
function markedConfiguration(input: Parameters<typeof renderJobConfiguration>[0]): JsonObject {
  try {
    return renderJobConfiguration(input);
  } catch (error) {
    if (error instanceof JobVariablesError) return {};
    throw error;
  }
}

function leavesOf(value: Json, path: readonly (string | number)[]): (readonly (string | number)[])[] {
  const members: [string | number, Json][] = Array.isArray(value)
    ? [...value.entries()]
    : isJsonObject(value)
      ? Object.entries(value)
      : [];
  return members.length === 0 ? [path] : members.flatMap(([key, member]) => leavesOf(member, [...path, key]));
}

function valueAt(value: Json | undefined, path: readonly (string | number)[]): Json | undefined {
  let node = value;
  for (const step of path) {
    if (Array.isArray(node)) node = typeof step === 'number' ? node[step] : undefined;
    else if (isJsonObject(node)) node = Object.hasOwn(node, step) ? node[step] : undefined;
    else return undefined;
  }
  return node;
}

function startsWith(path: readonly (string | number)[], start: readonly (string | number)[]): boolean {
  return path.length > start.length && start.every((step, index) => path[index] === step);
}

function indexOfEntry(env: Json | undefined, name: string): [number] | undefined {
  const index = Array.isArray(env) ? env.findIndex((entry) => isJsonObject(entry) && entry.name === name) : -1;
  return index < 0 ? undefined : [index];
}

/** Of keys that become equal the last counts. */
function keyOf(mapping: Json | undefined, slug: string): string | undefined {
  return isJsonObject(mapping) ? Object.keys(mapping).findLast((key) => slugLabelKey(key) === slug) : undefined;
}

function unique(origins: readonly Origin[]): Origin[] {
  return origins.filter(
    (origin, index) => origins.findIndex((one) => originText(one) === originText(origin)) === index,
  );
}
