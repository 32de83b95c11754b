import { isJsonObject, type Json, type JsonObject, sameJson } from '../json.ts';
import { findPlaceholders } from '../template/index.ts';
import { validateDefaults } from './job-variables.ts';
import { applyJsonPatch } from './patch.ts';
import { schemaDefect } from './schema.ts';

/** One reason why a base job template cannot be made or would be refused by the server. */
export interface TemplateProblem {
  /** Where in the customization: `['variables', 'namespace']`, `['patch', 2]`; empty for the template itself. */
  readonly at: readonly (string | number)[];
  readonly message: string;
}

/** A base job template cannot be made as asked; all reasons that were found, the first ones first. */
export class WorkPoolTemplateError extends Error {
  override readonly name = 'WorkPoolTemplateError';
  readonly problems: readonly TemplateProblem[];

  constructor(problems: readonly TemplateProblem[]) {
    super(problems.map((problem) => problem.message).join('\n'));
    this.problems = problems;
  }
}

export interface TemplateCustomization {
  /** New defaults of the template's variables; a mapping such as `env` replaces the former default as a whole. */
  readonly variables?: JsonObject;
  /** RFC 6902 operations on the whole template, carried out after the variables were set. */
  readonly patch?: readonly Json[];
}

/**
 * Makes a work pool's base job template from another one (design.md "Interface of the action", `work_pools:`). The
 * result is checked as the server checks templates (contracts/deploy.md §5.3), defaults only where they were changed,
 * as the server lets stored ones be. The template given is not changed.
 *
 * @throws WorkPoolTemplateError with everything that is wrong.
 */
export function customizeTemplate(template: JsonObject, customization: TemplateCustomization): JsonObject {
  const patch = customization.patch ?? [];
  const { withDefaults, problems } = setDefaults(template, customization.variables ?? {});
  const patched = applyJsonPatch(withDefaults, patch);
  if (!patched.ok) {
    const { index, path, message } = patched.failure;
    problems.push({ at: ['patch', index], message: `patch operation ${index} (path "${path}"): ${message}` });
  } else if (!isJsonObject(patched.document)) {
    problems.push({ at: ['patch'], message: 'the patch leaves no mapping: a base job template is one' });
  } else {
    problems.push(...checkTemplate(patched.document), ...changedDefaults(withDefaults, patched.document));
    if (problems.length === 0) return patched.document;
  }
  throw new WorkPoolTemplateError(problems);
}

/**
 * What the server refuses in a base job template, on creation as on update (contracts/deploy.md §5.3,
 * server/schemas/actions.py `validate_base_job_template`): a missing half, and placeholders anywhere in
 * `job_configuration` that are no variables. Also variables that are no JSON Schema, which it refuses on creation and
 * with every deployment. `{}` is accepted. Defaults are `validateDefaults`’ matter.
 */
export function checkTemplate(template: JsonObject): TemplateProblem[] {
  if (Object.keys(template).length === 0) return [];
  const { job_configuration: configuration, variables } = template;
  if (!isFilled(configuration) || !isFilled(variables)) {
    return [problem('a base job template must have both "job_configuration" and "variables", and neither empty')];
  }
  const declared = isJsonObject(variables.properties) ? variables.properties : {};
  const undeclared = [...new Set(placeholdersOf(configuration))].filter((name) => !Object.hasOwn(declared, name));
  const defect = schemaDefect(variables);
  return [
    ...(undeclared.length === 0 ? [] : [problem(undeclaredMessage(undeclared, declared))]),
    ...(defect === undefined ? [] : [problem(`the template’s "variables" are no JSON Schema: ${defect}`)]),
  ];
}

function setDefaults(template: JsonObject, variables: JsonObject) {
  const problems: TemplateProblem[] = [];
  const schema = isJsonObject(template.variables) ? template.variables : {};
  const properties = isJsonObject(schema.properties) ? schema.properties : {};
  const changed = new Map<string, JsonObject>();
  for (const [name, value] of Object.entries(variables)) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (isJsonObject(property)) changed.set(name, { ...property, default: value });
    else problems.push({ at: ['variables', name], message: unknownMessage(name, Object.keys(properties)) });
  }
  if (changed.size === 0) return { withDefaults: template, problems };
  const withDefaults = {
    ...template,
    variables: { ...schema, properties: mapProperties(properties, (name, property) => changed.get(name) ?? property) },
  };
  for (const name of changed.keys()) {
    for (const { path, message } of validateDefaults(withDefaults, [name])) {
      problems.push({ at: ['variables', name], message: `the default of "${path}" ${message}` });
    }
  }
  return { withDefaults, problems };
}

/** Defaults of variables that the patch added or changed. */
function changedDefaults(before: JsonObject, after: JsonObject): TemplateProblem[] {
  const former = propertiesOf(before);
  const changed = Object.entries(propertiesOf(after)).filter(
    ([name, property]) => !sameJson(Object.hasOwn(former, name) ? former[name] : undefined, property),
  );
  if (changed.length === 0) return [];
  return validateDefaults(
    after,
    changed.map(([name]) => name),
  ).map(({ path, message }) => ({
    at: ['patch'],
    message: `after the patch, the default of "${path}" ${message}`,
  }));
}

/** The names in a configuration as the server finds them: in its JSON text, where only ASCII is left. */
function placeholdersOf(configuration: JsonObject): string[] {
  return Object.values(configuration).flatMap((value) => {
    const text = JSON.stringify(value).replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);
    return findPlaceholders(text).map(({ name }) => name);
  });
}

function propertiesOf(template: JsonObject): JsonObject {
  return isJsonObject(template.variables) && isJsonObject(template.variables.properties)
    ? template.variables.properties
    : {};
}

function mapProperties(properties: JsonObject, change: (name: string, property: Json) => Json): JsonObject {
  return Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, change(name, property)]));
}

function isFilled(value: Json | undefined): value is JsonObject {
  return isJsonObject(value) && Object.keys(value).length > 0;
}

function problem(message: string): TemplateProblem {
  return { at: [], message };
}

function unknownMessage(name: string, known: readonly string[]): string {
  const list = known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`;
  return `the template has no variable "${name}": ${list}. A new variable and its place are added with "patch".`;
}

function undeclaredMessage(undeclared: readonly string[], declared: JsonObject): string {
  return (
    `"job_configuration" uses {{ ${undeclared.join(' }}, {{ ')} }}, but "variables.properties" has only ` +
    `${Object.keys(declared).join(', ') || 'nothing'}. Declare them there; blocks, variables, {{ $NAME }} and ` +
    '{{ ctx.… }} can only stand in defaults and job variables.'
  );
}
