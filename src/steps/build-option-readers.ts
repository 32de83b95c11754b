import { isJsonObject, type Json } from '@slipway/prefect/json';
import { pythonStr } from '@slipway/prefect/template';
import type { ImagePlan } from '../image/model.ts';
import { withPaths } from '../image/option-paths.ts';

/** The part of an image plan that build options say. */
export type BuildOptions = Pick<
  ImagePlan,
  | 'platforms'
  | 'target'
  | 'buildArgs'
  | 'labels'
  | 'cacheFrom'
  | 'cacheTo'
  | 'noCache'
  | 'pull'
  | 'network'
  | 'addHosts'
  | 'secrets'
  | 'ssh'
  | 'buildContexts'
  | 'allow'
  | 'shmSize'
  | 'provenance'
  | 'sbom'
> & { readonly builder: string | undefined; readonly push: boolean };

export type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * Reads one option's value into the options; answers what it wants instead when it cannot.
 *
 * @param directory what relative paths start from: where the step works, not the build's context.
 */
export type Reader = (value: Json, options: Mutable<BuildOptions>, directory: string) => string | undefined;

const LIST = 'a list of texts';
const MAPPING = 'a mapping of names to texts';
const FLAG = 'true or false';
const TEXT = 'text';

export function text(set: (found: string, options: Mutable<BuildOptions>) => void): Reader {
  return (value, options) => {
    if (typeof value !== 'string') return TEXT;
    set(value, options);
    return undefined;
  };
}

export function flag(set: (found: boolean, options: Mutable<BuildOptions>) => void): Reader {
  return (value, options) => {
    if (typeof value !== 'boolean') return FLAG;
    set(value, options);
    return undefined;
  };
}

/** One text or a list of them. */
export function texts(set: (found: string[], options: Mutable<BuildOptions>, directory: string) => void): Reader {
  return (value, options, directory) => {
    const items = Array.isArray(value) ? value : [value];
    const found = items.filter((item) => typeof item === 'string');
    if (found.length < items.length) return LIST;
    set(found, options, directory);
    return undefined;
  };
}

/** Values as Python's `str()` prints them; a null value is left out, as no value of it can be passed on. */
export function pairs(
  set: (found: Record<string, string>, options: Mutable<BuildOptions>, directory: string) => void,
): Reader {
  return (value, options, directory) => {
    if (!isJsonObject(value)) return MAPPING;
    const found = Object.entries(value).filter(([, item]) => item !== null);
    if (found.some(([, item]) => typeof item === 'object' && (Array.isArray(item) || isJsonObject(item))))
      return MAPPING;
    set(Object.fromEntries(found.map(([name, item]) => [name, pythonStr(item)])), options, directory);
    return undefined;
  };
}

/** A reference, `type=…,key=value` text, a mapping of such keys, or a list of any. */
export function keyed(
  set: (found: string[], options: Mutable<BuildOptions>) => void,
  example: Readonly<Record<string, string>>,
): Reader {
  return (value, options, directory) => {
    const items = Array.isArray(value) ? value : [value];
    const found = items.map((item) => {
      if (typeof item === 'string') return item;
      if (!isJsonObject(item)) return undefined;
      return Object.entries(item)
        .map(([key, part]) => `${key}=${pythonStr(part)}`)
        .join(',');
    });
    const whole = found.filter((item) => item !== undefined);
    if (whole.length < found.length) return `${LIST}, or of mappings such as ${JSON.stringify(example)}`;
    set(
      whole.map((item) => withPaths(item, directory)),
      options,
    );
    return undefined;
  };
}

/** A number of bytes, or a number with a unit. */
export function size(set: (found: string, options: Mutable<BuildOptions>) => void): Reader {
  return (value, options) => {
    if (typeof value !== 'number' && typeof value !== 'string') return 'a number of bytes';
    set(String(value), options);
    return undefined;
  };
}

export function hosts(pairsOfHosts: Readonly<Record<string, string>>): string[] {
  return Object.entries(pairsOfHosts).map(([host, address]) => `${host}:${address}`);
}

export function ignored(): undefined {
  return undefined;
}

/** An option that is there to be left alone. */
export function only(values: readonly Json[], wanted: string): Reader {
  return (value) => (values.includes(value) ? undefined : wanted);
}

export function nothing(wanted: string): Reader {
  return (value) => (isJsonObject(value) && Object.keys(value).length === 0 ? undefined : wanted);
}

/** What buildx's `--provenance` and `--sbom` take: true, `mode=max`, the same as a mapping; false asks for none. */
export function attestation(name: 'provenance' | 'sbom'): Reader {
  return (value, options) => {
    const text = isJsonObject(value)
      ? textOf(new Map(Object.entries(value).map(([k, v]) => [k, pythonStr(v)])))
      : value;
    if (typeof text !== 'boolean' && (typeof text !== 'string' || text === ''))
      return 'true, false or text such as mode=max';
    options[name] = String(text) === 'false' ? undefined : String(text);
    return undefined;
  };
}

/** `--attest` in its long form: `type=sbom`, `type=provenance,mode=max`; `disabled=true` asks for none. */
export function attestations(value: Json, options: Mutable<BuildOptions>): string | undefined {
  for (const keys of (Array.isArray(value) ? value : [value]).map(asKeys)) {
    const type = keys?.get('type');
    if (keys === undefined || (type !== 'provenance' && type !== 'sbom')) return 'of type=provenance or type=sbom';
    const more = new Map([...keys].filter(([key]) => key !== 'type' && key !== 'disabled'));
    options[type] = isOn(keys, 'disabled') ? undefined : textOf(more) || 'true';
  }
  return undefined;
}

function textOf(keys: ReadonlyMap<string, string>): string {
  return [...keys].map(([key, value]) => `${key}=${value}`).join(',');
}

/**
 * Where the image goes, of what BuildKit's exporters offer: into the registry, or into Docker. Files on the runner are
 * nothing that a deployment could run.
 */
export function destination(value: Json, options: Mutable<BuildOptions>): string | undefined {
  const wanted = 'type=registry, type=image with push=true, or type=docker: what a deployment runs is an image';
  const items = (Array.isArray(value) ? value : [value]).map(asKeys);
  const [keys, ...others] = items;
  if (keys === undefined || others.length > 0) return wanted;
  const type = keys.get('type');
  const known = type === 'image' ? ['type', 'push'] : ['type'];
  if ([...keys.keys()].some((key) => !known.includes(key))) return `${wanted} (without further keys)`;
  if (type === 'registry' || (type === 'image' && isOn(keys, 'push'))) options.push = true;
  else if (type !== 'docker' && type !== 'image') return wanted;
  return undefined;
}

/** `type=image,push=true` or the same as a mapping. */
function asKeys(value: Json | undefined): ReadonlyMap<string, string> | undefined {
  if (isJsonObject(value)) return new Map(Object.entries(value).map(([key, part]) => [key, pythonStr(part)]));
  if (typeof value !== 'string' || !value.includes('=')) return undefined;
  return new Map(
    value.split(',').map((part) => {
      const at = part.indexOf('=');
      return at === -1 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
    }),
  );
}

function isOn(keys: ReadonlyMap<string, string> | undefined, name: string): boolean {
  return (keys?.get(name) ?? '').toLowerCase() === 'true';
}
