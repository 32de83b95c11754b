import { resolve } from 'node:path';
import * as z from 'zod';
import { findDependencies } from '../image/dockerfile/dependencies.ts';
import { generatedDockerfile } from '../image/dockerfile/generate.ts';
import { ignoreFor } from '../image/dockerfile/ignore.ts';
import type { DockerfileSource, ImagePlan } from '../image/model.ts';
import { imageDirectory } from '../project/image-directory.ts';
import { readBuildOptions } from './build-options.ts';
import { buildOnce, ImageInputs, imageOutputs, readNamedImage } from './docker-image.ts';
import { KNOWN_AT_DEPLOY } from './foresight.ts';
import { timeTag } from './image-name.ts';
import type { StepFunction, StepRun } from './model.ts';
import { findPushAhead } from './push-ahead.ts';
import { readInputs, stepProblem } from './step-problem.ts';

const Inputs = ImageInputs.extend({
  dockerfile: z.string().nullish(),
  path: z.string().nullish(),
  ignore_cache: z.boolean().nullish(),
  persist_dockerfile: z.boolean().nullish(),
  dockerfile_output_path: z.string().nullish(),
});
const OWN_INPUTS = Object.keys(Inputs.shape);

/**
 * `prefect_docker.deployments.steps.build_docker_image` (contracts/deploy.md §2.7), whatever back end it names, by
 * BuildKit: one image plan, pushed at once when push steps of the same image follow (design.md, differences 12 and 14).
 * A build with a step between it and its push is loaded into Docker's image store.
 */
export const buildDockerImage: StepFunction = {
  inputs: 'any',
  required: ['image_name'],
  onlyReads: () => true,
  async run(step) {
    const inputs = readInputs(step, Inputs);
    const options = readBuildOptions(
      step,
      Object.fromEntries(Object.entries(step.inputs).filter(([name]) => !OWN_INPUTS.includes(name))),
    );
    const named = readNamedImage(step, inputs);
    const image = { ...named, tag: named.tag ?? defaultTag(step) };
    const ahead = await findPushAhead(step, image);
    const push = options.push || ahead !== undefined;
    const { builder, push: _push, ...said } = options;
    if (!push && said.platforms.length > 1) throw severalPlatforms(step);
    if (!push && (said.provenance ?? said.sbom) !== undefined) {
      const remedy = 'Let a push_docker_image step of the same image follow, or leave provenance and sbom out.';
      throw stepProblem(step, 'asks for provenance or an SBOM, which the registry keeps, and is not pushed', remedy);
    }
    const context = resolve(step.directory, inputs.path ?? '.');
    const plan: ImagePlan = {
      ...said,
      repository: image.repository,
      tags: options.push ? [image.tag, ...image.additionalTags] : (ahead?.tags ?? [image.tag, ...image.additionalTags]),
      context,
      dockerfile: await dockerfileOf(step, inputs, context),
      secretEnv: {},
      builder: builder ?? step.context.builder,
      sourceDateEpoch: step.context.revision.committedAt,
      push,
      ...freshness(step, inputs),
      ...(step.changedBy === undefined ? {} : { changedBy: step.changedBy }),
      where: step.step.where,
    };
    const built = buildOnce(step, plan, ahead?.credentials, inputs.ignore_cache === true);
    for (const tag of [image.tag, ...image.additionalTags]) {
      step.images.byName.set(`${image.repository}:${tag}`, { plan, built });
    }
    const outputs = imageOutputs(image);
    if (step.context.mode === 'plan') return { outputs: { ...outputs, image_id: KNOWN_AT_DEPLOY }, image: built };
    return { outputs, image: built, late: { name: 'image_id', from: ({ digest, image: name }) => digest ?? name } };
  },
};

/** Prefect's own default of `pull` is true and says nothing of what the writer wants; written out it does. */
function freshness(step: StepRun, inputs: z.infer<typeof Inputs>): Pick<ImagePlan, 'freshBecause'> {
  if (inputs.ignore_cache === true) return { freshBecause: 'ignore_cache is set' };
  return step.inputs.pull === true ? { freshBecause: 'pull asks for the newest base image' } : {};
}

/** One for equal builds, made up when the first of them comes (§2.7, "tag"). */
function defaultTag(step: StepRun): string {
  const { log, clock } = step.context.world;
  if (step.step.inputs.tag !== undefined && step.step.inputs.tag !== null) {
    log.warning('the tag of this image comes to nothing; it is tagged with the time instead', step.step.where);
  }
  const { defaultTags } = step.images;
  const key = JSON.stringify([step.directory, step.inputs]);
  const tag = defaultTags.get(key) ?? timeTag(clock.now(), defaultTags.size);
  defaultTags.set(key, tag);
  return tag;
}

async function dockerfileOf(step: StepRun, inputs: z.infer<typeof Inputs>, context: string): Promise<DockerfileSource> {
  const { files, log } = step.context.world;
  const written = inputs.dockerfile ?? 'Dockerfile';
  if (written !== 'auto') return { kind: 'file', path: resolve(context, written) };
  if (await files.exists(resolve(step.directory, 'Dockerfile'))) {
    throw stepProblem(
      step,
      'has `dockerfile: auto` beside a Dockerfile in the same directory',
      'Remove `dockerfile: auto` to build with that Dockerfile, or remove the Dockerfile.',
    );
  }
  const directory = imageDirectory(step.context.project, step.pull);
  const dependencies = await findDependencies(context, files);
  if (dependencies.kind === 'none' && dependencies.note !== undefined) {
    log.warning(`${dependencies.note}; the generated Dockerfile installs nothing`, step.step.where);
  }
  const ignore = await ignoreFor(context, files);
  const dockerfile = generatedDockerfile({ baseImage: step.context.baseImage, directory, dependencies, ignore });
  await log.group('Generated Dockerfile', async () => log.info(dockerfile.content));
  if (inputs.persist_dockerfile === true) {
    log.warning('persist_dockerfile writes no file here; the generated Dockerfile stands in the log', step.step.where);
  }
  return dockerfile;
}

function severalPlatforms(step: StepRun) {
  return stepProblem(
    step,
    'builds for several platforms and nothing pushes the image right after it',
    'Add a push_docker_image step for this image directly after it, or build for one platform: Docker keeps no image of ' +
      'several platforms.',
  );
}
