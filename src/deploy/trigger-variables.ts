import { isJsonObject } from '@slipway/prefect/json';
import { validateRunVariables } from '@slipway/prefect/workpool';
import { Problem } from '../problem.ts';
import { isUnknown } from '../steps/foresight.ts';
import type { DesiredAutomations } from './automation.ts';
import type { ActualWorkPools, PlannedWorkPool } from './model.ts';
import { templatesAfter } from './validate.ts';

/**
 * Job variables of triggers against the template that their deployment's pool has or gets: what the server would
 * refuse once the deployment is written (contracts/deploy.md §4.7).
 */
export function checkTriggerVariables(
  desired: readonly DesiredAutomations[],
  actual: ActualWorkPools,
  planned: readonly PlannedWorkPool[],
): Problem[] {
  const templates = templatesAfter(actual, planned);
  return desired.flatMap(({ deployment, workPoolName, automations }) =>
    automations.flatMap(({ spec, where }) => {
      const template = templates.get(workPoolName);
      if (template === undefined || !isJsonObject(spec.job_variables)) return [];
      const known = Object.fromEntries(Object.entries(spec.job_variables).filter(([, value]) => !isUnknown(value)));
      return validateRunVariables(template, known).map(
        ({ path, message }) =>
          new Problem(`${deployment}: job variable ${path === '' ? '' : `${path} `}of a trigger ${message}`, {
            where,
            remedy: `Correct it for the base job template of work pool ${workPoolName}.`,
          }),
      );
    }),
  );
}
