import { checkTagTemplate } from '../image/tags.ts';
import { parseRepository } from '../registry/repository.ts';
import type { InputReader } from './reader.ts';

/** The action's own image: what to build, what to call it, where it goes. Paths are as written. */
export interface ImageInputs {
  /** With registry host when there is one, in lower case, without tag. */
  readonly repository: string;
  /** Templates of tags (src/image/tags.ts), the main one first. */
  readonly tags: readonly [string, ...string[]];
  /** Path of the Dockerfile, or `auto`; undefined: `Dockerfile` when there is one, else `auto`. */
  readonly file: string | undefined;
  readonly context: string;
  readonly platforms: readonly string[];
  readonly target: string | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly buildContexts: Readonly<Record<string, string>>;
  readonly secrets: readonly BuildSecret[];
  readonly ssh: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly cacheFrom: readonly string[];
  readonly cacheTo: readonly string[];
  readonly noCache: boolean;
  readonly pull: boolean;
  /** What buildx's option takes: `true`, `mode=max`; undefined: none. */
  readonly provenance: string | undefined;
  /** What buildx's option takes: `true`, `generator=image`; undefined: none. */
  readonly sbom: string | undefined;
  readonly network: string | undefined;
  readonly addHosts: readonly string[];
  readonly push: boolean;
}

/** A secret of the build: its value, or in buildx's own words where it is to be found (`id=token,env=TOKEN`). */
export type BuildSecret =
  | { readonly kind: 'value'; readonly id: string; readonly value: string }
  | { readonly kind: 'found elsewhere'; readonly spec: string };

/** What the inputs of an image ask for by themselves, and what does the same for an image of a build step. */
const NEEDS_IMAGE: Readonly<Record<string, { readonly neutral: readonly string[]; readonly step: string }>> = {
  tags: { neutral: ['', '{sha}'], step: 'tag' },
  file: { neutral: [''], step: 'dockerfile' },
  context: { neutral: ['', '.'], step: 'path' },
  platforms: { neutral: ['', 'linux/amd64'], step: 'platform' },
  target: { neutral: [''], step: 'target' },
  'build-args': { neutral: [''], step: 'buildargs' },
  'build-contexts': { neutral: [''], step: 'build_contexts' },
  secrets: { neutral: [''], step: 'secrets' },
  ssh: { neutral: [''], step: 'ssh' },
  labels: { neutral: [''], step: 'labels' },
  'cache-from': { neutral: [''], step: 'cache_from' },
  'cache-to': { neutral: [''], step: 'cache_to' },
  'no-cache': { neutral: ['', 'false'], step: 'nocache' },
  pull: { neutral: ['', 'false'], step: 'pull' },
  provenance: { neutral: ['', 'false'], step: 'provenance' },
  sbom: { neutral: ['', 'false'], step: 'sbom' },
  network: { neutral: [''], step: 'network_mode' },
  'add-hosts': { neutral: [''], step: 'extra_hosts' },
  push: { neutral: ['', 'true'], step: 'push' },
};

/** Reads the inputs of the action's own image; undefined when there is none. What is wrong is a problem of the reader. */
export function readImageInputs(reader: InputReader): ImageInputs | undefined {
  if (reader.text('image') === '') {
    refuseWithoutImage(reader);
    return undefined;
  }
  const repository = readRepository(reader);
  const inputs: ImageInputs = {
    repository,
    tags: readTags(repository, reader),
    file: reader.optional('file'),
    context: reader.text('context') || '.',
    platforms: readPlatforms(reader),
    target: reader.optional('target'),
    // As docker has it, a name alone takes its value from the environment, and is nothing when that has none.
    buildArgs: reader.pairs('build-args', (name) => reader.env[name]),
    buildContexts: reader.pairs('build-contexts', () => ''),
    secrets: readSecrets(reader),
    ssh: reader.list('ssh'),
    labels: reader.pairs('labels', () => ''),
    cacheFrom: reader.items('cache-from'),
    cacheTo: reader.items('cache-to'),
    noCache: reader.flag('no-cache', false),
    pull: reader.flag('pull', false),
    provenance: readAttestation('provenance', reader),
    sbom: readAttestation('sbom', reader),
    network: reader.optional('network'),
    addHosts: reader.list('add-hosts'),
    push: reader.flag('push', true),
  };
  checkTogether(inputs, reader);
  return inputs;
}

function refuseWithoutImage(reader: InputReader): void {
  for (const [name, { neutral, step }] of Object.entries(NEEDS_IMAGE)) {
    if (neutral.includes(reader.text(name))) continue;
    reader.refuse(
      `the input ${name} is about the action’s own image, and the input image is empty`,
      `Give image, or write \`${step}:\` in the build_docker_image step of prefect.yaml.`,
    );
  }
}

function readRepository(reader: InputReader): string {
  const written = reader.text('image');
  // After the last slash a colon begins a tag; without a slash, digits after it may be a port.
  if (/@|\/[^/]*:|^[^/:]+:(?!\d+$)[^/]*$/.test(written)) {
    reader.refuse(
      `the input image is ${JSON.stringify(written)}, with a tag or a digest in it`,
      'Give the repository alone in image, and its tags in the input tags.',
    );
    return written;
  }
  // Owners on GitHub may have capitals, repositories of images may not, and nothing else can be meant.
  const repository = written.toLowerCase();
  return reader.attempt(() => {
    parseRepository(repository);
    return repository;
  }, repository);
}

/** Whole references are taken too, as docker/metadata-action puts them out, when they are of this repository. */
function readTags(repository: string, reader: InputReader): [string, ...string[]] {
  const written = reader.list('tags');
  const prefix = `${repository}:`;
  const isWhole = (one: string) => one.toLowerCase().startsWith(prefix);
  const [tag = '{sha}', ...more] = written.map((one) => (isWhole(one) ? one.slice(prefix.length) : one));
  for (const template of [tag, ...more]) {
    const problem = checkTagTemplate(template);
    if (problem !== undefined) reader.problems.push(problem);
  }
  return [tag, ...more];
}

function readPlatforms(reader: InputReader): string[] {
  const platforms = reader.list('platforms');
  for (const platform of platforms) {
    if (/^[a-z0-9]+\/[a-z0-9_]+(?:\/[a-z0-9.]+)?$/.test(platform)) continue;
    reader.refuse(
      `the input platforms has ${JSON.stringify(platform)}`,
      'Write system/architecture, e.g. linux/amd64 or linux/arm64.',
    );
  }
  return [...new Set(platforms)];
}

/** `id=value`, or buildx's own `id=name,env=VARIABLE` and `id=name,src=path`; a value never stands in a message. */
function readSecrets(reader: InputReader): BuildSecret[] {
  return reader.items('secrets').flatMap((item, index): BuildSecret[] => {
    if (/^(?:type=\w+,)?id=[^,]+,(?:type|env|src|source)=/.test(item)) return [{ kind: 'found elsewhere', spec: item }];
    const at = item.indexOf('=');
    const id = item.slice(0, at);
    if (at > 0 && /^[\w.-]+$/.test(id) && at < item.length - 1)
      return [{ kind: 'value', id, value: item.slice(at + 1) }];
    reader.refuse(
      `item ${index + 1} of the input secrets is no id=value, or its value is empty`,
      'Write one a line; a value of several lines is put in double quotes with its id. A secret that does not exist arrives as an empty text.',
    );
    return [];
  });
}

/** `true`, `false`, or what buildx takes in its place (`mode=max`). */
function readAttestation(name: 'provenance' | 'sbom', reader: InputReader): string | undefined {
  const value = reader.text(name);
  if (/^[a-z-]+=/.test(value)) return value;
  return reader.flag(name, false) ? 'true' : undefined;
}

function checkTogether(inputs: ImageInputs, reader: InputReader): void {
  if (inputs.push) return;
  if (inputs.platforms.length > 1) {
    reader.refuse(
      'the image is for several platforms and is not pushed',
      'Push it, or build for one platform: Docker keeps no image of several.',
    );
  }
  if (inputs.provenance !== undefined || inputs.sbom !== undefined) {
    reader.refuse(
      'provenance and sbom are kept by the registry, and the image is not pushed',
      'Push it, or leave provenance and sbom out.',
    );
  }
}
