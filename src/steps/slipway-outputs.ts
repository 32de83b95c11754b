import type { Json, JsonObject } from '@slipway/prefect/json';
import { KNOWN_AT_DEPLOY } from './foresight.ts';
import type { PrepareContext } from './model.ts';

/**
 * What a deployment's first step finds already there, as outputs of a step with the id `slipway` and, like every step's
 * outputs, by their plain names (design.md, "Interface of the action"): the commit, and the action's own image. A name
 * that stands for nothing is not there.
 */
export function slipwayOutputs({
  revision,
  ownImage,
  mode,
}: Pick<PrepareContext, 'revision' | 'ownImage' | 'mode'>): JsonObject {
  const unknown = mode === 'plan' ? KNOWN_AT_DEPLOY : undefined;
  const named: Readonly<Record<string, Json | undefined>> = {
    sha: revision.sha,
    short_sha: revision.shortSha,
    image: ownImage?.image,
    image_ref: ownImage && (ownImage.imageRef ?? (ownImage.plan.push ? unknown : undefined)),
    tag: ownImage?.plan.tags[0],
  };
  const outputs: JsonObject = {};
  for (const [name, value] of Object.entries(named)) if (value !== undefined) outputs[name] = value;
  return { ...outputs, slipway: outputs };
}
