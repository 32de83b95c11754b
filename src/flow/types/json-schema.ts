import { isJsonObject, type Json, type JsonObject, sameJson } from '@slipway/prefect/json';
import { spend } from '../effort.ts';
import type { Value } from '../value.ts';
import { encodeValue } from './encode.ts';
import { encodeInstance } from './instance.ts';
import { jsonType } from './json-type.ts';
import { type Definition, isTitled, NoJsonSchema, NotKnown, type Type, type Writer } from './type.ts';

/** Kinds that add nothing to the size of a schema. */
const SIMPLE: ReadonlySet<Type['kind']> = new Set<Type['kind']>(['any', 'with', 'default']);

const REFERENCE = '#/definitions/';

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
    // What an unknown parameter falls back to can be written at any time.
    if (!SIMPLE.has(type.kind) && !spend()) throw new NotKnown('a type without end');
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
        return { $ref: `${REFERENCE}${this.#define(type.definition)}` };
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
    const referred = this.#definitions.get(reference.slice(REFERENCE.length))?.json ?? {};
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

  /**
   * The definitions that a schema refers to, directly or through others, sorted by name; undefined when there is none.
   * Some are written and not used: the keys of a dict with a type JSON has no keys of.
   */
  definitions(schema: JsonObject): JsonObject | undefined {
    const used = new Set<string>();
    const waiting: Json[] = [schema];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (Array.isArray(next)) waiting.push(...next);
      if (!isJsonObject(next)) continue;
      waiting.push(...Object.values(next));
      const name = typeof next.$ref === 'string' ? next.$ref.slice(REFERENCE.length) : undefined;
      if (name === undefined || used.has(name)) continue;
      used.add(name);
      waiting.push(this.#definitions.get(name)?.json ?? {});
    }
    const names = [...used].filter((name) => this.#definitions.has(name)).sort((a, b) => (a < b ? -1 : 1));
    if (names.length === 0) return undefined;
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
    const keys = type.keys === undefined ? {} : this.write(type.keys);
    const { title: _valuesTitle, ...values } = type.values === undefined ? {} : this.write(type.values);
    // A reference stays whole; of other key types the title goes, and the pattern becomes the properties' own.
    const plainKeys: JsonObject = '$ref' in keys ? {} : keys;
    const { pattern, title: _keysTitle, type: keyType, ...names } = plainKeys;
    const shape: JsonObject = { type: 'object' };
    if (typeof pattern === 'string') shape.patternProperties = { [pattern]: values };
    else shape.additionalProperties = Object.keys(values).length === 0 ? true : values;
    if ('$ref' in keys) shape.propertyNames = keys;
    else if (keyType === 'string' && Object.keys(names).length > 0) shape.propertyNames = names;
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

function referenceName(name: string): string {
  const safe = [...name].map((character) => (isSafe(character) ? character : '_')).join('');
  return safe.replaceAll('.', '__');
}

function isSafe(character: string): boolean {
  if ('.-_'.includes(character)) return true;
  const ascii = character < '\u007f';
  return ascii && (character.toLowerCase() !== character.toUpperCase() || (character >= '0' && character <= '9'));
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
