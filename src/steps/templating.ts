import { isJsonObject, type JsonObject } from '@slipway/prefect/json';
import { applyValues, resolveReferences, TemplateError } from '@slipway/prefect/template';
import { Problem } from '../problem.ts';
import type { StepSpec } from '../project/model.ts';
import type { PrepareContext, StepOutputs } from './model.ts';
import { stepLabel } from './step-problem.ts';

/**
 * A step's inputs with every placeholder filled in: step outputs, blocks, variables, environment, in that order; what
 * has no value is removed (contracts/deploy.md §1.10, "Inside a step's inputs"; prefect/deployments/steps/core.py
 * `run_step`). Texts that come out of blocks are masked from then on.
 *
 * @throws Problem for a block that does not exist.
 */
export async function fillInputs(
  step: StepSpec,
  inputs: JsonObject,
  outputs: StepOutputs,
  env: Readonly<Record<string, string>>,
  context: PrepareContext,
): Promise<JsonObject> {
  const withOutputs = applyValues(inputs, outputs, { env, missing: 'remove' });
  try {
    const resolved = await resolveReferences(withOutputs, context.readers, {
      onSecret: (text) => context.world.log.mask(text),
    });
    return isJsonObject(resolved) ? applyValues(resolved, { ...env }, { env, missing: 'remove' }) : {};
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new Problem(`the step ${stepLabel(step)} refers to something that is not there: ${error.message}`, {
      remedy: 'Correct the reference in prefect.yaml, or create what it names.',
      where: step.where,
      cause: error,
    });
  }
}

/** What the runner gives to the action alone; a step run by Prefect's CLI in a `run:` line would not see it. */
const OWN_VARIABLES = /^(?:INPUT_.*|STATE_.*|ACTIONS_RUNTIME_TOKEN)$/;

/** The job's environment for steps and their templates. */
export function stepEnvironment(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !OWN_VARIABLES.test(name)));
}
