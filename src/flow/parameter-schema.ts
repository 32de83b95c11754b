import type { JsonObject } from '@slipway/prefect/json';
import type { FlowDefinition } from './decorator.ts';
import { parameterDescriptions } from './docstring.ts';
import type { ParameterSchema } from './model.ts';
import { NoSchema, NotKnown, type Type } from './types/type.ts';
import { SchemaWriter, sorted } from './types/json-schema.ts';
import { readSignature, type SignatureParameter } from './signature.ts';
import { fieldOf } from './types/annotation.ts';
import { describedType } from './types/fields.ts';

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
  if (flow.wrappedBy !== undefined) reasons.push(`the decorator ${flow.wrappedBy} below @flow may change the parameters`);
  const definitions = flow.wrappedBy === undefined ? writer.definitions() : undefined;
  const schema: JsonObject = {
    title: 'Parameters',
    type: 'object',
    properties: sorted(properties, true),
    ...(required.length > 0 && { required }),
    ...(definitions !== undefined && { definitions: sorted(definitions, true) }),
  };
  reasons.push(...writer.reasons);
  return reasons.length === 0 ? { kind: 'exact', schema } : { kind: 'approximate', schema, reasons: [...new Set(reasons)] };
}

interface ReadParameter {
  /** Undefined: Prefect leaves the parameter out (ClassVar, Final). */
  readonly json: JsonObject | undefined;
  readonly required: boolean;
  readonly reasons: readonly string[];
}

function readParameter(parameter: SignatureParameter, description: string | undefined, writer: SchemaWriter): ReadParameter {
  const { name, position, annotation, value, context } = parameter;
  const any = { kind: 'external', name: 'typing.Any' } as const;
  const reasons: string[] = [];
  const own = fieldOf(any, value, context).info;
  const write = (type: Type, json: JsonObject, fallback: typeof own.default): ReadParameter => {
    const shown = own.json['description'] ?? description;
    const described = {
      ...json,
      title: name,
      ...(shown !== undefined && { description: shown }),
    };
    const info = { ...own, json: described, extra: { position, ...own.extra } };
    const written = describedType(type, info, fallback);
    return { json: writer.attempt(() => writer.writeField(written, name)), required: fallback === undefined, reasons };
  };
  try {
    const { type, info } = fieldOf(annotation, undefined, context);
    return write(type, info.json, own.default);
  } catch (error) {
    if (!(error instanceof NoSchema) && !(error instanceof NotKnown)) throw error;
    if (error instanceof NotKnown) reasons.push(`parameter ${name}: ${error.message}`);
    return write({ kind: 'any' }, {}, own.default);
  }
}
