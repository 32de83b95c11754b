import type { JsonObject } from '@slipway/prefect/json';
import type { FlowDefinition } from './decorator.ts';
import { parameterDescriptions } from './docstring.ts';
import type { ParameterSchema } from './model.ts';
import { readSignature, type SignatureParameter } from './signature.ts';
import { fieldOf, mayBringDefault } from './types/annotation.ts';
import { isWrapper } from './types/context.ts';
import { type FieldInfo, isField, NO_FIELD } from './types/field.ts';
import { describedType } from './types/fields.ts';
import { SchemaWriter, sorted } from './types/json-schema.ts';
import { ANY, NoSchema, NotKnown, type Type } from './types/type.ts';
import type { Value } from './value.ts';

/**
 * The parameter schema Prefect would send for a flow (contracts/deploy.md §3.4; Prefect's utilities/callables
 * generate_parameter_schema). A parameter whose type only the running code knows is `{title, position}`, and the
 * schema approximate, with the reasons.
 *
 * @param doc the function's docstring as `inspect.getdoc` gives it.
 */
export function parameterSchema(flow: FlowDefinition, doc: string): ParameterSchema {
  const signature = readSignature(flow.target);
  const descriptions = parameterDescriptions(doc);
  const writer = new SchemaWriter();
  const reasons: string[] = [...signature.reasons];
  const properties: JsonObject = {};
  const required: string[] = [];
  for (const parameter of signature.parameters) {
    const { name, position } = parameter;
    if (name === 'self' || name === 'cls') continue;
    const read = readParameter(parameter, descriptions.get(name), writer);
    reasons.push(...read.reasons);
    if (read.json !== undefined) properties[name] = read.json;
    if (read.json !== undefined && read.required && flow.wrappedBy === undefined) required.push(name);
    if (flow.wrappedBy !== undefined) properties[name] = { position, title: name };
  }
  if (flow.wrappedBy !== undefined)
    reasons.push(`the decorator ${flow.wrappedBy} below @flow may change the parameters`);
  const definitions = flow.wrappedBy === undefined ? writer.definitions(properties) : undefined;
  const schema: JsonObject = {
    title: 'Parameters',
    type: 'object',
    properties: sorted(properties, true),
    ...(required.length > 0 && { required }),
    ...(definitions !== undefined && { definitions: sorted(definitions, true) }),
  };
  reasons.push(...writer.reasons);
  return reasons.length === 0
    ? { kind: 'exact', schema }
    : { kind: 'approximate', schema, reasons: [...new Set(reasons)], hasAllNames: flow.wrappedBy === undefined };
}

interface ReadParameter {
  /** Undefined: Prefect leaves the parameter out (ClassVar, Final). */
  readonly json: JsonObject | undefined;
  readonly required: boolean;
  readonly reasons: readonly string[];
}

/**
 * One property. Prefect makes a pydantic field of its own out of the default: of a `Field(…)` it keeps description,
 * default and json_schema_extra; of one inside `Annotated` everything but the title and description
 * (_internal/pydantic/v2_schema process_v2_params).
 */
function readParameter(
  parameter: SignatureParameter,
  documented: string | undefined,
  writer: SchemaWriter,
): ReadParameter {
  const { name, position, annotation, value, context } = parameter;
  const write = (type: Type, given: FieldInfo, of: FieldInfo): ReadParameter => {
    const description = given.json.description || documented;
    const { description: _lost, ...kept } = of.json;
    const json = { ...kept, title: name, ...(description !== undefined && { description }) };
    const fallback = given.default ?? of.default;
    const described = describedType(
      type,
      { constraints: [], json, extra: { ...of.extra, position, ...given.extra } },
      fallback,
    );
    const required = fallback === undefined && of.factory === undefined;
    return { json: writer.attempt(() => writer.writeField(described, name)), required, reasons: [] };
  };
  let given: FieldInfo | undefined;
  try {
    given = isField(value) ? fieldOf(UNTYPED, value, context).info : { ...NO_FIELD, ...defaultOf(value) };
    if (isWrapper(annotation, 'typing.ClassVar', context) || isWrapper(annotation, 'typing.Final', context)) {
      return { json: undefined, required: false, reasons: [] };
    }
    try {
      const { type, info } = fieldOf(annotation, undefined, context);
      return write(type, given, info);
    } catch (error) {
      if (error instanceof NoSchema) return write(ANY, given, NO_FIELD);
      throw error;
    }
  } catch (error) {
    if (!(error instanceof NotKnown)) throw error;
    const read = write(ANY, given ?? NO_FIELD, NO_FIELD);
    const required = read.required && given !== undefined && !mayBringDefault(annotation, context);
    return { ...read, required, reasons: [`parameter ${name}: ${error.message}`] };
  }
}

const UNTYPED: Value = { kind: 'external', name: 'typing.Any' };

/** `...` as a default means none. */
function defaultOf(value: Value | undefined): { default?: Value } {
  return value === undefined || value.kind === 'ellipsis' ? {} : { default: value };
}
