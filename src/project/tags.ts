import { type Json, SpelledNumber } from '@slipway/prefect/json';
import { pythonStr } from '@slipway/prefect/template';

/**
 * A deployment's tags as Prefect sends them, from the templated value (prefect/types `ListOfNonEmptyStrings`,
 * contracts/deploy.md §1.3): every item as Python's `str()` prints it, blank ones dropped; a plain text is a list of
 * its characters, as odd as that is.
 *
 * @param tags what became of the `tags` key after templating; absent and null mean none.
 * @returns the tags, or undefined when the value is neither text nor a list.
 */
export function tagList(tags: Json | undefined): string[] | undefined {
  if (tags === undefined || tags === null) return [];
  const items = typeof tags === 'string' ? [...tags] : tags;
  if (!Array.isArray(items)) return undefined;
  return items.map(pythonStr).filter((tag) => tag.trim() !== '');
}

/** A tag item as the file has it: numbers, booleans and null are text at once, the rest may hold placeholders. */
export function tagItem(item: Json): Json {
  const isPlain = item === null || ['boolean', 'number'].includes(typeof item) || item instanceof SpelledNumber;
  return isPlain ? pythonStr(item) : item;
}
