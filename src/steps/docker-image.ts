import type { Json, JsonObject } from '@slipway/prefect/json';
import { pythonStr } from '@slipway/prefect/template';
import * as z from 'zod';
import { foreseenImage } from '../image/foreseen.ts';
import { imageKey } from '../image/key.ts';
import type { ImagePlan } from '../image/model.ts';
import { alreadyBuilt, type Building } from './build-queue.ts';
import { isUnknown } from './foresight.ts';
import { checkTag, readRepository } from './image-name.ts';
import type { PushCredentials, StepRun } from './model.ts';
import { stepProblem } from './step-problem.ts';

/** Which image a Docker step is about. */
export interface NamedImage {
  readonly repository: string;
  /** undefined: none given, or nothing came of what was given. */
  readonly tag: string | undefined;
  readonly additionalTags: readonly string[];
  /** The tags as they were given, which is how outputs have them: `1` stays a number. */
  readonly given: { readonly tag: Json; readonly additionalTags: readonly Json[] };
}

/** What both Docker steps say of their image, after templating; the rest is each step's own. */
export const ImageInputs = z.object({
  image_name: z.string(),
  tag: z.custom<Json>().optional(),
  additional_tags: z.array(z.custom<Json>()).nullish(),
  build_backend: z.enum(['docker-py', 'buildx']).nullish(),
});

/**
 * Reads which image a step is about; tags are whatever Python's `str()` makes of them.
 *
 * @throws Problem for names and tags that no registry takes.
 */
export function readNamedImage(step: StepRun, inputs: z.infer<typeof ImageInputs>): NamedImage {
  const repository = readRepository(step, inputs.image_name);
  const given = { tag: inputs.tag === '' ? null : (inputs.tag ?? null), additionalTags: inputs.additional_tags ?? [] };
  const tag = given.tag === null ? undefined : pythonStr(given.tag);
  const additionalTags = given.additionalTags.map(pythonStr);
  for (const one of tag === undefined ? additionalTags : [tag, ...additionalTags]) checkTag(step, one);
  return { repository, tag, additionalTags, given };
}

/** What a Docker step gives to later ones; a missing tag reads `None`, as in Python's text (§2.8). */
export function imageOutputs(image: NamedImage): JsonObject {
  return {
    image_name: image.repository,
    tag: image.given.tag ?? image.tag ?? null,
    image: `${image.repository}:${image.tag ?? 'None'}`,
    additional_tags: [...image.given.additionalTags],
  };
}

/**
 * Queues the build of an image, or gives that of an equal step before (contracts/deploy.md §2.7, "Memo"). In plan mode the
 * image is foreseen.
 *
 * @param isFresh build again although an equal step has built before (`ignore_cache`).
 */
export function buildOnce(
  step: StepRun,
  plan: ImagePlan,
  credentials: PushCredentials | undefined,
  isFresh: boolean,
): Building {
  const { built, queue } = step.images;
  const { log } = step.context.world;
  const isPlan = step.context.mode === 'plan';
  const key = imageKey({ ...plan, push: false });
  const known = isFresh ? undefined : built.get(key);
  // What was pushed serves those that do not ask for it too.
  if (known !== undefined && (known.plan.push || !plan.push)) {
    if (!isPlan) log.info(`${nameOf(known.plan)} is built by an equal step of this run.`);
    return known;
  }
  const building = isPlan ? alreadyBuilt(foreseenImage(plan)) : queue.add(plan, credentials);
  if (isPlan) log.info(`A deploy ${plan.push ? 'builds and pushes' : 'builds'} ${nameOf(plan)}.`);
  built.set(key, building);
  return building;
}

/** `repository:tag` of the main tag. */
export function nameOf(plan: ImagePlan): string {
  return `${plan.repository}:${plan.tags[0]}`;
}

const Credentials = z.object({
  username: z.string(),
  password: z.string(),
  registry_url: z.string().nullish(),
});

/**
 * A push step's `credentials`, mostly a docker-registry-credentials block; the password is masked from then on.
 *
 * @returns undefined when there are none, and in plan mode.
 * @throws Problem when user name or password is missing.
 */
export function readCredentials(step: StepRun, credentials: Json | undefined): PushCredentials | undefined {
  if (credentials === undefined || credentials === null || isUnknown(credentials)) return undefined;
  const result = Credentials.safeParse(credentials);
  if (!result.success) {
    throw stepProblem(
      step,
      'has credentials without a username and a password',
      'Refer to a docker-registry-credentials block, or give username, password and registry_url.',
    );
  }
  const { username, password, registry_url: registry } = result.data;
  step.context.world.log.mask(password);
  return { username, password, registry: registry ?? undefined };
}
