import { isJsonObject, type Json } from '../json.ts';

/** Python's truth of a JSON value: empty texts, lists and mappings, 0, false and null count as nothing. */
export function isTruthy(value: Json | undefined): value is Json {
  if (value === undefined || value === null || typeof value === 'boolean') return value === true;
  if (typeof value === 'string' || Array.isArray(value)) return value.length > 0;
  return isJsonObject(value) ? Object.keys(value).length > 0 : Number(value) !== 0;
}
