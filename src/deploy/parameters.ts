import { isJsonObject, type Json, type JsonObject } from '@slipway/prefect/json';
import { validateParameters } from '@slipway/prefect/workpool';
import { Problem } from '../problem.ts';
import { isUnknown } from '../steps/foresight.ts';
import { placeOf } from './configuration.ts';
import type { Plan, PlannedDeployment } from './model.ts';

/**
 * Parameters of the deployments that are to be written against the schema they will have, as the server checks them
 * (contracts/deploy.md §3.6; design.md, difference 2). A parameter whose type is not known takes every value, so what
 * is refused here is certain; so are left out values that only a deploy or the server itself can know.
 */
export function checkParameters(plan: Plan): Problem[] {
  return plan.deployments.flatMap((planned) => {
    if (planned.action === 'unchanged' || !isEnforced(planned)) return [];
    const { desired } = planned;
    const { parameters, parameter_openapi_schema: schema } = desired.fields;
    const occasion = planned.action === 'create' ? 'create' : 'update';
    return validateParameters(schema, known(parameters), occasion).map(
      ({ path, message }) =>
        new Problem(`deployment ${desired.name}: parameter ${path === '' ? '' : `${path} `}${message}`, {
          where: placeOf(desired, path === '' ? 'parameters' : `parameters.${path.replaceAll(/\[(\d+)\]/g, '.$1')}`),
          remedy:
            'Correct it in prefect.yaml, or change the flow’s annotation; `enforce_parameter_schema: false` lets everything pass.',
        }),
    );
  });
}

function isEnforced(planned: PlannedDeployment): boolean {
  const stored = planned.action === 'create' ? true : planned.actual.enforce_parameter_schema;
  return planned.desired.fields.enforce_parameter_schema ?? stored ?? true;
}

/** Without what only a deploy or the server itself can know. */
export function known(parameters: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(parameters).filter(([, value]) => !isUnknown(value) && !isForServer(value)));
}

/** Templates and variables that the server fills in (contracts/deploy.md §3.6). */
function isForServer(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.some(isForServer);
  return isJsonObject(value) && ('__prefect_kind' in value || Object.values(value).some(isForServer));
}
