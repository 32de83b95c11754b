import type { JsonObject } from '@slipway/prefect/json';
import type { Value } from '../value.ts';
import type { FieldInfo } from './field.ts';
import { titleCase } from './model-config.ts';
import type { Type, Writer } from './type.ts';

/** One field of a class with its type and description. */
export interface Field {
  readonly name: string;
  /** The name it has in the JSON schema. */
  readonly shown: string;
  readonly type: Type;
  readonly info: FieldInfo;
  readonly required: boolean;
}

/** A field's type with its default and description around it. */
export function describedType(type: Type, info: FieldInfo, value: Value | undefined = info.default): Type {
  const withDefault: Type = value === undefined ? type : { kind: 'default', inner: type, value };
  const described = { ...info.json, ...info.extra };
  return Object.keys(described).length === 0 ? withDefault : { kind: 'with', inner: withDefault, json: described };
}

/** The JSON schema of an object with these fields. */
export function objectSchema(fields: readonly Field[], writer: Writer): JsonObject {
  const properties: JsonObject = {};
  for (const { shown, type, info } of fields) {
    properties[shown] = writer.writeField(describedType(type, info), titleOf(shown));
  }
  const required = fields.filter((field) => field.required).map((field) => field.shown);
  return { type: 'object', properties, ...(required.length > 0 && { required }) };
}

/** A title the way pydantic makes it from a name: `x1y2_z` → `X1Y2 Z`. */
export function titleOf(name: string): string {
  return titleCase(name).replaceAll('_', ' ').trim();
}
