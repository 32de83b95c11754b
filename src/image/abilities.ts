import { Problem } from '../problem.ts';
import type { ImagePlan } from './model.ts';
import type { Builder } from './preflight.ts';

/**
 * What a plan asks for that its builder cannot do, pure, so that it has a name before anything is built. A daemon's own
 * builder with the classic image store builds one platform, keeps no attestations and exports no cache but an inline one
 * (rig-action.md §C.2); every other builder does all of it.
 *
 * @returns one problem for all that is lacking; undefined: nothing is.
 */
export function lackOf(plan: ImagePlan, builder: Builder): Problem | undefined {
  const isClassic = builder.driver === 'docker' && !builder.rewritesTimestamps;
  if (!isClassic) return undefined;
  const lacking = [
    ...(plan.platforms.length > 1 ? [`build for several platforms (${plan.platforms.join(', ')})`] : []),
    ...(plan.provenance === undefined ? [] : ['attest provenance']),
    ...(plan.sbom === undefined ? [] : ['attest an SBOM']),
    ...plan.cacheTo
      .filter((cache) => !/(?:^|,)type=inline(?:,|$)/.test(cache))
      .map((cache) => `write the cache ${cache}`),
  ];
  if (lacking.length === 0) return undefined;
  const where = plan.where === undefined ? {} : { where: plan.where };
  return new Problem(
    `the builder ${builder.name}, Docker’s own, cannot ${listed(lacking)} (image ${plan.repository}:${plan.tags[0]})`,
    {
      remedy:
        'A builder of the driver docker-container, kubernetes or remote can, and so can a Docker daemon with the containerd ' +
        'image store. Put docker/setup-buildx-action before this step, or name such a builder in the input `builder`.',
      ...where,
    },
  );
}

function listed(items: readonly string[]): string {
  const last = items.at(-1) ?? '';
  return items.length < 2 ? last : `${items.slice(0, -1).join(', ')} and ${last}`;
}
