import { z } from 'zod';
import { Problem } from '../problem.ts';
import type { RegistryAccess } from '../registry/access.ts';
import { isDigest } from '../registry/manifests.ts';
import { retrying } from '../registry/retry.ts';
import { ExecNotStarted, type World } from '../world.ts';
import { buildxArguments } from './arguments.ts';
import { explainBuildFailure } from './failure.ts';
import type { BuiltImage, ImagePlan } from './model.ts';
import { OutputLines } from './output.ts';
import type { Builder } from './preflight.ts';

/**
 * One build with `docker buildx build`, streamed into a log group. Failure model: nothing is written outside a private
 * temporary directory that is removed whatever happens; a registry that is overloaded or a connection that breaks is
 * met with the same build again (its layers are cached), three tries in all; a build that writes nothing for half an
 * hour is ended (BuildKit has been seen to hang when a credential dies in mid-push, rig-action.md §G).
 */
export interface BuildContext {
  readonly world: World;
  /** Environment of docker's processes: with the isolated Docker configuration when there is one. */
  readonly env: Readonly<Record<string, string>>;
  readonly builder: Builder;
  /** Asks the registry what it holds; undefined when nothing is pushed. */
  readonly access: Pick<RegistryAccess, 'readManifestDigest'> | undefined;
  /** Milliseconds without a word from buildx after which it is ended. */
  readonly idleMs?: number;
}

const ATTEMPTS = 3;
const IDLE_MS = 30 * 60_000;
/** Enough to hold the error with its excerpt of the Dockerfile and a step's last words. */
const KEPT_LINES = 200;
const SHOWN_LINES = 30;

/**
 * Builds and, when the plan says so, pushes.
 *
 * @returns the image with the digest the registry knows it by; without push it is in Docker's image store alone.
 * @throws Problem with cause and remedy; the build's last lines are in the log.
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

class TransientFailure extends Error {
  override readonly name = 'TransientFailure';
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
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
  if (dockerignore !== undefined && !(await world.files.exists(`${plan.context}/.dockerignore`))) {
    await world.files.writeNew(`${path}.dockerignore`, dockerignore);
  }
  return path;
}

interface BuildRun extends BuildContext {
  readonly dockerfilePath: string;
  readonly metadataFile: string;
}

async function runBuildx(plan: ImagePlan, run: BuildRun): Promise<void> {
  const { world } = run;
  const lines = new OutputLines(KEPT_LINES, (line) => world.log.info(line));
  const idle = new AbortController();
  const watch = setTimeout(() => idle.abort(), run.idleMs ?? IDLE_MS);
  const name = `${plan.repository}:${plan.tags[0]}`;
  try {
    const result = await world.log.group(`Build ${plan.push ? 'and push ' : ''}${name}`, () =>
      world.exec('docker', buildxArguments(plan, { ...run, rewritesTimestamps: run.builder.rewritesTimestamps }), {
        cwd: plan.context,
        env: childEnvironment(run.env, plan),
        signal: AbortSignal.any([world.signal, idle.signal]),
        onOutput: (text, stream) => {
          watch.refresh();
          lines.take(text, stream);
        },
      }),
    );
    lines.end();
    if (result.exitCode === 0) return;
  } catch (error) {
    if (idle.signal.aborted && !world.signal.aborted) {
      throw new Problem(
        `the build of ${name} was ended because buildx wrote nothing for ${Math.round((run.idleMs ?? IDLE_MS) / 60_000)} minutes`,
        {
          remedy:
            'Look at the last lines above: a push that stands still often means an expired sign-in. Run the job again.',
          cause: error,
        },
      );
    }
    if (error instanceof ExecNotStarted) {
      throw new Problem('docker is not on the PATH, and the image is built with it', {
        remedy: 'Run the job on a runner with Docker, or install Docker with its buildx plugin.',
        cause: error,
      });
    }
    throw error;
  } finally {
    clearTimeout(watch);
  }
  // The group is folded in the log: the end of it is what the reader needs.
  for (const line of lines.last.slice(-SHOWN_LINES)) world.log.info(line);
  const dockerfile = await world.files.readText(run.dockerfilePath);
  const failure = explainBuildFailure(plan, lines.last, world.env.GITHUB_WORKSPACE ?? plan.context, dockerfile);
  throw failure.isTransient ? new TransientFailure(failure.problem) : failure.problem;
}

function childEnvironment(env: Readonly<Record<string, string>>, plan: ImagePlan): Record<string, string> {
  const child: Record<string, string> = { ...env, BUILDX_NO_DEFAULT_ATTESTATIONS: '1' };
  if (plan.sourceDateEpoch !== undefined) child.SOURCE_DATE_EPOCH = String(plan.sourceDateEpoch);
  return child;
}

const Metadata = z.looseObject({ 'containerimage.digest': z.string().optional() }).nullable();

/**
 * The digest the registry has under the main tag. It wins over buildx's own word, which can be a config digest that no
 * registry knows (anchors/action.md §4.2).
 */
async function pushedDigest(plan: ImagePlan, metadataFile: string, context: BuildContext): Promise<string> {
  const { world, access } = context;
  const [tag] = plan.tags;
  const built = await builtDigest(metadataFile, world);
  const held = await access?.readManifestDigest(tag);
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
