import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { isJsonObject, type Json, type JsonObject, SpelledNumber } from '../json.ts';

/**
 * The server's two ways to read a variables schema (contracts/deploy.md §4.5, §5.5). `create` is that of
 * `POST /deployments/` and of a pool's defaults: null also for optional variables with a default, formats unchecked.
 * `update` is that of `PATCH /deployments/{id}`: null only for optional variables without a default, formats checked.
 */
export type Occasion = 'create' | 'update';

/**
 * The same two requests' ways to read a parameter schema (contracts/deploy.md §3.6): a new deployment's is taken as it
 * is written, a changed one's is mended as in `update`; formats are not checked in either.
 */
export type ParameterOccasion = 'create parameters' | 'update parameters';

/** A compiled schema: the errors of job variables or parameters, none when they fit. */
export type SchemaCheck = (values: JsonObject) => ErrorObject[];

const compiled: Record<Occasion | ParameterOccasion, WeakMap<JsonObject, SchemaCheck | undefined>> = {
  create: new WeakMap(),
  update: new WeakMap(),
  'create parameters': new WeakMap(),
  'update parameters': new WeakMap(),
};

/**
 * Compiles a schema with the server's leniencies; once for each schema object, which must not be changed
 * afterwards. `required` is ignored, as the server does for deployments and pools.
 *
 * @returns undefined for a schema that cannot be compiled here at all: nothing can be said before the server does.
 */
export function compileSchema(schema: JsonObject, occasion: Occasion | ParameterOccasion): SchemaCheck | undefined {
  if (compiled[occasion].has(schema)) return compiled[occasion].get(schema);
  const check = compile(schema, occasion);
  compiled[occasion].set(schema, check);
  return check;
}

function compile(schema: JsonObject, occasion: Occasion | ParameterOccasion): SchemaCheck | undefined {
  const read = occasion === 'create parameters' ? schema : preprocessed(schema, occasion);
  const mended = forAjv(withoutRequired(read));
  if (!isJsonObject(mended)) return undefined;
  const validate = compileWith(mended, occasion) ?? compileWith(compilablePart(mended, occasion), occasion);
  if (validate === undefined) return undefined;
  return (values) => (validate(plain(values)) ? [] : [...(validate.errors ?? [])]);
}

function compileWith(schema: JsonObject, occasion: Occasion | ParameterOccasion): ValidateFunction | undefined {
  const ajv = newAjv();
  // The only format in templates that Prefect writes; a wrong guess at another one would refuse what the server takes.
  if (occasion === 'update') ajv.addFormat('uuid', /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i);
  try {
    return ajv.compile(schema);
  } catch {
    return undefined;
  }
}

/**
 * The schema without the properties that cannot be compiled, e.g. with a reference that leads nowhere: the server
 * comes upon them only when they are given, so the others must still be checked.
 */
function compilablePart(schema: JsonObject, occasion: Occasion | ParameterOccasion): JsonObject {
  const properties = Object.entries(isJsonObject(schema.properties) ? schema.properties : {});
  const open = properties.map(([name, property]): [string, Json] => {
    const alone = { ...schema, properties: Object.fromEntries([[name, property]]) };
    return [name, compileWith(alone, occasion) === undefined ? {} : property];
  });
  return { ...schema, properties: Object.fromEntries(open) };
}

/**
 * What the server says of a variables schema that is no JSON Schema (draft 2020-12): the first reason and its place;
 * undefined when it is one. It refuses pools and deployments with such a schema (server/api/validation.py).
 */
export function schemaDefect(schema: JsonObject): string | undefined {
  const { $schema: _dialect, ...candidate } = schema;
  metaSchema ??= newAjv();
  if (metaSchema.validateSchema(mapMembers(candidate, plain)) === true) return undefined;
  const [first] = metaSchema.errors ?? [];
  return first === undefined ? 'is no JSON Schema' : `${first.instancePath || '/'} ${first.message ?? 'is wrong'}`;
}

/** Compiled once: the meta-schema of draft 2020-12 costs more than any template. */
let metaSchema: Ajv2020 | undefined;

function newAjv(): Ajv2020 {
  return new Ajv2020({ strict: false, allErrors: true, verbose: true, validateSchema: false, logger: false });
}

/**
 * Prefect's mending of schemas that pydantic 1 wrote (utilities/schema_tools/validation.py `preprocess_schema`): null
 * for optional properties, tuples as `prefixItems`, and for definitions of blocks a reference to a saved one.
 */
function preprocessed(schema: JsonObject, occasion: Occasion | ParameterOccasion): JsonObject {
  const result: JsonObject = { ...schema };
  if (isJsonObject(schema.properties)) result.properties = mendedProperties(schema, occasion);
  if (!isJsonObject(schema.definitions)) return result;
  const definitions: [string, Json][] = [];
  for (const [key, definition] of Object.entries(schema.definitions)) {
    if (!isJsonObject(definition)) {
      definitions.push([key, definition]);
      continue;
    }
    const mended = isJsonObject(definition.properties)
      ? { ...definition, properties: mendedProperties(definition, occasion) }
      : definition;
    definitions.push([key, mended]);
    if ('block_type_slug' in definition && typeof definition.title === 'string') {
      definitions.push([definition.title, { oneOf: [mended, BLOCK_REFERENCE] }]);
    }
  }
  result.definitions = Object.fromEntries(definitions);
  return result;
}

const BLOCK_REFERENCE: JsonObject = {
  type: 'object',
  properties: {
    $ref: {
      oneOf: [
        { type: 'string', format: 'uuid' },
        { type: 'object', additionalProperties: { type: 'string' }, minProperties: 1 },
      ],
    },
  },
  required: ['$ref'],
};

function mendedProperties(owner: JsonObject, occasion: Occasion | ParameterOccasion): JsonObject {
  const required = Array.isArray(owner.required) ? owner.required : [];
  const properties = isJsonObject(owner.properties) ? owner.properties : {};
  return mapMembers(properties, (property, key) => {
    if (!isJsonObject(property)) return property;
    const result: JsonObject = { ...property };
    const mayBeNull = !required.includes(key) && (occasion === 'create' || !('default' in property));
    if (mayBeNull && property.type !== undefined && property.type !== 'null') {
      result.anyOf = [{ type: property.type }, { type: 'null' }];
      delete result.type;
    }
    if (Array.isArray(property.items) && property.items.length > 0 && !property.prefixItems) {
      result.prefixItems = property.items;
      delete result.items;
    }
    if (isJsonObject(property.properties)) result.properties = mendedProperties(property, occasion);
    return result;
  });
}

/** Takes `required` out of mappings within mappings, but not within lists (prefect `remove_nested_keys`). */
function withoutRequired(schema: Json): Json {
  if (!isJsonObject(schema)) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => key !== 'required')
      .map(([key, value]) => [key, withoutRequired(value)]),
  );
}

/** What ajv takes otherwise than Python's jsonschema: `nullable`, `$schema`, and patterns JavaScript cannot read. */
function forAjv(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(forAjv);
  if (!isJsonObject(schema)) return schema instanceof SpelledNumber ? Number(schema) : schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key, value]) => {
        if (key === 'nullable' && typeof value === 'boolean') return false;
        if (key === '$schema' && typeof value === 'string') return false;
        return !(key === 'pattern' && typeof value === 'string' && !isPattern(value));
      })
      .map(([key, value]) => [key, forAjv(value)]),
  );
}

function isPattern(source: string): boolean {
  try {
    return new RegExp(source, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}

/** A copy whose numbers are JavaScript's: what is compared is their value, not their spelling. */
function plain(value: Json): Json {
  if (value instanceof SpelledNumber) return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  return isJsonObject(value) ? mapMembers(value, plain) : value;
}

function mapMembers(mapping: JsonObject, change: (value: Json, key: string) => Json): JsonObject {
  return Object.fromEntries(Object.entries(mapping).map(([key, value]) => [key, change(value, key)]));
}
