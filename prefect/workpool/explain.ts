import type { ErrorObject } from 'ajv/dist/2020.js';
import { findPlaceholders } from '../template/index.ts';

/** What is wrong with one job variable or parameter. */
export interface JobVariableProblem {
  /** Where, below the job variables or parameters: `image`, `env.A`, `volumes[0].name`; empty for all of them together. */
  readonly path: string;
  /** A predicate on that place: `is an integer, but must be a string or null`. Never holds the value. */
  readonly message: string;
}

/**
 * Turns the errors of a schema check into one line for each thing to mend: of the errors inside an `anyOf` or `oneOf`
 * only those that tell more than "fits no alternative" are kept.
 *
 * @param by whose schema it is.
 */
export function explainErrors(errors: readonly ErrorObject[], by = 'the work pool’s template'): JobVariableProblem[] {
  let kept: ErrorObject[] = [];
  for (const error of errors) {
    if (error.keyword !== 'anyOf' && error.keyword !== 'oneOf') {
      kept.push(error);
      continue;
    }
    const inside = kept.filter((one) => isInside(one, error));
    const telling = inside.filter((one) => tellsMore(one, error));
    kept = kept.filter((one) => !inside.includes(one));
    kept.push(...(telling.length > 0 ? telling : [error]));
  }
  const problems = kept.map((error) => explain(error, by));
  return problems.filter(
    (problem, index) =>
      problems.findIndex((one) => one.path === problem.path && one.message === problem.message) === index,
  );
}

function isInside(error: ErrorObject, combination: ErrorObject): boolean {
  const { instancePath } = combination;
  return error.instancePath === instancePath || error.instancePath.startsWith(`${instancePath}/`);
}

/** Deeper in the value, or naming a key that lacks; that a block reference would also do is no news. */
function tellsMore(error: ErrorObject, combination: ErrorObject): boolean {
  if (error.instancePath.length > combination.instancePath.length) return true;
  return error.keyword === 'required' && error.params.missingProperty !== '$ref';
}

function explain(error: ErrorObject, by: string): JobVariableProblem {
  if (error.keyword === 'additionalProperties' || error.keyword === 'unevaluatedProperties') {
    const key = String(error.params.additionalProperty ?? error.params.unevaluatedProperty);
    return { path: pathOf([...segments(error), key]), message: `is not allowed by ${by}` };
  }
  return { path: pathOf(segments(error)), message: messageOf(error, by) };
}

function messageOf(error: ErrorObject, by: string): string {
  if (error.keyword === 'required') return `must have ${JSON.stringify(error.params.missingProperty)}`;
  const expected = expectationOf(error);
  if (expected === undefined) return error.message ?? `is not allowed by ${by}`;
  const found = error.keyword === 'enum' || error.keyword === 'const' ? '' : `is ${kindOf(error.data)}, but `;
  const template = typeof error.data === 'string' && findPlaceholders(error.data).length > 0;
  return `${found}must be ${expected}${template ? ' (a placeholder counts as a string, whatever it becomes)' : ''}`;
}

function expectationOf(error: ErrorObject): string | undefined {
  if (error.keyword === 'type') return describe({ type: error.params.type });
  if (error.keyword === 'enum') return describe({ enum: error.params.allowedValues });
  if (error.keyword === 'const') return describe({ enum: [error.params.allowedValue] });
  const alternatives: unknown = error.schema;
  const isCombination = error.keyword === 'anyOf' || error.keyword === 'oneOf';
  return isCombination && Array.isArray(alternatives)
    ? [...new Set(alternatives.map(describe))].join(' or ')
    : undefined;
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  integer: 'an integer',
  number: 'a number',
  boolean: 'a boolean',
  object: 'a mapping',
  array: 'a list',
  null: 'null',
};

/** What a schema asks for, in a few words. */
function describe(schema: unknown): string {
  if (typeof schema !== 'object' || schema === null) return 'something else';
  if ('enum' in schema && Array.isArray(schema.enum)) {
    const values = schema.enum.map((value) => JSON.stringify(value));
    return values.length === 1 ? `${values[0]}` : `one of ${values.join(', ')}`;
  }
  if ('$ref' in schema && typeof schema.$ref === 'string') return `a ${schema.$ref.split('/').at(-1)}`;
  if ('type' in schema) {
    const types: unknown[] = Array.isArray(schema.type) ? schema.type : [schema.type];
    return types.map((type) => TYPES[String(type)] ?? String(type)).join(' or ');
  }
  return 'title' in schema && typeof schema.title === 'string' ? `a ${schema.title}` : 'something else';
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a number';
  return TYPES[typeof value] ?? 'something else';
}

function segments(error: ErrorObject): string[] {
  return error.instancePath
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function pathOf(keys: readonly string[]): string {
  return keys.reduce((path, key) => (/^\d+$/.test(key) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`), '');
}
