import { isJsonObject, type Json, type JsonObject, sameJson } from '@slipway/prefect/json';
import type { Value } from '../value.ts';
import { encodeValue } from './encode.ts';
import { encodeInstance } from './instance.ts';
import { jsonType } from './json-type.ts';
import { type Definition, NoJsonSchema, NotKnown, type Type, type Writer } from './type.ts';

/** JSON schemas of types, and the definitions they share; one for all parameters of a function. */
export class SchemaWriter implements Writer {
  /** Why the schema is not exact, as far as it was written. */
  readonly reasons: string[] = [];
  readonly #definitions = new Map<string, { identity: string; json: JsonObject | undefined }>();

  /**
   * The JSON schema of a type, as Prefect asks pydantic for it.
   *
   * @throws NoSchema, NotKnown
   */
  write(type: Type): JsonObject {
    switch (type.kind) {
      case 'any':
        return {};
      case 'plain':
        return { ...type.json };
      case 'number or text':
        return { anyOf: [{ type: 'number', ...type.json }, { ...type.text }] };
      case 'array':
        return { items: type.items === undefined ? {} : this.write(type.items), type: 'array', ...type.json };
      case 'tuple':
        return this.#tuple(type);
      case 'dict':
        return this.#dict(type);
      case 'union':
        return this.#union(type.choices);
      case 'nullable': {
        const inner = this.write(type.inner);
        return sameJson(inner, { type: 'null' }) ? inner : anyOf([inner, { type: 'null' }]);
      }
      case 'tagged':
        return this.#tagged(type);
      case 'literal':
        return literal(type.values.map(encodeConstant));
      case 'definition':
        return { $ref: `#/definitions/${this.#define(type.definition)}` };
      case 'callable':
        throw new NoJsonSchema('a callable has no JSON schema');
      case 'function':
        return this.write(type.inner);
      case 'with':
        return { ...this.write(type.inner), ...type.json };
      case 'default': {
        const json = this.write(type.inner);
        const encoded = this.#encodeDefault(type.value);
        return encoded === undefined ? json : { ...json, default: encoded };
      }
      case 'json text':
        return { contentMediaType: 'application/json', contentSchema: this.write(type.content), type: 'string' };
    }
  }

  /**
   * The JSON schema of a field or parameter: titled by its name where pydantic does so, without keywords that only
   * repeat the definition it refers to.
   *
   * @param title undefined leaves out pydantic's own title.
   */
  writeField(type: Type, title: string | undefined): JsonObject {
    const json = this.write(type);
    if (title !== undefined && !('title' in json) && isTitled(type)) json.title = title;
    const reference = json.$ref;
    if (typeof reference !== 'string') return json;
    const referred = this.#definitions.get(reference.slice('#/definitions/'.length))?.json ?? {};
    const kept = Object.entries(json).filter(([key, value]) => key === '$ref' || !sameJson(referred[key], value));
    return Object.fromEntries(kept);
  }

  /** Takes back what a failed attempt defined. */
  attempt<T>(write: () => T): T {
    const before = new Map(this.#definitions);
    try {
      return write();
    } catch (error) {
      this.#definitions.clear();
      for (const [name, definition] of before) this.#definitions.set(name, definition);
      throw error;
    }
  }

  /** Every definition, sorted by name; undefined when there is none. */
  definitions(): JsonObject | undefined {
    if (this.#definitions.size === 0) return undefined;
    const names = [...this.#definitions.keys()].sort((a, b) => (a < b ? -1 : 1));
    return Object.fromEntries(names.map((name) => [name, this.#definitions.get(name)?.json ?? {}]));
  }

  /** A default that nobody knows yet is left out; the field stays optional. */
  #encodeDefault(value: Value): Json | undefined {
    try {
      return encodeValue(value, encodeInstance);
    } catch (error) {
      if (!(error instanceof NotKnown)) throw error;
      this.reasons.push(`a default is not known: ${error.message}`);
      return undefined;
    }
  }

  #define(definition: Definition): string {
    const name = referenceName(definition.name);
    const known = this.#definitions.get(name);
    if (known !== undefined) {
      if (known.identity === definition.identity) return name;
      throw new NotKnown(`two classes are named ${definition.name}`);
    }
    const entry = { identity: definition.identity, json: undefined as JsonObject | undefined };
    this.#definitions.set(name, entry);
    entry.json = definition.content(this);
    return name;
  }

  #tuple(type: Type & { kind: 'tuple' }): JsonObject {
    const prefix = type.items.map((item) => this.write(item));
    const shape: JsonObject = { type: 'array' };
    if (prefix.length > 0) shape.prefixItems = prefix;
    if (type.rest !== undefined) {
      if (prefix.length > 0) shape.minItems = prefix.length;
      shape.items = this.write(type.rest);
    } else {
      shape.minItems = prefix.length;
      shape.maxItems = prefix.length;
    }
    return { ...shape, ...type.json };
  }

  #dict(type: Type & { kind: 'dict' }): JsonObject {
    const { title: _keysTitle, ...keys } = type.keys === undefined ? {} : this.write(type.keys);
    const { title: _valuesTitle, ...values } = type.values === undefined ? {} : this.write(type.values);
    const { pattern, ...named } = '$ref' in keys ? { ...keys, pattern: undefined } : keys;
    const shape: JsonObject = { type: 'object' };
    if (typeof pattern === 'string') shape.patternProperties = { [pattern]: values };
    else shape.additionalProperties = Object.keys(values).length === 0 ? true : values;
    const { type: keyType, ...names } = withoutUndefined(named);
    if ('$ref' in names || (keyType === 'string' && Object.keys(names).length > 0)) shape.propertyNames = names;
    return { ...shape, ...type.json };
  }

  #union(choices: readonly Type[]): JsonObject {
    const written: JsonObject[] = [];
    for (const choice of choices) {
      try {
        written.push(this.attempt(() => this.write(choice)));
      } catch (error) {
        if (!(error instanceof NoJsonSchema)) throw error;
      }
    }
    const [only] = written;
    return written.length === 1 && only !== undefined ? only : anyOf(written);
  }

  #tagged(type: Type & { kind: 'tagged' }): JsonObject {
    const mapping: JsonObject = {};
    const choices: JsonObject[] = [];
    for (const [tag, choice] of type.choices) {
      const json = this.write(choice);
      mapping[tag] = json.$ref ?? json;
      if (!choices.some((known) => sameJson(known, json))) choices.push(json);
    }
    return { discriminator: { mapping, propertyName: type.field }, oneOf: choices };
  }
}

function encodeConstant(value: Value): Json {
  const encoded = encodeValue(value, encodeInstance);
  if (encoded === undefined) throw new NotKnown('a Literal that is no constant');
  return encoded;
}

function anyOf(schemas: readonly JsonObject[]): JsonObject {
  const flat = schemas.flatMap((schema): JsonObject[] => {
    const inner = schema.anyOf;
    return Object.keys(schema).length === 1 && Array.isArray(inner) ? (inner as JsonObject[]) : [schema];
  });
  const members: JsonObject[] = [];
  for (const schema of flat) if (!members.some((known) => sameJson(known, schema))) members.push(schema);
  const [only] = members;
  return members.length === 1 && only !== undefined ? only : { anyOf: members };
}

function literal(values: readonly Json[]): JsonObject {
  const [first] = values;
  const shape: JsonObject = values.length === 1 && first !== undefined ? { const: first } : { enum: [...values] };
  const kinds = new Set(values.map(jsonType));
  const [kind] = kinds;
  return kinds.size === 1 && kind !== undefined ? { ...shape, type: kind } : shape;
}

/** Things with a definition of their own bring their own title. */
function isTitled(type: Type): boolean {
  switch (type.kind) {
    case 'definition':
      return false;
    case 'default':
    case 'nullable':
    case 'function':
    case 'with':
      return isTitled(type.inner);
    default:
      return true;
  }
}

function referenceName(name: string): string {
  const safe = [...name].map((character) => (isSafe(character) ? character : '_')).join('');
  return safe.replaceAll('.', '__');
}

function isSafe(character: string): boolean {
  if ('.-_'.includes(character)) return true;
  const ascii = character < '\u007f';
  return ascii && (character.toLowerCase() !== character.toUpperCase() || (character >= '0' && character <= '9'));
}

function withoutUndefined(json: Record<string, Json | undefined>): JsonObject {
  return Object.fromEntries(Object.entries(json).filter((entry): entry is [string, Json] => entry[1] !== undefined));
}

/** Keys in alphabetical order, but for properties and defaults: the order pydantic writes them in. */
export function sorted(json: JsonObject, keep = false): JsonObject {
  const keys = keep ? Object.keys(json) : Object.keys(json).sort((a, b) => (a < b ? -1 : 1));
  return Object.fromEntries(
    keys.map((key) => {
      const value = json[key] ?? null;
      return [key, sortedValue(value, key === 'properties' || key === 'default')];
    }),
  );
}

function sortedValue(value: Json, keep: boolean): Json {
  if (Array.isArray(value)) return value.map((item) => sortedValue(item, keep));
  return isJsonObject(value) ? sorted(value, keep) : value;
}
