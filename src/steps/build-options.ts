import type { JsonObject } from '@slipway/prefect/json';
import { contextsWithPaths, sshWithPaths } from '../image/option-paths.ts';
import {
  attestation,
  attestations,
  type BuildOptions,
  destination,
  flag,
  hosts,
  ignored,
  keyed,
  type Mutable,
  nothing,
  only,
  pairs,
  type Reader,
  size,
  text,
  texts,
} from './build-option-readers.ts';
import type { StepRun } from './model.ts';
import { stepProblem } from './step-problem.ts';

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
  build_contexts: pairs((found, options, directory) => (options.buildContexts = contextsWithPaths(found, directory))),
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
  // None unless asked for, which keeps the digest the same from push to push (design.md, difference 8).
  provenance: attestation('provenance'),
  sbom: attestation('sbom'),
  attest: attestations,
  output: destination,
  // What neither buildx nor its dockerd can do; docker-py asks the old builder for it.
  squash: only([false], 'false: BuildKit does not join layers; copy what counts into a last stage (COPY --from)'),
  isolation: only(['', 'default'], 'default: everything else is of Windows containers, which BuildKit does not build'),
  container_limits: nothing(
    'empty: BuildKit has no limits for one build; set them for the builder (--driver-opt memory=…)',
  ),
  fileobj: nothing('null: a file object cannot come out of YAML; name the Dockerfile'),
  custom_context: only([false], 'false: the context is a directory; name it with path'),
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
    provenance: undefined,
    sbom: undefined,
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
