import type { ErrorObject } from 'ajv/dist/2020.js';
import type { JsonObject } from '../json.ts';
import { explainErrors, type JobVariableProblem } from './explain.ts';
import { compileSchema, type Occasion } from './schema.ts';

/**
 * Checks a deployment's parameters against its parameter schema as the server does (contracts/deploy.md §3.6):
 * `required` is ignored, parameters that the schema does not name pass, formats are not checked, and only a changed
 * deployment may have null for an optional parameter without a default.
 *
 * @param schema must not be changed between calls.
 * @returns what the server would certainly refuse; nothing for a schema that cannot be compiled here.
 */
export function validateParameters(
  schema: JsonObject,
  parameters: JsonObject,
  occasion: Occasion,
): JobVariableProblem[] {
  if (Object.keys(parameters).length === 0) return [];
  const check = compileSchema(schema, `${occasion} parameters`);
  return check === undefined ? [] : explainErrors(certain(check(parameters)), 'the flow’s parameter schema');
}

/**
 * Without what follows from a pattern that Python may read otherwise than JavaScript: its `\w` and `\d` know all of
 * Unicode, its `$` a last line break. A choice that hangs on such a pattern is not made here.
 */
function certain(errors: readonly ErrorObject[]): ErrorObject[] {
  const doubtful = errors.filter(({ keyword, data }) => keyword === 'pattern' && !/^[\x20-\x7e]*$/.test(String(data)));
  const open = errors.filter((error) => isChoice(error) && doubtful.some((one) => isBelow(one, error)));
  return errors.filter((error) => !doubtful.includes(error) && !open.some((choice) => isBelow(error, choice)));
}

function isBelow({ instancePath }: ErrorObject, above: ErrorObject): boolean {
  return instancePath === above.instancePath || instancePath.startsWith(`${above.instancePath}/`);
}

function isChoice({ keyword }: ErrorObject): boolean {
  return ['anyOf', 'oneOf', 'if', 'not', 'contains'].includes(keyword);
}
