import type { JsonObject } from '@slipway/prefect/json';
import type { FlowDefinition } from './decorator.ts';
import { parameterDescriptions } from './docstring.ts';
import type { ParameterSchema } from './model.ts';

export function parameterSchema(flow: FlowDefinition, doc: string): ParameterSchema {
  const { target } = flow;
  const list = target.kind === 'function' ? target.statement.parameters : target.parameters;
  const descriptions = parameterDescriptions(doc);
  const properties: JsonObject = {};
  const required: string[] = [];
  list.forEach(({ name, default: value }, position) => {
    if (name === 'self' || name === 'cls') return;
    const description = descriptions.get(name);
    properties[name] = { ...(description === undefined ? {} : { description }), position, title: name };
    if (value === undefined) required.push(name);
  });
  const schema: JsonObject = {
    title: 'Parameters',
    type: 'object',
    properties,
    ...(required.length > 0 && { required }),
  };
  return { kind: 'approximate', schema, reasons: ['types are not read yet'] };
}
