import { basename, relative, resolve } from 'node:path';
import type { ImageInputs } from '../inputs/image.ts';
import type { Inputs } from '../inputs/inputs.ts';
import type { Job } from '../job.ts';
import { Problem } from '../problem.ts';
import { pulledDirectories } from '../project/image-directory.ts';
import type { Entry, Project } from '../project/model.ts';
import type { World } from '../world.ts';
import type { ImageBuilder } from './builder.ts';
import { findDependencies } from './dockerfile/dependencies.ts';
import { generatedDockerfile } from './dockerfile/generate.ts';
import { ignoreFor } from './dockerfile/ignore.ts';
import { foreseenImage } from './foreseen.ts';
import type { BuiltImage, DockerfileSource, ImagePlan } from './model.ts';
import { contextsWithPaths, sshWithPaths, withPaths } from './option-paths.ts';
import { fillTags, tagNames } from './tags.ts';

/** The image that the input `image` asks for, built, or in a plan foreseen. */
export interface OwnImage {
  readonly built: BuiltImage;
  /** Where the project lies in it; undefined: in its working directory, as its Dockerfile says. */
  readonly directory: string | undefined;
}

/**
 * Builds and pushes the action's own image, before any step runs, so that steps can name it.
 *
 * A plan refuses a context or Dockerfile that is missing just as a deploy does: no step has run that could bring it.
 *
 * @returns undefined without the input `image`.
 * @throws Problem | Problems
 */
export async function buildOwnImage(
  entries: readonly Entry[],
  build: ImageBuilder,
  job: Job,
): Promise<OwnImage | undefined> {
  const { world, mode, inputs } = job;
  if (inputs.image === undefined) return undefined;
  const { plan, directory } = await planOwnImage(inputs.image, entries, job);
  const name = `${plan.repository}:${plan.tags[0]}`;
  if (!plan.push) {
    world.log.warning(`${name} is not pushed (push: false): runs that use it start only once somebody else pushes it`);
  }
  if (mode === 'plan') world.log.info(`A deploy ${plan.push ? 'builds and pushes' : 'builds'} ${name}.`);
  return { built: mode === 'plan' ? foreseenImage(plan) : await build(plan), directory };
}

interface OwnImageContext extends Pick<Job, 'directory' | 'project' | 'revision'> {
  readonly inputs: Pick<Inputs, 'baseImage' | 'builder'>;
  readonly world: Pick<World, 'env' | 'files' | 'log'>;
}

/** What is to be built; reads the context for a Dockerfile and for what the project depends on. */
export async function planOwnImage(
  image: ImageInputs,
  entries: readonly Entry[],
  job: OwnImageContext,
): Promise<{ plan: ImagePlan; directory: string | undefined }> {
  const { directory, revision, world } = job;
  const context = await contextOf(image, directory, world);
  const { dockerfile, root } = await dockerfileOf(image, context, entries, job);
  const plan: ImagePlan = {
    repository: image.repository,
    tags: fillTags(image.tags, tagNames(revision, world.env)),
    context,
    dockerfile,
    platforms: image.platforms,
    target: image.target,
    buildArgs: image.buildArgs,
    labels: image.labels,
    cacheFrom: image.cacheFrom.map((one) => withPaths(one, directory)),
    cacheTo: image.cacheTo.map((one) => withPaths(one, directory)),
    noCache: image.noCache,
    pull: image.pull,
    ...(image.pull ? { freshBecause: 'pull asks for the newest base image' } : {}),
    network: image.network,
    addHosts: image.addHosts,
    ...secretsOf(image, directory),
    ssh: image.ssh.map((one) => sshWithPaths(one, directory)),
    buildContexts: contextsWithPaths(image.buildContexts, directory),
    allow: [],
    shmSize: undefined,
    provenance: image.provenance,
    sbom: image.sbom,
    builder: job.inputs.builder,
    sourceDateEpoch: revision.committedAt,
    push: image.push,
    where: undefined,
  };
  return { plan, directory: root };
}

async function contextOf(image: ImageInputs, directory: string, { files }: Pick<World, 'files'>): Promise<string> {
  if (!/^[a-z][a-z+-]*:|^git@|^-$/i.test(image.context)) {
    const context = resolve(directory, image.context);
    if (await files.exists(context)) return context;
    throw new Problem(`the input context is ${JSON.stringify(image.context)}, and there is no such directory`, {
      remedy: 'Correct it; it starts at working-directory.',
    });
  }
  throw new Problem(`the input context is ${JSON.stringify(image.context)}, which is no directory of the checkout`, {
    remedy:
      'Check the files out with actions/checkout and name their directory: an image is named by the commit it holds.',
  });
}

async function dockerfileOf(
  image: ImageInputs,
  context: string,
  entries: readonly Entry[],
  { project, inputs, world, directory }: OwnImageContext,
): Promise<{ dockerfile: DockerfileSource; root: string | undefined }> {
  const { files, log } = world;
  const written = image.file === undefined ? `${context}/Dockerfile` : resolve(directory, image.file);
  const isGenerated = image.file === 'auto' || (image.file === undefined && !(await files.exists(written)));
  if (!isGenerated) {
    if (!(await files.exists(written))) {
      throw new Problem(`the input file is ${JSON.stringify(image.file)}, and there is no such Dockerfile`, {
        remedy: 'Correct its path, which starts at working-directory, or write `file: auto` to have one generated.',
      });
    }
    await warnOfGitFolder(written, context, world);
    return { dockerfile: { kind: 'file', path: written }, root: undefined };
  }
  const dependencies = await findDependencies(context, files);
  if (dependencies.kind === 'none' && dependencies.note !== undefined) {
    log.warning(`${dependencies.note}; the generated Dockerfile installs nothing`);
  }
  const place = generatedPlace(project, entries, context);
  const dockerfile = generatedDockerfile({
    baseImage: inputs.baseImage,
    directory: place,
    dependencies,
    ignore: await ignoreFor(context, files),
    secretIds: image.secrets.flatMap((one) => (one.kind === 'value' && /^[A-Za-z_]\w*$/.test(one.id) ? [one.id] : [])),
  });
  await log.group('Generated Dockerfile', async () => log.info(dockerfile.content));
  const below = relative(context, project.directory);
  return { dockerfile, root: below === '' || below.startsWith('..') ? place : `${place}/${below}` };
}

/** One image has the code in one place: the one that the pull steps change to, else `/opt/prefect/<folder>`. */
function generatedPlace(project: Project, entries: readonly Entry[], context: string): string {
  const [first, second] = pulledDirectories(project, entries);
  if (first === undefined) return `/opt/prefect/${basename(context)}`;
  if (second === undefined) return first.directory;
  throw new Problem(
    `the generated Dockerfile puts the code into one directory, and pull steps change to ${first.directory} and ${second.directory}`,
    { remedy: 'Let them name the same directory, or write a Dockerfile.', where: second.where },
  );
}

/** actions/checkout leaves the job's token in .git, and `COPY .` would take it along. */
async function warnOfGitFolder(dockerfile: string, context: string, { files, log }: Pick<World, 'files' | 'log'>) {
  const exists = await Promise.all(
    [dockerfile, `${context}/.git`, `${context}/.dockerignore`, `${dockerfile}.dockerignore`].map(files.exists),
  );
  const [hasDockerfile, hasGit, ...hasIgnore] = exists;
  if (!hasDockerfile || !hasGit || hasIgnore.includes(true)) return;
  const text = await files.readText(dockerfile).catch(() => '');
  if (!/^\s*(?:COPY|ADD)\s+(?:--\S+\s+)*\.\/?\s/im.test(text)) return;
  log.warning(
    'the Dockerfile copies the whole context, and .git, which holds the job’s token, is in it: add a .dockerignore with the line .git',
  );
}

function secretsOf(image: ImageInputs, directory: string): Pick<ImagePlan, 'secrets' | 'secretEnv'> {
  const secretEnv: Record<string, string> = {};
  const secrets = image.secrets.map((secret, index) => {
    if (secret.kind === 'found elsewhere') return withPaths(secret.spec, directory);
    const variable = `SLIPWAY_BUILD_SECRET_${index + 1}`;
    secretEnv[variable] = secret.value;
    return `id=${secret.id},env=${variable}`;
  });
  return { secrets, secretEnv };
}
