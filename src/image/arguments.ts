import type { ImagePlan } from './model.ts';

export interface BuildxFiles {
  /** Where buildx writes what it made, as JSON. */
  readonly metadataFile: string;
  /** The Dockerfile on disk; a generated one stands outside the context. */
  readonly dockerfilePath: string;
  /** The builder can set the files' times in layers to the commit's (BuildKit's own exporters; not classic dockerd). */
  readonly rewritesTimestamps: boolean;
}

/**
 * The arguments of `docker` for an image plan, pure (anchors/action.md §4.1). Never through a shell, so nothing is
 * quoted. Progress is plain whatever the terminal; provenance is off unless asked for, because it gives every
 * push another digest (design.md, difference 8).
 */
export function buildxArguments(plan: ImagePlan, files: BuildxFiles): string[] {
  return [
    'buildx',
    'build',
    '--progress=plain',
    `--provenance=${plan.provenance ?? 'false'}`,
    ...option('--builder', plan.builder),
    '--metadata-file',
    files.metadataFile,
    '--file',
    files.dockerfilePath,
    ...(plan.platforms.length === 0 ? [] : ['--platform', plan.platforms.join(',')]),
    ...option('--target', plan.target),
    ...each('--build-arg', pairs(plan.buildArgs)),
    ...each('--label', pairs(plan.labels)),
    ...each('--cache-from', plan.cacheFrom),
    ...each('--cache-to', plan.cacheTo),
    ...(plan.noCache ? ['--no-cache'] : []),
    ...(plan.pull ? ['--pull'] : []),
    ...option('--network', plan.network),
    ...each('--add-host', plan.addHosts),
    ...each('--secret', plan.secrets),
    ...each('--ssh', plan.ssh),
    ...each('--build-context', pairs(plan.buildContexts)),
    ...each('--allow', plan.allow),
    ...option('--shm-size', plan.shmSize),
    ...(plan.sbom === undefined ? [] : [`--sbom=${plan.sbom}`]),
    ...each(
      '--tag',
      plan.tags.map((tag) => `${plan.repository}:${tag}`),
    ),
    ...output(plan, files.rewritesTimestamps),
    plan.context,
  ];
}

function output(plan: ImagePlan, rewritesTimestamps: boolean): string[] {
  if (!plan.push) return ['--load'];
  const isReproducible = rewritesTimestamps && plan.sourceDateEpoch !== undefined;
  return isReproducible ? ['--output', 'type=registry,rewrite-timestamp=true'] : ['--push'];
}

/** Sorted, so that equal plans give equal commands. */
function pairs(values: Readonly<Record<string, string>>): string[] {
  return Object.keys(values)
    .sort()
    .map((name) => `${name}=${values[name]}`);
}

function option(flag: string, value: string | undefined): string[] {
  return value === undefined ? [] : [flag, value];
}

function each(flag: string, values: readonly string[]): string[] {
  return values.flatMap((value) => [flag, value]);
}
