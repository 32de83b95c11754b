import type { Json, JsonObject } from '@slipway/prefect/json';
import type { StepSpec } from '../project/model.ts';
import { ImageInputs, imageOutputs, type NamedImage, readCredentials, readNamedImage } from './docker-image.ts';
import type { PushCredentials, StepRun } from './model.ts';
import { fillInputs } from './templating.ts';

export const BUILD_DOCKER_IMAGE = 'prefect_docker.deployments.steps.build_docker_image';
export const PUSH_DOCKER_IMAGE = 'prefect_docker.deployments.steps.push_docker_image';

/** What the push steps that follow a build want of its image. */
export interface PushAhead {
  /** In the order of the build's own tags. */
  readonly tags: readonly [string, ...string[]];
  readonly credentials: PushCredentials | undefined;
}

/**
 * Looks for push steps of an image among the steps after its build, so that building and pushing are one step for
 * BuildKit: without the push there is no manifest digest (design.md, difference 12). A step that is not Docker's ends the
 * search, for it may be there to test the image before it is pushed.
 *
 * @param tag the build's main tag.
 * @returns undefined when nothing pushes it right after.
 */
export async function findPushAhead(
  step: StepRun,
  image: NamedImage & { tag: string },
): Promise<PushAhead | undefined> {
  const built = [image.tag, ...image.additionalTags];
  const pushed = new Set<string>();
  let credentials: PushCredentials | undefined;
  let outputs: JsonObject = { ...step.outputs, ...named(step.step, imageOutputs(image)), ...imageOutputs(image) };
  for (const next of step.following) {
    if (next.function !== BUILD_DOCKER_IMAGE && next.function !== PUSH_DOCKER_IMAGE) break;
    if (next.function === PUSH_DOCKER_IMAGE) {
      const tags = await tagsPushedBy(step, next, outputs, image.repository, built);
      for (const tag of tags) pushed.add(tag);
      if (tags.length > 0) credentials ??= await credentialsOf(step, next, outputs);
    }
    // From here on the outputs without an id are those of that step, whatever they will be.
    outputs = withoutImage(outputs);
  }
  const [first, ...rest] = built.filter((tag) => pushed.has(tag));
  return first === undefined ? undefined : { tags: [first, ...new Set(rest)], credentials };
}

async function tagsPushedBy(
  step: StepRun,
  push: StepSpec,
  outputs: JsonObject,
  repository: string,
  built: readonly string[],
): Promise<string[]> {
  const { image_name = null, tag = null, additional_tags = null } = push.inputs;
  const inputs = await fill(step, push, { image_name, tag, additional_tags }, outputs);
  const parsed = ImageInputs.safeParse(inputs);
  // A push step that is wrong says so when its turn comes.
  if (!parsed.success) return [];
  const image = readNamedImage({ ...step, step: push }, parsed.data);
  if (image.repository !== repository) return [];
  const wanted = image.tag === undefined ? built : [image.tag, ...image.additionalTags];
  return built.filter((one) => wanted.includes(one));
}

async function credentialsOf(step: StepRun, push: StepSpec, outputs: JsonObject): Promise<PushCredentials | undefined> {
  // A plan signs in nowhere and reads no secrets.
  if (step.context.mode === 'plan') return undefined;
  const { credentials = null } = push.inputs;
  const inputs = await fill(step, push, { credentials }, outputs);
  return readCredentials({ ...step, step: push }, inputs.credentials);
}

function fill(step: StepRun, push: StepSpec, inputs: JsonObject, outputs: JsonObject): Promise<JsonObject> {
  return fillInputs(push, inputs, outputs, step.env, step.context);
}

function named(step: StepSpec, outputs: Json): JsonObject {
  return step.id === undefined ? {} : { [step.id]: outputs };
}

function withoutImage(outputs: JsonObject): JsonObject {
  const { image_name, tag, image, image_id, additional_tags, ...rest } = outputs;
  return rest;
}
