import { Problem } from '../problem.ts';
import type { StepSpec } from '../project/model.ts';
import { buildDockerImage } from './build-docker-image.ts';
import { gitClone } from './git-clone.ts';
import type { StepFunction } from './model.ts';
import { pipInstallRequirements } from './pip-install-requirements.ts';
import { BUILD_DOCKER_IMAGE, PUSH_DOCKER_IMAGE } from './push-ahead.ts';
import { pushDockerImage } from './push-docker-image.ts';
import { pythonRemedy } from './python-alternatives.ts';
import { pythonStep } from './python-step.ts';
import { runShellScript } from './run-shell-script.ts';
import { setWorkingDirectory } from './set-working-directory.ts';
import { stepLabel } from './step-problem.ts';

/** The functions that build and push steps may name; Prefect's package and its module both work as a path. */
const FUNCTIONS: ReadonlyMap<string, StepFunction> = new Map([
  ['prefect.deployments.steps.run_shell_script', runShellScript],
  ['prefect.deployments.steps.utility.run_shell_script', runShellScript],
  ['prefect.deployments.steps.set_working_directory', setWorkingDirectory],
  ['prefect.deployments.steps.pull.set_working_directory', setWorkingDirectory],
  ['prefect.deployments.steps.git_clone', gitClone],
  ['prefect.deployments.steps.pull.git_clone', gitClone],
  ['prefect.deployments.steps.pip_install_requirements', pipInstallRequirements],
  ['prefect.deployments.steps.utility.pip_install_requirements', pipInstallRequirements],
  [BUILD_DOCKER_IMAGE, buildDockerImage],
  [PUSH_DOCKER_IMAGE, pushDockerImage],
]);

/** The step's function; one that Slipway does not know itself runs in Python. */
export function stepFunction(step: StepSpec): StepFunction {
  return FUNCTIONS.get(step.function) ?? pythonStep;
}

/** True for a step that Python must run (design.md, difference 10). */
export function needsPython(step: StepSpec): boolean {
  return !FUNCTIONS.has(step.function);
}

/**
 * What can be said against build and push steps before any of them runs: functions that no Python could import, or that
 * there is no Python for; inputs that a function of ours does not take or needs and does not get (contracts/deploy.md
 * §2). Keys are never templated, so this is certain.
 *
 * @param hasPython there is a Python on the PATH.
 */
export function checkSteps(steps: Iterable<StepSpec>, hasPython: boolean): Problem[] {
  return [...steps].flatMap((step) => {
    const known = FUNCTIONS.get(step.function);
    return known === undefined ? checkForPython(step, hasPython) : checkInputs(step, known);
  });
}

function checkForPython(step: StepSpec, hasPython: boolean): Problem[] {
  const label = `the step ${stepLabel(step)}`;
  if (!/[.:]/.test(step.function)) {
    const remedy =
      'Write it with its module, e.g. prefect.deployments.steps.run_shell_script, or my_steps.notify for `notify` in ' +
      'the file my_steps.py.';
    return [new Problem(`${label} is no full name of a function`, { remedy, where: step.where })];
  }
  if (hasPython) return [];
  return [
    new Problem(`${label} is ${step.function}, which runs in Python, and there is none on the PATH`, {
      remedy: pythonRemedy(step),
      where: step.where,
    }),
  ];
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
