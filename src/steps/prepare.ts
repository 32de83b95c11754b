import { isJsonObject, type JsonObject } from '@slipway/prefect/json';
import { Problem } from '../problem.ts';
import type { Entry, StepSpec } from '../project/model.ts';
import { effectiveSteps } from '../project/steps-of.ts';
import { buildDockerImage } from './build-docker-image.ts';
import { unknownPaths } from './foresight.ts';
import type { ImageMemo, PrepareContext, Prepared, StepFunction, StepRun } from './model.ts';
import { pipInstallRequirements } from './pip-install-requirements.ts';
import { pushDockerImage } from './push-docker-image.ts';
import { runShellScript } from './run-shell-script.ts';
import { setWorkingDirectory } from './set-working-directory.ts';
import { stepLabel } from './step-problem.ts';
import { fillInputs, stepEnvironment } from './templating.ts';

const FUNCTIONS: Readonly<Record<string, StepFunction>> = {
  'prefect.deployments.steps.run_shell_script': runShellScript,
  'prefect.deployments.steps.set_working_directory': setWorkingDirectory,
  'prefect.deployments.steps.pip_install_requirements': pipInstallRequirements,
  'prefect_docker.deployments.steps.build_docker_image': buildDockerImage,
  'prefect_docker.deployments.steps.push_docker_image': pushDockerImage,
};

/** Runs (in a plan: foresees) build and push steps of each entry, one after another. */
export async function prepare(entries: readonly Entry[], context: PrepareContext): Promise<Prepared[]> {
  const images: ImageMemo = { built: new Map(), byName: new Map(), defaultTags: new Map() };
  const prepared: Prepared[] = [];
  for (const entry of entries) prepared.push(await prepareEntry(entry, context, images));
  return prepared;
}

async function prepareEntry(entry: Entry, context: PrepareContext, images: ImageMemo): Promise<Prepared> {
  const { build, push, pull } = effectiveSteps(context.project, entry);
  const steps = [...build, ...push];
  const env = stepEnvironment(context.world.env);
  let outputs: JsonObject = {};
  let directory = context.project.directory;
  const built: Prepared['images'][number][] = [];
  for (const [index, step] of steps.entries()) {
    const run = functionOf(step);
    const following = steps.slice(index + 1);
    const inputs = await fillInputs(step, step.inputs, outputs, env, context);
    const stepRun: StepRun = { context, step, inputs, directory, env, outputs, following, pull, images };
    const result = await context.world.log.group(`> Running ${stepLabel(step)} step...`, () => run.run(stepRun));
    outputs = { ...outputs, ...(step.id === undefined ? {} : { [step.id]: result.outputs }), ...result.outputs };
    directory = result.directory ?? directory;
    if (result.image !== undefined && !built.includes(result.image)) built.push(result.image);
  }
  const unknown = isJsonObject(outputs) ? unknownPaths(outputs) : [];
  return { entry, outputs, images: built, pull, unknown };
}

function functionOf(step: StepSpec): StepFunction {
  const found = FUNCTIONS[step.function];
  if (found !== undefined) return found;
  throw new Problem(`the step ${step.function} is not known here`, {
    where: step.where,
    remedy: 'Use a run_shell_script step, or run it before this action.',
  });
}
