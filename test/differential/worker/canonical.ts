import { isJsonObject, type Json, SpelledNumber } from '@slipway/prefect/json';
import { pythonStr } from '@slipway/prefect/template';

/** JSON text with the keys of mappings in order and numbers as Python spells them; `1.0` is not `1`. Lists stay. */
export function canonical(value: Json): string {
  return JSON.stringify(sorted(value), undefined, 1);
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value === 'number' || value instanceof SpelledNumber) return new SpelledNumber(pythonStr(value));
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).map(([key, member]): [string, Json] => [key, sorted(member)]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
