import { resolve } from 'node:path';
import * as z from 'zod';
import { isUnknown } from './foresight.ts';
import type { StepFunction } from './model.ts';
import { checkDirectory } from './run-process.ts';
import { readInputs } from './step-problem.ts';

const Inputs = z.object({ directory: z.string() });

/**
 * `prefect.deployments.steps.set_working_directory` (contracts/deploy.md §2.3): later steps of the deployment start from
 * there. The action's own directory does not change, so that the next deployment starts from the project again.
 */
export const setWorkingDirectory: StepFunction = {
  inputs: ['directory'],
  required: ['directory'],
  onlyReads: () => true,
  async run(step) {
    const { directory: written } = readInputs(step, Inputs);
    // What a step that does not run in plan mode would print or create cannot be looked at.
    if (isUnknown(written)) return { outputs: { directory: written } };
    const directory = resolve(step.directory, written);
    if (step.context.mode === 'deploy') await checkDirectory(step, directory);
    return { outputs: { directory }, directory };
  },
};
