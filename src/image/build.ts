import * as z from 'zod';
import { Problem } from '../problem.ts';
import type { RegistryAccess } from '../registry/access.ts';
import { isDigest } from '../registry/manifests.ts';
import { retrying } from '../registry/retry.ts';
import type { World } from '../world.ts';
import { type BuildxRun, runBuildx, TransientFailure } from './buildx.ts';
import type { BuiltImage, ImagePlan } from './model.ts';

/**
 * One image, built and pushed. Failure model: nothing is written outside a private temporary directory that is removed
 * whatever happens; a registry that is overloaded or a connection that breaks is met with the same build again (its
 * layers are cached), three tries in all.
 */
export interface BuildContext extends Pick<BuildxRun, 'world' | 'env' | 'builder' | 'log' | 'idle'> {
  /** Asks the registry what it holds; undefined when nothing is pushed. */
  readonly access: Pick<RegistryAccess, 'readManifestDigest'> | undefined;
}

const ATTEMPTS = 3;

/**
 * Builds and, when the plan says so, pushes.
 *
 * @returns the image with the digest the registry knows it by; without push it is in Docker's image store alone.
 * @throws Problem with cause and remedy; LostSignIn when a new sign-in may help. The build's last lines are in the log.
 */
export async function buildImage(plan: ImagePlan, context: BuildContext): Promise<BuiltImage> {
  const { world } = context;
  const started = world.clock.now();
  await checkFiles(plan, world);
  const directory = await world.files.makeTemporaryDirectory('slipway-build-');
  try {
    const dockerfilePath = await placeDockerfile(plan, directory, world);
    const { clock, random, signal } = world;
    const metadataFile = await retrying(
      async (number) => {
        const file = `${directory}/metadata-${number}.json`;
        await runBuildx(plan, { ...context, dockerfilePath, metadataFile: file });
        return file;
      },
      {
        clock,
        random,
        signal,
        attempts: ATTEMPTS,
        delayOf: (error) => (error instanceof TransientFailure ? 'again' : undefined),
        onRetry: (error, waitMs) =>
          world.log.warning(
            `${String(error instanceof Error ? error.message : error)}; again in ${Math.round(waitMs / 1000)} s`,
          ),
      },
    ).catch((error: unknown) => {
      throw error instanceof TransientFailure ? error.problem : error;
    });
    const digest = plan.push ? await pushedDigest(plan, metadataFile, context) : undefined;
    return {
      plan,
      image: `${plan.repository}:${plan.tags[0]}`,
      imageRef: digest === undefined ? undefined : `${plan.repository}@${digest}`,
      digest,
      seconds: (world.clock.now() - started) / 1000,
    };
  } finally {
    await world.files.remove(directory);
  }
}

async function checkFiles(plan: ImagePlan, world: World): Promise<void> {
  const where = plan.where === undefined ? {} : { where: plan.where };
  if (!(await world.files.exists(plan.context))) {
    throw new Problem(`the build context ${plan.context} does not exist`, {
      remedy: 'Correct the path of the context.',
      ...where,
    });
  }
  if (plan.dockerfile.kind === 'file' && !(await world.files.exists(plan.dockerfile.path))) {
    throw new Problem(`the Dockerfile ${plan.dockerfile.path} does not exist`, {
      remedy: 'Correct its path, or write `dockerfile: auto` to have one generated.',
      ...where,
    });
  }
}

/** A generated Dockerfile is never written into the work tree (design.md, difference 14); BuildKit reads the ignore file beside it. */
async function placeDockerfile(plan: ImagePlan, directory: string, world: World): Promise<string> {
  if (plan.dockerfile.kind === 'file') return plan.dockerfile.path;
  const path = `${directory}/Dockerfile`;
  await world.files.writeNew(path, plan.dockerfile.content);
  const { dockerignore } = plan.dockerfile;
  if (dockerignore !== undefined) await world.files.writeNew(`${path}.dockerignore`, dockerignore);
  return path;
}

const Metadata = z.looseObject({ 'containerimage.digest': z.string().optional() }).nullable();

/**
 * The digest of what was pushed, as the registry knows it. buildx's own word can be a config digest that no registry
 * knows (anchors/action.md §4.2): then what is under the main tag counts. When the registry does hold what buildx names,
 * the tag has been moved since by somebody else, whose image is not ours.
 */
async function pushedDigest(plan: ImagePlan, metadataFile: string, context: BuildContext): Promise<string> {
  const { world, access } = context;
  const [tag] = plan.tags;
  const built = await builtDigest(metadataFile, world);
  const held = await access?.readManifestDigest(tag);
  const isMoved =
    built !== undefined && held !== undefined && built !== held && (await access?.readManifestDigest(built)) === built;
  if (isMoved) {
    world.log.warning(
      `${plan.repository}:${tag} was pushed as ${built}, and somebody has put the tag on ${held} since; ${built} is used`,
    );
    return built;
  }
  if (held === undefined) {
    throw new Problem(`${plan.repository}:${tag} was pushed, but the registry has no manifest under that tag`, {
      remedy: 'Look at the registry: a clean-up, another job or a mirror may stand between. Then run the job again.',
    });
  }
  if (built !== undefined && built !== held) {
    world.log.warning(
      `buildx names ${built} for ${plan.repository}:${tag}, the registry holds ${held}; the registry’s is used`,
    );
  }
  return held;
}

async function builtDigest(metadataFile: string, world: World): Promise<string | undefined> {
  try {
    const metadata = Metadata.parse(JSON.parse(await world.files.readText(metadataFile)));
    const digest = metadata?.['containerimage.digest'];
    return digest !== undefined && isDigest(digest) ? digest : undefined;
  } catch {
    return undefined;
  }
}
