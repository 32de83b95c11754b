import type { Entry, Position } from './model.ts';

/** Where a key of an entry stands, or the nearest thing around it that does. */
export function placeOf(entry: Pick<Entry, 'positions' | 'where'>, key: string): Position {
  const parts = key.split('.');
  for (let length = parts.length; length > 0; length -= 1) {
    const position = entry.positions.get(parts.slice(0, length).join('.'));
    if (position !== undefined) return position;
  }
  return entry.where;
}
