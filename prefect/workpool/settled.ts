import { isJsonObject, type Json, type JsonObject, sameJson } from '../json.ts';
import { applyJsonPatch } from './patch.ts';

/**
 * The operations of a patch that still have something to do on a template they may have been applied to before.
 *
 * RFC 6902 describes one change, prefect.yaml a state: without this, `add` at the end of a list would add once more
 * with every deploy, and `remove` would fail the second time. Left out are an `add` into a list that has an equal item,
 * a `remove` of what is not there, and a `move` that was made. Everything else gives the same result when repeated.
 *
 * @param template the pool's template as the server has it.
 */
export function unsettledOperations(template: JsonObject, patch: readonly Json[]): Json[] {
  let current: Json = template;
  return patch.filter((operation) => {
    if (isSettled(current, operation)) return false;
    const result = applyJsonPatch(current, [operation]);
    if (result.ok) current = result.document;
    return true;
  });
}

function isSettled(document: Json, operation: Json): boolean {
  if (!isJsonObject(operation) || typeof operation.path !== 'string') return false;
  const { op, path, value, from } = operation;
  switch (op) {
    case 'add': {
      const parent = at(document, path.slice(0, Math.max(0, path.lastIndexOf('/'))));
      return Array.isArray(parent) && value !== undefined && parent.some((item) => sameJson(item, value));
    }
    case 'remove':
      return at(document, path) === undefined;
    case 'move':
      return typeof from === 'string' && at(document, from) === undefined && at(document, path) !== undefined;
    default:
      return false;
  }
}

/** The value at a JSON pointer (RFC 6901), or undefined. */
function at(document: Json, pointer: string): Json | undefined {
  if (pointer === '') return document;
  let value: Json | undefined = document;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(value)) value = /^\d+$/.test(key) ? value[Number(key)] : undefined;
    else if (isJsonObject(value)) value = Object.hasOwn(value, key) ? value[key] : undefined;
    else return undefined;
  }
  return value;
}
