import { isJsonObject, type Json } from '@slipway/prefect/json';

/** Stands in plan mode for an output that only a deploy can know, also inside longer texts it was put into. */
export const KNOWN_AT_DEPLOY = '(known at deploy)';

/** True when a value is, or holds, something that only a deploy can know. */
export function isUnknown(value: Json | undefined): boolean {
  if (typeof value === 'string') return value.includes(KNOWN_AT_DEPLOY);
  if (Array.isArray(value)) return value.some(isUnknown);
  return isJsonObject(value) && Object.values(value).some(isUnknown);
}

/** Dotted paths of the texts in a value that only a deploy can know: `sha.stdout`, `image`. */
export function unknownPaths(value: Json, prefix = ''): string[] {
  if (typeof value === 'string') return isUnknown(value) ? [prefix] : [];
  const members = Array.isArray(value) || isJsonObject(value) ? Object.entries(value) : [];
  return members.flatMap(([key, member]) => unknownPaths(member, prefix === '' ? key : `${prefix}.${key}`));
}
