import { Problem } from '../problem.ts';
import type { StepSpec } from '../project/model.ts';
import { buildDockerImage } from './build-docker-image.ts';
import type { StepFunction } from './model.ts';
import { pipInstallRequirements } from './pip-install-requirements.ts';
import { BUILD_DOCKER_IMAGE, PUSH_DOCKER_IMAGE } from './push-ahead.ts';
import { pushDockerImage } from './push-docker-image.ts';
import { runShellScript } from './run-shell-script.ts';
import { setWorkingDirectory } from './set-working-directory.ts';
import { stepLabel } from './step-problem.ts';

/** The functions that build and push steps may name; Prefect's package and its module both work as a path. */
const FUNCTIONS: ReadonlyMap<string, StepFunction> = new Map([
  ['prefect.deployments.steps.run_shell_script', runShellScript],
  ['prefect.deployments.steps.utility.run_shell_script', runShellScript],
  ['prefect.deployments.steps.set_working_directory', setWorkingDirectory],
  ['prefect.deployments.steps.pull.set_working_directory', setWorkingDirectory],
  ['prefect.deployments.steps.pip_install_requirements', pipInstallRequirements],
  ['prefect.deployments.steps.utility.pip_install_requirements', pipInstallRequirements],
  [BUILD_DOCKER_IMAGE, buildDockerImage],
  [PUSH_DOCKER_IMAGE, pushDockerImage],
]);

/** What to do instead of a step that only Python can run, by the end of its name. */
const ALTERNATIVES: readonly (readonly [RegExp, string])[] = [
  [/\.push_to_s3$/, 'Copy the files in a run_shell_script step: `aws s3 sync . s3://BUCKET/FOLDER`.'],
  [/\.push_to_gcs$/, 'Copy the files in a run_shell_script step: `gcloud storage rsync -r . gs://BUCKET/FOLDER`.'],
  [
    /\.push_to_azure_blob_storage$/,
    'Copy the files in a run_shell_script step: `az storage blob upload-batch -d CONTAINER -s .`.',
  ],
  [/\.git_clone$/, 'As a pull step it works; for a build, check the repository out with actions/checkout before.'],
  [
    /\.(?:pull_from_s3|pull_from_gcs|pull_from_azure_blob_storage|pull_from_remote_storage|pull_with_block)$/,
    'It belongs under `pull:`, where the worker runs it.',
  ],
];

/** @throws Problem when the step's function is not one that Slipway runs. */
export function stepFunction(step: StepSpec): StepFunction {
  const known = FUNCTIONS.get(step.function);
  if (known === undefined) throw unsupported(step);
  return known;
}

/**
 * What can be said against build and push steps before any of them runs: functions that are not supported (design.md,
 * difference 10), inputs that a function does not take or needs and does not get (contracts/deploy.md §2). Keys are
 * never templated, so this is certain.
 */
export function checkSteps(steps: Iterable<StepSpec>): Problem[] {
  return [...steps].flatMap((step) => {
    const known = FUNCTIONS.get(step.function);
    return known === undefined ? [unsupported(step)] : checkInputs(step, known);
  });
}

function unsupported(step: StepSpec): Problem {
  const alternative = ALTERNATIVES.find(([ending]) => ending.test(step.function))?.[1];
  return new Problem(`the step ${stepLabel(step)} is ${step.function}, which Slipway cannot run: it is Python's`, {
    remedy:
      `${alternative ?? `Run it in a workflow step before Slipway, with ${packageOf(step)} installed.`} Slipway itself ` +
      'runs run_shell_script, set_working_directory, pip_install_requirements, build_docker_image and push_docker_image.',
    where: step.where,
  });
}

/** The Python package a step comes from, as pip names it. */
function packageOf(step: StepSpec): string {
  const [required] = step.requires;
  return required ?? (step.function.split('.')[0] ?? '').replaceAll('_', '-');
}

function checkInputs(step: StepSpec, known: StepFunction): Problem[] {
  const label = `the step ${stepLabel(step)}`;
  const { inputs, required } = known;
  const given = Object.keys(step.inputs);
  const strangers = inputs === 'any' ? [] : given.filter((name) => !inputs.includes(name));
  const missing = required.filter((name) => step.inputs[name] === undefined || step.inputs[name] === null);
  const taken = inputs === 'any' ? required : inputs;
  return [
    ...strangers.map((name) => ({ message: `${label} does not take the input ${name}`, known: `It takes: ` })),
    ...missing.map((name) => ({ message: `${label} has no ${name}`, known: 'Add it. The step takes: ' })),
  ].map(
    ({ message, known: lead }) => new Problem(message, { remedy: `${lead}${taken.join(', ')}.`, where: step.where }),
  );
}
