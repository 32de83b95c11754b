import type { JsonObject } from '@slipway/prefect/json';
import { validateJobVariables } from '@slipway/prefect/workpool';
import { Problem } from '../problem.ts';
import { placeOf } from './configuration.ts';
import type { Actual, Desired, DesiredDeployment, Plan } from './model.ts';

/**
 * Everything about the desired state that the server would refuse, found before anything is written (design.md,
 * difference 2): job variables against the template their pool has or gets.
 */
export function checkDesired(desired: Desired, actual: Actual, plan: Plan): Problem[] {
  const templates = templatesAfter(actual, plan);
  return desired.deployments.flatMap((deployment) => checkJobVariables(deployment, templates, actual));
}

function templatesAfter(actual: Actual, plan: Plan): ReadonlyMap<string, JsonObject> {
  const templates = new Map([...actual.workPools].map(([name, { pool }]) => [name, pool.base_job_template]));
  for (const planned of plan.workPools) {
    if (planned.action === 'unchanged') continue;
    const template = planned.body.base_job_template;
    if (typeof template === 'object' && template !== null && !Array.isArray(template)) {
      templates.set(planned.name, template as JsonObject);
    }
  }
  return templates;
}

function checkJobVariables(
  deployment: DesiredDeployment,
  templates: ReadonlyMap<string, JsonObject>,
  actual: Actual,
): Problem[] {
  const template = templates.get(deployment.fields.work_pool_name);
  if (template === undefined) return [];
  return validateJobVariables(
    template,
    deployment.fields.job_variables,
    actual.deployments.has(deployment.name) ? 'update' : 'create',
  ).map(
    ({ path, message }) =>
      new Problem(`${deployment.name}: job variable ${path || '(all)'} ${message}`, {
        where: placeOf(deployment, `work_pool.job_variables${path === '' ? '' : `.${path}`}`),
        remedy: `Correct it for the base job template of work pool ${deployment.fields.work_pool_name}.`,
      }),
  );
}
