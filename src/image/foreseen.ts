import type { BuiltImage, ImagePlan } from './model.ts';

/** What a plan says of an image that a deploy will build: its name, not its digest. */
export function foreseenImage(plan: ImagePlan): BuiltImage {
  return { plan, image: `${plan.repository}:${plan.tags[0]}`, imageRef: undefined, digest: undefined, seconds: 0 };
}
