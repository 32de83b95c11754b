import { resolve } from 'node:path';
import * as z from 'zod';
import { findPython } from './find-python.ts';
import { KNOWN_AT_DEPLOY } from './foresight.ts';
import type { StepFunction } from './model.ts';
import { checkDirectory, runStreaming } from './run-process.ts';
import { lastLines } from './run-shell-script.ts';
import { strip } from './script-text.ts';
import { readInputs, stepProblem } from './step-problem.ts';

const Inputs = z.object({
  directory: z.string().nullish(),
  requirements_file: z.string().nullish(),
  stream_output: z.boolean().nullish(),
});

const NO_PYTHON =
  'Set Python up in a workflow step before (actions/setup-python), or move the step to `pull:`, where the worker runs it.';

/**
 * `prefect.deployments.steps.pip_install_requirements` (contracts/deploy.md §2.6), with the Python on the PATH: `python`
 * as actions/setup-python gives it, else `python3`.
 */
export const pipInstallRequirements: StepFunction = {
  inputs: ['directory', 'requirements_file', 'stream_output'],
  required: [],
  async run(step) {
    const inputs = readInputs(step, Inputs);
    if (step.context.mode === 'plan') {
      step.context.world.log.info('Not run in plan mode, as it writes: its outputs are known at deploy.');
      return { outputs: { stdout: KNOWN_AT_DEPLOY, stderr: KNOWN_AT_DEPLOY } };
    }
    const directory = resolve(step.directory, inputs.directory ?? '.');
    await checkDirectory(step, directory);
    const file = inputs.requirements_file ?? 'requirements.txt';
    const python = await findPython(step.env, step.context.world.files.exists);
    if (python === undefined) throw stepProblem(step, 'needs Python, which is not on the PATH', NO_PYTHON);
    const result = await runStreaming(step, [python, '-m', 'pip', 'install', '-r', file], {
      directory,
      env: step.env,
      isSilent: inputs.stream_output === false,
      whenMissing: NO_PYTHON,
    });
    if (result.exitCode !== 0) {
      throw stepProblem(
        step,
        `failed with exit code ${result.exitCode}: ${lastLines(result.stderr)}`,
        `Mend ${file}, or what pip needs to reach its index; nothing has been deployed.`,
      );
    }
    return { outputs: { stdout: strip(result.stdout), stderr: strip(result.stderr) } };
  },
};
