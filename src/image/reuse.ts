import { Problem } from '../problem.ts';
import type { RegistryAccess } from '../registry/access.ts';
import type { HeldImage } from '../registry/manifests.ts';
import type { Revision } from '../source/model.ts';
import type { World } from '../world.ts';
import { type Fingerprint, INPUTS_LABEL, tagOfCommit } from './fingerprint.ts';
import type { BuiltImage, ImagePlan } from './model.ts';

/** What decides whether an image that the registry holds already is taken instead of a build. */
export interface ReuseContext {
  readonly ifExists: 'reuse' | 'rebuild';
  readonly revision: Revision;
  readonly access: Pick<RegistryAccess, 'readImage' | 'tagManifest'>;
  readonly world: Pick<World, 'log' | 'clock'>;
}

/**
 * The image of a plan as the registry holds it, when that is the one a build would make: it is under a tag that names
 * this clean commit and its label says that it was built from the same inputs. The plan's other tags are put on it in
 * the registry; nothing is pulled. The log says what was decided and why.
 *
 * Its base image is the one it was built on: a base that has moved since comes with the next commit, or with `pull`.
 *
 * @returns undefined when the image is to be built; also when the registry does not let us look.
 * @throws Problem when a further tag cannot be put on it.
 */
export async function reuseImage(
  plan: ImagePlan,
  inputs: Fingerprint,
  context: ReuseContext,
): Promise<BuiltImage | undefined> {
  const { access, world } = context;
  const started = world.clock.now();
  const asked = whatToLookFor(plan, inputs, context);
  if (asked.kind === 'build') {
    world.log.info(`${plan.repository}:${plan.tags[0]} is built whatever the registry holds: ${asked.because}.`);
    return undefined;
  }
  const name = `${plan.repository}:${asked.tag}`;
  const held = await look(asked.tag, name, context);
  if (held === undefined) return undefined;
  const difference = differenceOf(held, asked.hash);
  if (difference !== undefined) {
    world.log.info(`${name} exists and is built again: ${difference}.`);
    return undefined;
  }
  world.log.info(`${name} exists and was built from the same inputs (${held.digest}): it is not built again.`);
  for (const tag of plan.tags.filter((other) => other !== asked.tag)) {
    await access.tagManifest(tag, held);
    world.log.info(`${plan.repository}:${tag} is the same image.`);
  }
  return {
    plan,
    image: `${plan.repository}:${plan.tags[0]}`,
    imageRef: `${plan.repository}@${held.digest}`,
    digest: held.digest,
    seconds: (world.clock.now() - started) / 1000,
    isReused: true,
  };
}

type Decision =
  | { readonly kind: 'look'; readonly tag: string; readonly hash: string }
  | { readonly kind: 'build'; readonly because: string };

/** Which tag may already hold the image, or why none can, pure. */
export function whatToLookFor(
  plan: ImagePlan,
  inputs: Fingerprint,
  { ifExists, revision }: Pick<ReuseContext, 'ifExists' | 'revision'>,
): Decision {
  if (ifExists === 'rebuild') return { kind: 'build', because: 'if-exists is rebuild' };
  if (plan.freshBecause !== undefined) return { kind: 'build', because: plan.freshBecause };
  if (plan.noCache) return { kind: 'build', because: 'it is to be built without a cache' };
  if (inputs.kind === 'unknown') return { kind: 'build', because: inputs.because };
  const tag = revision.sha === undefined ? undefined : tagOfCommit(plan.tags, revision.sha);
  if (tag === undefined) return { kind: 'build', because: 'none of its tags names the commit' };
  return { kind: 'look', tag, hash: inputs.hash };
}

/** A registry that lets us push but not look costs a build, no more. */
async function look(tag: string, name: string, { access, world }: ReuseContext): Promise<HeldImage | undefined> {
  try {
    const held = await access.readImage(tag);
    if (held === undefined) world.log.info(`${name} does not exist yet and is built.`);
    return held;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    world.log.info(`${name} is built, as it cannot be seen whether it exists: ${error.message}.`);
    return undefined;
  }
}

/** Why an image is another one than a build would make, pure; undefined when it is the same. */
export function differenceOf(held: Pick<HeldImage, 'labels'>, hash: string): string | undefined {
  const hashes = held.labels.map((labels) => labels[INPUTS_LABEL]);
  if (hashes.length === 0 || hashes.includes(undefined)) {
    return `it does not say what it was built from (label ${INPUTS_LABEL})`;
  }
  return hashes.every((one) => one === hash)
    ? undefined
    : 'it was built from other inputs (Dockerfile, arguments, labels, platforms …)';
}
