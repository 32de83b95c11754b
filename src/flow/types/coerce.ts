import type { Json, JsonObject } from '@slipway/prefect/json';
import { sameValue, type Value } from '../value.ts';
import { type Encoded, type EncodeInstance, encodeValue } from './encode.ts';
import { NotKnown, type Type } from './type.ts';

/**
 * What a validated field holds when it is given a value, in JSON. Only values that a type takes as they are (or, an
 * int for a float, with a change that is known) are followed.
 *
 * @throws NotKnown for a value that validation would convert.
 */
export function coerce(type: Type, value: Value, instance: EncodeInstance): Encoded {
  const inner = (part: Type, item: Value): Encoded => coerce(part, item, instance);
  switch (type.kind) {
    case 'any':
      return encodeValue(value, instance);
    case 'plain':
      return plainValue(type.json, value, instance);
    case 'with':
      return inner(type.inner, value);
    case 'nullable':
      return value.kind === 'none' ? null : inner(type.inner, value);
    case 'literal':
      if (type.values.some((constant) => sameValue(constant, value))) return encodeValue(value, instance);
      break;
    case 'array':
      if (value.kind === 'list' && type.json.uniqueItems === undefined)
        return list(value.items.map((item) => optional(type.items, item)));
      break;
    case 'dict':
      if (value.kind === 'dict') return dict(value.entries);
      break;
    case 'union':
      return firstFitting(type.choices, value);
    case 'definition':
      if (isInstance(type, value)) return encodeValue(value, instance);
      break;
    default:
  }
  throw new NotKnown('a value that is converted when it is validated');

  function optional(part: Type | undefined, item: Value): Encoded {
    return part === undefined ? encodeValue(item, instance) : inner(part, item);
  }

  function dict(entries: readonly (readonly [Value, Value])[]): Encoded {
    const out: JsonObject = {};
    for (const [key, item] of entries) {
      if (key.kind !== 'str' || type.kind !== 'dict') throw new NotKnown('a dict key that is converted');
      const encoded = optional(type.values, item);
      if (encoded === undefined) return undefined;
      out[key.value] = encoded;
    }
    return out;
  }

  function firstFitting(choices: readonly Type[], of: Value): Encoded {
    for (const choice of choices) {
      try {
        return inner(choice, of);
      } catch (error) {
        if (!(error instanceof NotKnown)) throw error;
      }
    }
    throw new NotKnown('a value for a union');
  }
}

function list(items: readonly Encoded[]): Encoded {
  const known = items.filter((item): item is Json => item !== undefined);
  return known.length === items.length ? known : undefined;
}

const EXACT: Readonly<Record<string, readonly Value['kind'][]>> = {
  integer: ['int'],
  boolean: ['bool'],
  null: ['none'],
};

function plainValue(json: JsonObject, value: Value, instance: EncodeInstance): Encoded {
  const { type, format } = json;
  if (typeof type === 'string' && EXACT[type]?.includes(value.kind)) return encodeValue(value, instance);
  if (type === 'number' && value.kind === 'float') return encodeValue(value, instance);
  if (type === 'number' && value.kind === 'int')
    return encodeValue({ kind: 'float', value: Number(value.value) }, instance);
  if (type === 'string' && format === undefined && value.kind === 'str') return value.value;
  // An object of the type itself, e.g. datetime.date(2024, 1, 2), stays what it is.
  if (type === 'string' && format !== undefined && value.kind === 'call') return encodeValue(value, instance);
  throw new NotKnown('a value that is converted when it is validated');
}

function isInstance(type: Type & { kind: 'definition' }, value: Value): boolean {
  const of = type.definition.class;
  if (of === undefined) return false;
  if (value.kind === 'attribute') return value.of.kind === 'class' && value.of.class.statement === of.statement;
  if (value.kind !== 'call') return false;
  const callee = value.callee.kind === 'subscript' ? value.callee.of : value.callee;
  return callee.kind === 'class' && callee.class.statement === of.statement;
}
