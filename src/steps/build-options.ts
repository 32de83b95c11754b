import { resolve } from 'node:path';
import { isJsonObject, type Json, type JsonObject } from '@slipway/prefect/json';
import { pythonStr } from '@slipway/prefect/template';
import type { ImagePlan } from '../image/model.ts';
import type { StepRun } from './model.ts';
import { stepProblem } from './step-problem.ts';

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
> & { readonly builder: string | undefined; readonly push: boolean };

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * Reads one option's value into the options; answers what it wants instead when it cannot.
 *
 * @param directory what relative paths start from: where the step works, not the build's context.
 */
type Reader = (value: Json, options: Mutable<BuildOptions>, directory: string) => string | undefined;

const LIST = 'a list of texts';
const MAPPING = 'a mapping of names to texts';
const FLAG = 'true or false';
const TEXT = 'text';

/**
 * Options of both back ends of build_docker_image, docker-py's and buildx's, as what BuildKit is told (contracts/deploy.md
 * §2.7; docker/api/build.py, python_on_whales buildx.build). Options that mean nothing to BuildKit are taken in silence.
 */
const READERS: Readonly<Record<string, Reader>> = {
  platform: texts((found, options) => (options.platforms = found)),
  platforms: texts((found, options) => (options.platforms = found)),
  target: text((found, options) => (options.target = found)),
  buildargs: pairs((found, options) => (options.buildArgs = found)),
  build_args: pairs((found, options) => (options.buildArgs = found)),
  labels: pairs((found, options) => (options.labels = found)),
  cache_from: keyed((found, options) => (options.cacheFrom = found), { type: 'registry', ref: '…' }),
  cache_to: keyed((found, options) => (options.cacheTo = found), { type: 'registry', ref: '…' }),
  secrets: keyed((found, options) => (options.secrets = found), { id: 'token', env: 'TOKEN' }),
  ssh: texts((found, options, directory) => (options.ssh = found.map((one) => sshWithPaths(one, directory)))),
  build_contexts: pairs((found, options, directory) => (options.buildContexts = contexts(found, directory))),
  allow: texts((found, options) => (options.allow = found)),
  shmsize: size((found, options) => (options.shmSize = found)),
  nocache: flag((found, options) => (options.noCache = found)),
  cache: flag((found, options) => (options.noCache = !found)),
  pull: flag((found, options) => (options.pull = found)),
  push: flag((found, options) => (options.push = found)),
  network_mode: text((found, options) => (options.network = found)),
  network: text((found, options) => (options.network = found)),
  extra_hosts: pairs((found, options) => (options.addHosts = hosts(found))),
  add_hosts: pairs((found, options) => (options.addHosts = hosts(found))),
  builder: text((found, options) => (options.builder = found)),
  // Containers in between, messages and time limits of the old builder; BuildKit has none of them to set.
  rm: ignored,
  forcerm: ignored,
  quiet: ignored,
  timeout: ignored,
  decode: ignored,
  progress: ignored,
  stream_logs: ignored,
  // How the context travels, and what buildx does anyway.
  gzip: ignored,
  encoding: ignored,
  use_config_proxy: ignored,
  load: ignored,
  // Both are off in our builds, which keeps the digest the same from push to push (design.md, difference 8).
  provenance: onlyFalse,
  sbom: onlyFalse,
};

/**
 * Reads the options of a build step that are not Prefect's own.
 *
 * @throws Problem for an option that is not supported, by name, or that has a value of the wrong kind.
 */
export function readBuildOptions(step: StepRun, written: JsonObject): BuildOptions {
  const options: Mutable<BuildOptions> = {
    platforms: [],
    target: undefined,
    buildArgs: {},
    labels: {},
    cacheFrom: [],
    cacheTo: [],
    noCache: false,
    pull: true,
    network: undefined,
    addHosts: [],
    secrets: [],
    ssh: [],
    buildContexts: {},
    allow: [],
    shmSize: undefined,
    builder: undefined,
    push: false,
  };
  for (const [name, value] of Object.entries(written)) {
    const read = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
    if (read === undefined) {
      throw stepProblem(
        step,
        `has the option ${name}, which Slipway does not support`,
        `Remove it, or put what it says into the Dockerfile. Supported: ${Object.keys(READERS).sort().join(', ')}.`,
      );
    }
    if (value === null) continue;
    const wanted = read(value, options, step.directory);
    if (wanted !== undefined) {
      throw stepProblem(step, `cannot take its option ${name}`, `It must be ${wanted}.`);
    }
  }
  return options;
}

function text(set: (found: string, options: Mutable<BuildOptions>) => void): Reader {
  return (value, options) => {
    if (typeof value !== 'string') return TEXT;
    set(value, options);
    return undefined;
  };
}

function flag(set: (found: boolean, options: Mutable<BuildOptions>) => void): Reader {
  return (value, options) => {
    if (typeof value !== 'boolean') return FLAG;
    set(value, options);
    return undefined;
  };
}

/** One text or a list of them. */
function texts(set: (found: string[], options: Mutable<BuildOptions>, directory: string) => void): Reader {
  return (value, options, directory) => {
    const items = Array.isArray(value) ? value : [value];
    const found = items.filter((item) => typeof item === 'string');
    if (found.length < items.length) return LIST;
    set(found, options, directory);
    return undefined;
  };
}

/** Values as Python's `str()` prints them; a null value is left out, as no value of it can be passed on. */
function pairs(
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
function keyed(
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
function size(set: (found: string, options: Mutable<BuildOptions>) => void): Reader {
  return (value, options) => {
    if (typeof value !== 'number' && typeof value !== 'string') return 'a number of bytes';
    set(String(value), options);
    return undefined;
  };
}

/** buildx itself works in the context; paths of a step start where the step works. */
function withPaths(keys: string, directory: string): string {
  return keys.replace(/(^|,)(src|source|dest)=([^,]+)/g, (_all, comma: string, key: string, path: string) => {
    return `${comma}${key}=${resolve(directory, path)}`;
  });
}

/** `default`, or `id=path,path`. */
function sshWithPaths(text: string, directory: string): string {
  const [id, paths] = text.split('=', 2);
  if (paths === undefined) return text;
  const absolute = paths.split(',').map((path) => resolve(directory, path));
  return `${id}=${absolute.join(',')}`;
}

/** Paths, but not images (`docker-image://`), layouts or addresses. */
function contexts(found: Readonly<Record<string, string>>, directory: string): Record<string, string> {
  const entries = Object.entries(found);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, /^[a-z][a-z-]+:|@/i.test(value) ? value : resolve(directory, value)]),
  );
}

function hosts(pairsOfHosts: Readonly<Record<string, string>>): string[] {
  return Object.entries(pairsOfHosts).map(([host, address]) => `${host}:${address}`);
}

function ignored(): undefined {
  return undefined;
}

function onlyFalse(value: Json): string | undefined {
  return value === false ? undefined : 'false, as it would give every push another digest';
}
