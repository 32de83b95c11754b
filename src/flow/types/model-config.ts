import type { JsonObject } from '@slipway/prefect/json';
import { classScope } from '../attribute.ts';
import { attributeOf, evaluate } from '../evaluate.ts';
import { isExternal, type PythonClass, type Value } from '../value.ts';
import type { Ancestor } from './class-kind.ts';
import { constant } from './field.ts';
import { NotKnown, type Type } from './type.ts';

/** What a model's configuration means for its JSON schema. */
export interface ModelConfig {
  readonly title: string | undefined;
  readonly extra: 'allow' | 'forbid' | undefined;
  readonly schemaExtra: JsonObject;
  /** Keywords that every text field of the model has. */
  readonly text: JsonObject;
  /** False: fields are given under their own names only. */
  readonly byAlias: boolean;
  readonly alias: ((name: string) => string) | undefined;
}

/** Settings that leave the JSON schema as it is. */
const SILENT: ReadonlySet<string> = new Set(
  (
    'arbitrary_types_allowed frozen validate_assignment populate_by_name validate_by_name use_enum_values validate_default ' +
    'strict str_strip_whitespace str_to_lower str_to_upper from_attributes protected_namespaces hide_input_in_errors ' +
    'revalidate_instances defer_build coerce_numbers_to_str regex_engine validation_error_cause cache_strings ' +
    'plugin_settings loc_by_alias json_schema_mode_override json_schema_serialization_defaults_required orm_mode ' +
    'allow_population_by_field_name serialize_by_alias allow_inf_nan ignored_types'
  ).split(' '),
);

/**
 * The configuration of a model or pydantic dataclass, its bases' included.
 *
 * @param lineage the class's ancestry, farthest first.
 * @throws NotKnown for a setting that shows in the schema and is computed.
 */
export function readConfig(lineage: readonly Ancestor[], own: ReadonlyMap<string, Value> = new Map()): ModelConfig {
  const settings = new Map<string, Value>();
  for (const { class: of } of lineage) {
    for (const [name, value] of [...configOf(of), ...keywordsOf(of)]) settings.set(name, value);
  }
  for (const [name, value] of own) settings.set(name, value);
  const text: JsonObject = {};
  let config: ModelConfig = {
    title: undefined,
    extra: undefined,
    schemaExtra: {},
    text,
    byAlias: true,
    alias: undefined,
  };
  for (const [name, value] of settings) {
    if (SILENT.has(name) || value.kind === 'none') continue;
    if (name === 'use_attribute_docstrings' && value.kind === 'bool' && !value.value) continue;
    if (name === 'title') config = { ...config, title: textOf(value) };
    else if (name === 'extra') config = { ...config, extra: extraOf(textOf(value)) };
    else if (name === 'json_schema_extra') config = { ...config, schemaExtra: mapping(value) };
    else if (name === 'str_min_length') {
      if (value.kind !== 'int' || value.value !== 0n) text.minLength = constant(value);
    } else if (name === 'str_max_length') text.maxLength = constant(value);
    else if (name === 'validate_by_alias') config = { ...config, byAlias: !(value.kind === 'bool' && !value.value) };
    else if (name === 'alias_generator') config = { ...config, alias: aliasGenerator(value) };
    else throw new NotKnown(`the model setting ${name}`);
  }
  return config;
}

function configOf(of: PythonClass): ReadonlyMap<string, Value> {
  const { names } = classScope(of).bindings;
  if (names.has('model_config')) return mappingOf(attributeOf({ kind: 'class', class: of }, 'model_config'));
  if (!names.has('Config')) return new Map();
  const config = attributeOf({ kind: 'class', class: of }, 'Config');
  if (config.kind !== 'class') throw new NotKnown('a computed Config');
  const settings = [...classScope(config.class).bindings.names.keys()];
  return new Map(settings.map((name) => [name, attributeOf(config, name)]));
}

/** The settings in `ConfigDict(…)`, `{…}` or `dict(…)`. */
export function mappingOf(value: Value): ReadonlyMap<string, Value> {
  if (value.kind === 'call' && isExternal(value.callee, 'pydantic.ConfigDict') && value.complete) {
    const [first] = value.args;
    return first === undefined ? value.keywords : new Map([...mappingOf(first), ...value.keywords]);
  }
  if (value.kind !== 'dict') throw new NotKnown('the model configuration is computed');
  return new Map(value.entries.map(([key, item]) => [textOf(key), item]));
}

function keywordsOf(of: PythonClass): ReadonlyMap<string, Value> {
  return new Map(
    of.statement.args.flatMap((argument) => {
      if (argument.kind !== 'keyword' || argument.name === 'metaclass') return [];
      return [[argument.name, evaluate(argument.value, of.scope, of.statement.from)] as const];
    }),
  );
}

function textOf(value: Value): string {
  if (value.kind !== 'str') throw new NotKnown('a model setting is computed');
  return value.value;
}

function extraOf(text: string): ModelConfig['extra'] {
  return text === 'allow' || text === 'forbid' ? text : undefined;
}

function mapping(value: Value): JsonObject {
  if (value.kind !== 'dict') throw new NotKnown('json_schema_extra is computed');
  const json = constant(value);
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as JsonObject) : {};
}

function aliasGenerator(value: Value): (name: string) => string {
  if (isExternal(value, 'pydantic.alias_generators.to_camel')) return toCamel;
  if (isExternal(value, 'pydantic.alias_generators.to_pascal')) return toPascal;
  throw new NotKnown('aliases are made by a function');
}

/** pydantic.alias_generators.to_pascal: `my_name` → `MyName`. */
function toPascal(name: string): string {
  const title = titleCase(name);
  return [...title].filter((character, index) => character !== '_' || !joins(title, index)).join('');
}

/** An underscore goes when it stands between a letter or digit and an upper-case letter or digit. */
function joins(title: string, index: number): boolean {
  const before = title[index - 1] ?? '_';
  const after = title[index + 1] ?? '_';
  return before !== '_' && after !== '_' && after === after.toUpperCase();
}

function toCamel(name: string): string {
  const first = name[0] ?? '';
  const plain = !name.includes('_') && first === first.toLowerCase() && !hasDigitBeforeCapital(name);
  if (plain) return name;
  const pascal = toPascal(name);
  const start = [...pascal].findIndex((character) => character !== '_');
  return pascal.slice(0, start) + (pascal[start] ?? '').toLowerCase() + pascal.slice(start + 1);
}

function hasDigitBeforeCapital(name: string): boolean {
  return [...name].some((character, index) => {
    const next = name[index + 1] ?? '';
    return character >= '0' && character <= '9' && next !== next.toLowerCase();
  });
}

/** Python's `str.title`. */
export function titleCase(name: string): string {
  let title = '';
  let inWord = false;
  for (const character of name) {
    const letter = character.toLowerCase() !== character.toUpperCase();
    title += letter && inWord ? character.toLowerCase() : character.toUpperCase();
    inWord = letter;
  }
  return title;
}

/** Adds the model's length limits to the text types of a field, definitions apart. */
export function limitText(type: Type, text: JsonObject): Type {
  if (Object.keys(text).length === 0) return type;
  const inner = (part: Type): Type => limitText(part, text);
  switch (type.kind) {
    case 'plain':
      return type.limits === 'text' && !('format' in type.json) ? { ...type, json: { ...text, ...type.json } } : type;
    case 'array':
      return { ...type, items: type.items && inner(type.items) };
    case 'tuple':
      return { ...type, items: type.items.map(inner), rest: type.rest && inner(type.rest) };
    case 'dict':
      return { ...type, keys: type.keys && inner(type.keys), values: type.values && inner(type.values) };
    case 'union':
      return { ...type, choices: type.choices.map(inner) };
    case 'nullable':
    case 'function':
    case 'with':
    case 'default':
      return { ...type, inner: inner(type.inner) };
    default:
      return type;
  }
}
