import { isJsonObject, type JsonObject } from '../json.ts';
import { explainErrors, type JobVariableProblem } from './explain.ts';
import { compileSchema, type Occasion, type SchemaCheck, schemaDefect } from './schema.ts';

/**
 * Checks job variables of a deployment against a pool's base job template as the server does (contracts/deploy.md §4.5,
 * §5.3, §5.5; server/api/validation.py and `DeploymentUpdate.check_valid_configuration` of prefect 3.8.8): `required`
 * is ignored, unknown keys pass unless the template forbids them, dotted keys pass, optional variables may be null.
 *
 * @param template the pool's `base_job_template`; `{}` accepts everything. Must not be changed between calls.
 * @param occasion the two requests differ: what a first deploy accepts, a later one may refuse.
 * @returns what the server would refuse, nothing when it would accept.
 */
export function validateJobVariables(
  template: JsonObject,
  jobVariables: JsonObject,
  occasion: Occasion = 'create',
): JobVariableProblem[] {
  const schema = template.variables;
  if (!isJsonObject(schema) || Object.keys(schema).length === 0 || Object.keys(jobVariables).length === 0) return [];
  if (occasion === 'create') {
    const defect = schemaDefect(schema);
    if (defect !== undefined)
      return [{ path: '', message: `cannot be checked, as the template’s variables are no JSON Schema: ${defect}` }];
  }
  const check = compileSchema(schema, occasion);
  if (check === undefined) return [];
  const defaults = occasion === 'create' ? validDefaults(schema, check) : {};
  return explainErrors(check({ ...defaults, ...jobVariables }));
}

/**
 * Checks the job variables of an automation's run as the server does when the automation is made
 * (server/api/validation.py `validate_job_variables_for_run_deployment_action`): as those of a deployment, and what the
 * template requires has to be there, be it by a default. What the deployment itself sets does not count.
 */
export function validateRunVariables(template: JsonObject, jobVariables: JsonObject): JobVariableProblem[] {
  const found = validateJobVariables(template, jobVariables, 'create');
  const schema = template.variables;
  if (!isJsonObject(schema) || !Array.isArray(schema.required) || Object.keys(jobVariables).length === 0) return found;
  const check = compileSchema(schema, 'create');
  const defaults = check === undefined ? {} : validDefaults(schema, check);
  // With a default that is wrong the server cannot tell what is missing, and asks for nothing.
  if (Object.keys(defaults).length < defaultsOf(schema).length) return found;
  const missing = schema.required.filter((name) => !(String(name) in { ...defaults, ...jobVariables }));
  return [...found, ...missing.map((name) => ({ path: String(name), message: 'is required by the template' }))];
}

/**
 * Checks the defaults of a template's variables, as the server does when a pool is created, but not when it is updated
 * (contracts/deploy.md §5.3). A default that refers to a block is left to the server, which reads the block.
 *
 * @param names the variables to look at, all when left out.
 */
export function validateDefaults(template: JsonObject, names?: readonly string[]): JobVariableProblem[] {
  const schema = template.variables;
  const check = isJsonObject(schema) ? compileSchema(schema, 'create') : undefined;
  if (!isJsonObject(schema) || check === undefined) return [];
  return defaultsOf(schema)
    .filter(([name]) => names?.includes(name) ?? true)
    .flatMap(([name, value]) => explainErrors(check(Object.fromEntries([[name, value]]))));
}

function validDefaults(schema: JsonObject, check: SchemaCheck): JsonObject {
  return Object.fromEntries(
    defaultsOf(schema).filter(([name, value]) => check(Object.fromEntries([[name, value]])).length === 0),
  );
}

function defaultsOf(schema: JsonObject) {
  return Object.entries(isJsonObject(schema.properties) ? schema.properties : {}).flatMap(([name, property]) => {
    if (!isJsonObject(property) || property.default === undefined) return [];
    const isReference = isJsonObject(property.default) && '$ref' in property.default;
    return isReference ? [] : [[name, property.default] as const];
  });
}
