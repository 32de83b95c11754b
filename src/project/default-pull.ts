import type { Json, JsonObject } from '@slipway/prefect/json';
import { Problem } from '../problem.ts';
import { IMAGE_ROOT, imageDirectory, SET_WORKING_DIRECTORY } from './image-directory.ts';
import type { Entry, Project } from './model.ts';
import { stepsThatMayBuild } from './steps-of.ts';

export const BUILD_DOCKER_IMAGE = 'prefect_docker.deployments.steps.build_docker_image';

/** What takes the place of pull steps that nobody wrote. */
export interface DefaultPull {
  /** As they are sent; empty: the image's own working directory is right. */
  readonly steps: readonly JsonObject[];
  /** What the user should hear of. */
  readonly warning: string | undefined;
}

/**
 * The pull steps of a deployment for which none are written anywhere (contracts/deploy.md §1.7).
 *
 * Where Prefect's CLI would point the worker at the runner's own folder, which exists on no worker, this is an error
 * (design.md, difference 7).
 *
 * @param image the `image` job variable with environment, blocks and variables filled in, step outputs not yet.
 * @param own the action's own image, which takes the place of an `image` that is not written; `directory` is where the
 *   project lies in it, undefined: in its working directory.
 * @throws Problem when there is neither an image nor a pull step.
 */
export function defaultPull(
  project: Project,
  entry: Entry,
  image: Json | undefined,
  own?: { readonly directory: string | undefined },
): DefaultPull {
  const isImageWritten = image !== undefined && image !== null && image !== '';
  if (own !== undefined && !isImageWritten) {
    const steps = own.directory === undefined ? [] : [setWorkingDirectory(own.directory)];
    return { steps, warning: undefined };
  }
  const build = stepsThatMayBuild(project, entry).find((step) => step.function === BUILD_DOCKER_IMAGE);
  if (build !== undefined) {
    const isGenerated = build.inputs.dockerfile === 'auto';
    return {
      steps: isGenerated ? [setWorkingDirectory(imageDirectory(project, undefined))] : [],
      warning: undefined,
    };
  }
  if (isImageWritten) {
    return {
      steps: [setWorkingDirectory(IMAGE_ROOT)],
      warning:
        `deployment ${entry.name ?? ''}: its flow is looked for in ${IMAGE_ROOT} of its image, as there is no pull ` +
        'step; add a set_working_directory pull step when it lies elsewhere',
    };
  }
  throw new Problem(`deployment ${entry.name ?? ''}: a worker would not know where to find its flow`, {
    remedy:
      'Do one of three: build an image, with the input `image` or with a ' +
      'prefect_docker.deployments.steps.build_docker_image step; name an image that holds the flow in ' +
      'work_pool.job_variables.image; or write a `pull:` section, e.g. with prefect.deployments.steps.git_clone.',
    where: entry.where,
  });
}

function setWorkingDirectory(directory: string): JsonObject {
  return { [SET_WORKING_DIRECTORY]: { directory } };
}
