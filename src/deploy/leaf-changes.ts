import { isJsonObject, type Json, sameJson } from '@slipway/prefect/json';
import type { Change } from './model.ts';

/**
 * The leaves at which two values differ, so that a change deep inside a schema or a template can be read:
 * `parameter_openapi_schema.properties.x.type`. A list of plain values is a leaf; of a list of mappings, what both
 * begin and end with is passed over, and the items between are compared one by one.
 *
 * @returns nothing when both mean the same.
 */
export function leafChanges(field: string, before: Json | undefined, after: Json | undefined): Change[] {
  if (sameJson(before, after)) return [];
  if (isJsonObject(before) && isJsonObject(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => leafChanges(`${field}${keyText(key)}`, before[key], after[key]));
  }
  if (Array.isArray(before) && Array.isArray(after) && [...before, ...after].some(isNested)) {
    return itemChanges(field, before, after);
  }
  return [{ field, before, after }];
}

/** The field of the API that a leaf belongs to. */
export function rootField(field: string): string {
  return /^[^.[]*/.exec(field)?.[0] ?? field;
}

function itemChanges(field: string, before: readonly Json[], after: readonly Json[]): Change[] {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && sameJson(before[start], after[start])) start += 1;
  let end = 0;
  while (end < shorter - start && sameJson(before.at(-1 - end), after.at(-1 - end))) end += 1;
  const [gone, come] = [before.slice(start, before.length - end), after.slice(start, after.length - end)];
  return Array.from({ length: Math.max(gone.length, come.length) }, (_, index) =>
    leafChanges(`${field}[${start + index}]`, gone[index], come[index]),
  ).flat();
}

function isNested(value: Json): boolean {
  return Array.isArray(value) || isJsonObject(value);
}

/** `.key`, in brackets where the dots of a path would lie. */
function keyText(key: string): string {
  return /^[^\s.[\]"]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
