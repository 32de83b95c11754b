import * as z from 'zod';
import type { ImagePlan } from '../image/model.ts';
import {
  buildOnce,
  ImageInputs,
  imageOutputs,
  type NamedImage,
  nameOf,
  readCredentials,
  readNamedImage,
} from './docker-image.ts';
import type { NamedBuild, StepFunction, StepRun } from './model.ts';
import { readInputs, stepProblem } from './step-problem.ts';

const Inputs = ImageInputs.extend({ ignore_cache: z.boolean().nullish() });

/**
 * `prefect_docker.deployments.steps.push_docker_image` (contracts/deploy.md §2.8). Mostly there is nothing left to do, as
 * the build before it pushed at once (push-ahead.ts). When another step stood between the two, the same plan is built
 * again with the push: its layers come from BuildKit's cache, and only so is the manifest's digest known.
 */
export const pushDockerImage: StepFunction = {
  inputs: ['image_name', 'tag', 'credentials', 'additional_tags', 'ignore_cache', 'build_backend'],
  required: ['image_name'],
  onlyReads: () => true,
  async run(step) {
    const inputs = readInputs(step, Inputs);
    const image = readNamedImage(step, inputs);
    const { build, tags } = findBuild(step, image);
    const outputs = imageOutputs(image);
    const isPushed = build.built.plan.push && tags.every((tag) => build.built.plan.tags.includes(tag));
    if (isPushed) {
      const { mode, world } = step.context;
      if (mode === 'deploy') world.log.info(`${nameOf(build.built.plan)} is pushed together with its build.`);
      return { outputs };
    }
    // The same layers come from the cache of the build before.
    await step.images.queue.run();
    const { changedBy } = step;
    const changed = changedBy === undefined ? {} : { changedBy };
    const plan: ImagePlan = { ...build.plan, ...changed, tags, push: true, where: step.step.where };
    const credentials = readCredentials(step, step.inputs.credentials);
    return { outputs, image: buildOnce(step, plan, credentials, inputs.ignore_cache === true) };
  },
};

/** The build that made the image, and the tags to push: without a tag all that were built, as docker-py does. */
function findBuild(step: StepRun, image: NamedImage): { build: NamedBuild; tags: [string, ...string[]] } {
  const { repository, tag, additionalTags } = image;
  const { byName } = step.images;
  if (tag !== undefined) {
    const build = byName.get(`${repository}:${tag}`);
    if (build !== undefined) return { build, tags: [tag, ...additionalTags] };
  } else {
    const [name, build] = [...byName].findLast(([, one]) => one.plan.repository === repository) ?? [];
    if (name !== undefined && build !== undefined) return { build, tags: [...build.plan.tags] };
  }
  const name = tag === undefined ? repository : `${repository}:${tag}`;
  throw stepProblem(
    step,
    `pushes ${name}, which no build_docker_image step has built in this run`,
    'Add the build step before it, with the same image_name and tag. An image that is built elsewhere is pushed there: ' +
      'leave this step out and name the image in work_pool.job_variables.image.',
  );
}
