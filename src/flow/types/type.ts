import type { JsonObject } from '@slipway/prefect/json';
import type { PythonClass, Value } from '../value.ts';

/**
 * A Python type as pydantic sees it, reduced to what decides its JSON schema (pydantic 2.14
 * _internal/_generate_schema.py and json_schema.py). `json` always holds keywords that are part of the schema already.
 */
export type Type =
  /** Accepts everything: Any, arbitrary classes under Prefect's schema generator. */
  | { readonly kind: 'any' }
  | { readonly kind: 'plain'; readonly json: JsonObject; readonly limits: Limits; readonly untitled?: boolean }
  /** Decimal and Fraction: a number within limits, or text. */
  | { readonly kind: 'number or text'; readonly json: JsonObject; readonly text: JsonObject }
  /** `list` tells lists and sequences from sets, deques and iterables. */
  | { readonly kind: 'array'; readonly items: Type | undefined; readonly list: boolean; readonly json: JsonObject }
  /** `rest` is the type of `...` when the length is open. */
  | {
      readonly kind: 'tuple';
      readonly items: readonly Type[];
      readonly rest: Type | undefined;
      readonly json: JsonObject;
    }
  | {
      readonly kind: 'dict';
      readonly keys: Type | undefined;
      readonly values: Type | undefined;
      readonly json: JsonObject;
    }
  | { readonly kind: 'union'; readonly choices: readonly Type[] }
  | { readonly kind: 'nullable'; readonly inner: Type }
  | { readonly kind: 'tagged'; readonly field: string; readonly choices: readonly (readonly [string, Type])[] }
  | { readonly kind: 'literal'; readonly values: readonly Value[] }
  | { readonly kind: 'definition'; readonly definition: Definition }
  /** Has no JSON schema: left out of a union, makes anything else around it accept everything. */
  | { readonly kind: 'callable' }
  /** A validator function around a type. */
  | { readonly kind: 'function'; readonly inner: Type }
  /** Keywords laid over a type's own; a title counts as one. */
  | { readonly kind: 'with'; readonly inner: Type; readonly json: JsonObject }
  | { readonly kind: 'default'; readonly inner: Type; readonly value: Value }
  /** JSON text whose content has a type. */
  | { readonly kind: 'json text'; readonly content: Type };

/** Which of pydantic's constraints a plain type takes: shown as keywords, taken without a trace, or not at all. */
export type Limits = 'number' | 'text' | 'bytes' | 'silent' | 'none';

/** A type with a name of its own under `definitions`. */
export interface Definition {
  /** The name before characters that JSON references do not like are replaced. */
  readonly name: string;
  /** What makes it this type and no other of the same name. */
  readonly identity: string;
  /** Its content; may refer to itself. */
  readonly content: (writer: Writer) => JsonObject;
  /** For tagged unions: the constants a field of it can have; undefined when it is no such field. */
  readonly tags?: (field: string) => readonly Value[] | undefined;
  /** The class behind it, to know its instances by. */
  readonly class?: PythonClass;
}

/** Writes the types inside a definition. */
export interface Writer {
  write(type: Type): JsonObject;
  writeField(type: Type, title: string | undefined): JsonObject;
}

/** Only the running code knows the type: the parameter accepts everything, and the schema is approximate. */
export class NotKnown extends Error {
  override readonly name = 'NotKnown';
}

/** Pydantic itself has no schema for the type: Prefect takes Any instead (utilities/callables), and so is exact. */
export class NoSchema extends Error {
  override readonly name = 'NoSchema';
}

/** Pydantic has a schema and cannot write it as JSON: a union leaves the choice out, anything else becomes Any. */
export class NoJsonSchema extends NoSchema {}

export const ANY: Type = { kind: 'any' };

export const NULL: Type = { kind: 'plain', json: { type: 'null' }, limits: 'none' };

/** A scalar type with its keywords. */
export function plain(json: JsonObject, limits: Limits = 'none'): Type {
  return { kind: 'plain', json, limits };
}

/** `X | None` and larger unions, flattened the way `typing.Union` does it. */
export function unionOf(types: readonly Type[]): Type {
  const choices = types.filter((type) => type !== NULL);
  const [only] = choices;
  if (only === undefined) return NULL;
  const inner: Type = choices.length === 1 ? only : { kind: 'union', choices };
  return choices.length === types.length ? inner : { kind: 'nullable', inner };
}

/** Things with a definition of their own bring their own title. */
export function isTitled(type: Type): boolean {
  switch (type.kind) {
    case 'definition':
      return false;
    case 'plain':
      return type.untitled !== true;
    case 'default':
    case 'nullable':
    case 'function':
    case 'with':
      return isTitled(type.inner);
    default:
      return true;
  }
}
