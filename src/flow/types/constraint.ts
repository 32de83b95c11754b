import type { Json, JsonObject } from '@slipway/prefect/json';
import { NotKnown, type Type } from './type.ts';

/** A constraint as `Field`, `annotated_types` and the `con…` functions name it. */
export interface Constraint {
  readonly name: string;
  readonly value: Json;
}

const NUMBER: Readonly<Record<string, string>> = {
  gt: 'exclusiveMinimum',
  ge: 'minimum',
  lt: 'exclusiveMaximum',
  le: 'maximum',
  multiple_of: 'multipleOf',
};
const TEXT: Readonly<Record<string, string>> = { min_length: 'minLength', max_length: 'maxLength', pattern: 'pattern' };
const ARRAY: Readonly<Record<string, string>> = { min_length: 'minItems', max_length: 'maxItems' };
const OBJECT: Readonly<Record<string, string>> = { min_length: 'minProperties', max_length: 'maxProperties' };

/** Constraints that change how a value is checked and leave the JSON schema as it is. */
const SILENT: ReadonlySet<string> = new Set([
  'strict',
  'allow_inf_nan',
  'coerce_numbers_to_str',
  'strip_whitespace',
  'to_lower',
  'to_upper',
  'ascii_only',
  'union_mode',
  'fail_fast',
]);

/** Constraints that are known at all. */
export const CONSTRAINTS: ReadonlySet<string> = new Set([
  ...Object.keys(NUMBER),
  ...Object.keys(TEXT),
  ...SILENT,
  'max_digits',
  'decimal_places',
]);

/**
 * Lays a constraint on a type, as pydantic's apply_known_metadata does: a keyword where the type has one for it,
 * otherwise a validator around the type that shows under the constraint's own name.
 *
 * @throws NotKnown where pydantic does something that is not followed.
 */
export function constrain(type: Type, constraint: Constraint): Type {
  const { name, value } = constraint;
  if (SILENT.has(name)) return type;
  switch (type.kind) {
    case 'nullable':
      return { kind: 'nullable', inner: constrain(type.inner, constraint) };
    case 'with':
      // A description is no type of its own; a validator that shows its constraint is.
      if (type.inner.kind !== 'function') return { ...type, inner: constrain(type.inner, constraint) };
      break;
    case 'plain': {
      if (type.limits === 'silent' && NUMBER[name] !== undefined) return type;
      const keyword =
        type.limits === 'number'
          ? NUMBER[name]
          : type.limits === 'none' || type.limits === 'silent'
            ? undefined
            : TEXT[name];
      if (keyword !== undefined && !(type.limits === 'bytes' && name === 'pattern'))
        return withJson(type, keyword, value);
      break;
    }
    case 'number or text':
      if (name === 'max_digits' || name === 'decimal_places') return type;
      if (NUMBER[name] !== undefined) return withJson(type, NUMBER[name], value);
      break;
    case 'array':
    case 'tuple':
      if (ARRAY[name] !== undefined) return withJson(type, ARRAY[name], value);
      break;
    case 'dict':
      if (OBJECT[name] !== undefined) return withJson(type, OBJECT[name], value);
      break;
    case 'definition':
      if (type.definition.name.includes('[')) throw new NotKnown(`what ${name} does to ${type.definition.name}`);
      break;
    default:
  }
  if (name === 'pattern') return type;
  return { kind: 'with', inner: { kind: 'function', inner: type }, json: { [ownKeyword(type, name)]: value } };
}

function withJson<T extends Type & { readonly json: JsonObject }>(type: T, keyword: string, value: Json): T {
  return { ...type, json: { ...type.json, [keyword]: value } };
}

/** The name under which a constraint shows that is checked by a validator of its own. */
function ownKeyword(type: Type, name: string): string {
  if (name !== 'min_length' && name !== 'max_length') return name;
  let inner = type;
  while (inner.kind === 'function' || inner.kind === 'with') inner = inner.inner;
  const keywords = inner.kind === 'array' && inner.list ? ARRAY : TEXT;
  return keywords[name] ?? name;
}
