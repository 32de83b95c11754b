import { isJsonObject, type Json, type JsonObject } from '@slipway/prefect/json';
import { unresolved } from '@slipway/prefect/template';
import { validateParameters } from '@slipway/prefect/workpool';
import type { Flow } from '../flow/index.ts';
import { Problem } from '../problem.ts';
import { placeOf } from '../project/place.ts';
import { isUnknown } from '../steps/foresight.ts';
import type { Configuration } from './configuration.ts';
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
    return problemsOf(desired.name, desired, { parameters: known(parameters), schema }, occasion);
  });
}

/**
 * The same before a step runs, for flows whose schema is exact and values that wait for no step: a wrong parameter must not
 * cost a build.
 *
 * @param flows of the configurations, in their order; undefined where one could not be read.
 * @param isEnforced tells whether the server checks a deployment's parameters; undefined: there is none yet. Only asked
 *   when something is wrong and the file does not say.
 */
export async function checkKnownParameters(
  configurations: readonly Configuration[],
  flows: readonly (Flow | undefined)[],
  isEnforced: (flow: string, deployment: string) => Promise<boolean | undefined>,
): Promise<Problem[]> {
  const found: Problem[] = [];
  for (const [index, { entry, name, settings }] of configurations.entries()) {
    const flow = flows[index];
    const { parameters, enforce_parameter_schema: enforce } = settings;
    if (flow?.parameters.kind !== 'exact' || !isJsonObject(parameters) || enforce === false) continue;
    const resolved = Object.fromEntries(Object.entries(known(parameters)).filter(([, value]) => !isOpen(value)));
    const problems = problemsOf(
      `${flow.name}/${name}`,
      entry,
      { parameters: resolved, schema: flow.parameters.schema },
      'update',
    );
    if (problems.length === 0) continue;
    if (enforce === true || (await isEnforced(flow.name, name)) !== false) found.push(...problems);
  }
  return found;
}

function isOpen(value: Json): boolean {
  return unresolved(value).length > 0;
}

function problemsOf(
  deployment: string,
  places: Parameters<typeof placeOf>[0],
  { parameters, schema }: { readonly parameters: JsonObject; readonly schema: JsonObject },
  occasion: 'create' | 'update',
): Problem[] {
  return validateParameters(schema, parameters, occasion).map(
    ({ path, message }) =>
      new Problem(`deployment ${deployment}: parameter ${path === '' ? '' : `${path} `}${message}`, {
        where: placeOf(places, path === '' ? 'parameters' : `parameters.${path.replaceAll(/\[(\d+)\]/g, '.$1')}`),
        remedy:
          'Correct it in prefect.yaml, or change the flow’s annotation; `enforce_parameter_schema: false` lets everything pass.',
      }),
  );
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
