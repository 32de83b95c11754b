import { isJsonObject, type Json } from '../json.ts';

/** No value: what a whole placeholder without a value becomes, as opposed to null, which is a value. */
export const NotSet: unique symbol = Symbol('NotSet');
export type NotSet = typeof NotSet;

/** What Python's `int()` takes: a sign, digits of any script, single underscores between them. */
const INTEGER = /^[+-]?\p{Nd}+(?:_\p{Nd}+)*$/u;

/**
 * Reads a value by a path such as `a.b[1].c` (contracts/deploy.md §1.10 "Lookup path", prefect/utilities/collections
 * `get_from_dict`). Every part that reads as an integer is an index, negative ones counting from the end; so keys like
 * `"0"`, and keys that hold a dot or a bracket, cannot be reached. As in Python an index into a text gives a character.
 *
 * @returns the value, or NotSet when the path leads nowhere.
 */
export function lookup(values: Json, path: string): Json | NotSet {
  let value: Json = values;
  for (const part of path.replaceAll('[', '.').replaceAll(']', '').split('.')) {
    const next = INTEGER.test(part) ? itemAt(value, integerOf(part)) : memberOf(value, part);
    if (next === undefined) return NotSet;
    value = next;
  }
  return value;
}

function memberOf(value: Json, key: string): Json | undefined {
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function itemAt(value: Json, index: number): Json | undefined {
  if (Array.isArray(value)) return value.at(index);
  return typeof value === 'string' ? Array.from(value).at(index) : undefined;
}

function integerOf(part: string): number {
  return Number(part.replaceAll('_', '').replace(/\p{Nd}/gu, (digit) => String(digitOf(digit))));
}

/** The value of a decimal digit: in every script the ten digits stand in one row that begins with zero. */
function digitOf(digit: string): number {
  let zero = digit.codePointAt(0) ?? 0;
  let value = 0;
  while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) {
    zero -= 1;
    value += 1;
  }
  return value;
}
