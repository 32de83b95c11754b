import { type Json, SpelledNumber } from '@slipway/prefect/json';

/** The JSON schema type pydantic gives a constant; undefined for those it gives none. */
export function jsonType(value: Json): string | undefined {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  if (!(value instanceof SpelledNumber)) return undefined;
  return value.source.includes('.') || value.source.includes('e') ? 'number' : 'integer';
}
