import type { JsonObject } from '@slipway/prefect/json';
import type { BuiltImage } from '../image/model.ts';

/**
 * Job variables whose `image` names an image of this run by tag, with that image pinned to its digest (design.md,
 * difference 11); any other image stays as written. In a plan the digest is not known yet and the value says so.
 */
export function pinImage(jobVariables: JsonObject, images: readonly BuiltImage[]): JsonObject {
  const { image } = jobVariables;
  if (typeof image !== 'string') return jobVariables;
  const built = images.find((one) => one.plan.tags.some((tag) => image === `${one.plan.repository}:${tag}`));
  if (built === undefined || !built.plan.push) return jobVariables;
  return { ...jobVariables, image: built.imageRef ?? `${image} (digest known at deploy)` };
}

/**
 * Job variables with the action's own image where they name none (design.md, "Interface of the action"): by its tag, for
 * pinImage to pin. Null counts as none (difference 6).
 */
export function withOwnImage(jobVariables: JsonObject, own: BuiltImage | undefined): JsonObject {
  const { image } = jobVariables;
  const isWritten = image !== undefined && image !== null && image !== '';
  return own === undefined || isWritten ? jobVariables : { ...jobVariables, image: own.image };
}
