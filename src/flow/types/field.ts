import type { Json, JsonObject } from '@slipway/prefect/json';
import { type CallValue, isExternal, type Value } from '../value.ts';
import { CONSTRAINTS, type Constraint, constrain } from './constraint.ts';
import { encodeValue } from './encode.ts';
import { ANY, isTitled, NotKnown, type Type } from './type.ts';

/** What `Field(…)` says, with only the attributes that were given. */
export interface FieldInfo {
  readonly default?: Value;
  readonly factory?: Value;
  readonly constraints: readonly Constraint[];
  readonly discriminator?: string;
  /** title, description, examples, deprecated. */
  readonly json: JsonObject;
  /** json_schema_extra. */
  readonly extra: JsonObject;
  /** The name a value is given under: validation_alias, else alias. */
  readonly alias?: string;
  /** The name a default is written under: serialization_alias, else alias. */
  readonly writtenAlias?: string;
  /** Never written with the model. */
  readonly excluded?: true;
}

export const NO_FIELD: FieldInfo = { constraints: [], json: {}, extra: {} };

/** Keywords of `Field` that leave the JSON schema as it is. */
const SILENT: ReadonlySet<string> = new Set([
  'alias_priority',
  'frozen',
  'validate_default',
  'repr',
  'init',
  'init_var',
  'kw_only',
]);

/** True for a call of `pydantic.Field`. */
export function isField(value: Value | undefined): value is CallValue {
  return value?.kind === 'call' && isExternal(value.callee, 'pydantic.Field');
}

/**
 * Reads a call of `Field`.
 *
 * @throws NotKnown when an argument that shows in the schema is computed.
 */
export function readField(call: CallValue): FieldInfo {
  if (!call.complete) throw new NotKnown('the arguments of Field(…) are computed');
  const [first] = call.args;
  const given = new Map(call.keywords);
  if (first !== undefined) given.set('default', first);
  return readFieldArguments(given);
}

/** The same from a mapping of arguments, e.g. a dataclass field's metadata. */
export function readFieldArguments(given: ReadonlyMap<string, Value>): FieldInfo {
  const constraints: Constraint[] = [];
  const json: JsonObject = {};
  let extra: JsonObject = {};
  const unnamed: JsonObject = {};
  const rest: { -readonly [K in keyof FieldInfo]?: FieldInfo[K] } = {};
  for (const [name, value] of given) {
    if (SILENT.has(name)) continue;
    if (name === 'default') {
      if (value.kind !== 'ellipsis') rest.default = value;
    } else if (value.kind === 'none') {
      // None is the same as not given for everything else, but it does take back a description or title.
    } else if (name === 'default_factory') rest.factory = value;
    else if (CONSTRAINTS.has(name)) constraints.push({ name, value: constant(value) });
    else if (name === 'title' || name === 'description') json[name] = constant(value);
    else if (name === 'examples') json[name] = constant(value);
    else if (name === 'deprecated') {
      if (constant(value) !== false) json[name] = true;
    } else if (name === 'exclude') {
      if (constant(value) !== false) rest.excluded = true;
    } else if (name === 'json_schema_extra') extra = mapping(value);
    else if (name === 'discriminator') rest.discriminator = text(value);
    else if (name === 'alias') {
      rest.alias ??= text(value);
      rest.writtenAlias ??= text(value);
    } else if (name === 'validation_alias') rest.alias = aliasOf(value);
    else if (name === 'serialization_alias') rest.writtenAlias = text(value);
    else if (name === 'field_title_generator') throw new NotKnown('a title is made by a function');
    else unnamed[name] = constant(value);
  }
  return { constraints, json, extra: Object.keys(extra).length > 0 ? extra : unnamed, ...rest };
}

function aliasOf(value: Value): string {
  if (value.kind === 'call' && isExternal(value.callee, 'pydantic.AliasChoices', 'pydantic.aliases.AliasChoices')) {
    const first = value.args.find((choice) => choice.kind === 'str');
    if (first !== undefined) return text(first);
  }
  return text(value);
}

function text(value: Value): string {
  if (value.kind !== 'str') throw new NotKnown('an argument of Field(…) is computed');
  return value.value;
}

function mapping(value: Value): JsonObject {
  const json = value.kind === 'dict' ? constant(value) : undefined;
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new NotKnown('json_schema_extra is computed');
  return json as JsonObject;
}

/** A constant as JSON. */
export function constant(value: Value): Json {
  const json = encodeValue(value, () => {
    throw new NotKnown('an argument is computed');
  });
  if (json === undefined) throw new NotKnown('an argument is no JSON');
  return json;
}

/** The later of two descriptions of one field wins, attribute by attribute; constraints add up. */
export function mergeFields(base: FieldInfo, over: FieldInfo): FieldInfo {
  return {
    ...base,
    ...over,
    constraints: [...base.constraints, ...over.constraints],
    json: { ...base.json, ...over.json },
    extra: { ...base.extra, ...over.extra },
  };
}

/** annotated_types: constructor → the constraints its arguments are. */
const ANNOTATED_TYPES: Readonly<Record<string, readonly string[]>> = {
  Gt: ['gt'],
  Ge: ['ge'],
  Lt: ['lt'],
  Le: ['le'],
  MultipleOf: ['multiple_of'],
  MinLen: ['min_length'],
  MaxLen: ['max_length'],
  Len: ['min_length', 'max_length'],
  Interval: ['gt', 'ge', 'lt', 'le'],
};

const NO_EFFECT = [
  'typing.Doc',
  'annotated_types.doc',
  'annotated_types.Predicate',
  'annotated_types.Unit',
  'pydantic.Strict',
  'pydantic.AllowInfNan',
  'pydantic.PlainSerializer',
  'pydantic.WrapSerializer',
  'pydantic.SerializeAsAny',
  'pydantic.FailFast',
];

/**
 * What one piece of `Annotated` metadata makes of a type (`Field` itself is merged by its reader).
 *
 * @throws NotKnown for metadata that may define its own schema.
 */
export function applyMetadata(type: Type, metadata: Value): Type {
  if (metadata.kind === 'external') {
    if (NO_EFFECT.includes(metadata.name) || metadata.name.startsWith('builtins.')) return type;
    throw new NotKnown(`what ${metadata.name} does to a type`);
  }
  if (metadata.kind !== 'call') {
    if (metadata.kind === 'unknown' || metadata.kind === 'undefined' || metadata.kind === 'class') {
      throw new NotKnown('metadata of Annotated is computed');
    }
    return type;
  }
  const callee = metadata.callee.kind === 'external' ? metadata.callee.name : '';
  if (NO_EFFECT.includes(callee)) return type;
  if (!metadata.complete) throw new NotKnown('metadata of Annotated is computed');
  const constraints =
    ANNOTATED_TYPES[callee.startsWith('annotated_types.') ? callee.slice('annotated_types.'.length) : ''];
  if (constraints !== undefined) return applyConstraints(type, constraintsOf(metadata, constraints));
  if (callee === 'pydantic.StringConstraints') {
    return applyConstraints(type, constraintsOf(metadata, [...CONSTRAINTS]));
  }
  if (metadata.keywords.has('json_schema_input_type')) throw new NotKnown('a validator names its own input type');
  if (
    callee === 'pydantic.BeforeValidator' ||
    callee === 'pydantic.AfterValidator' ||
    callee === 'pydantic.WrapValidator'
  ) {
    return { kind: 'function', inner: type };
  }
  if (callee === 'pydantic.PlainValidator') return { kind: 'function', inner: ANY };
  if (callee === 'pydantic.WithJsonSchema' || callee === 'pydantic.json_schema.WithJsonSchema') {
    const json = mapping(metadata.args[0] ?? metadata.keywords.get('json_schema') ?? { kind: 'none' });
    return { kind: 'plain', json, limits: 'none', untitled: !isTitled(type) };
  }
  throw new NotKnown(`what ${callee === '' ? 'metadata of Annotated' : callee} does to a type`);
}

function constraintsOf(call: CallValue, names: readonly string[]): Constraint[] {
  return names.flatMap((name, index) => {
    const value = call.args[index] ?? call.keywords.get(name);
    return value === undefined || value.kind === 'none' ? [] : [{ name, value: constant(value) }];
  });
}

/** Lays constraints on a type in order. */
export function applyConstraints(type: Type, constraints: readonly Constraint[]): Type {
  return constraints.reduce(constrain, type);
}
