import { isJsonObject, type Json } from '../json.ts';

/** What a placeholder reads: a given value, an environment variable, a block document or a Prefect variable. */
export type PlaceholderKind = 'standard' | 'env' | 'block' | 'variable';

/** One placeholder of a text, e.g. `{{ build-image.tag }}`. */
export interface Placeholder {
  /** The text to replace, braces and white space included. */
  readonly fullMatch: string;
  /** What stands between the braces, e.g. `build-image.tag`, `$HOME`, `prefect.blocks.secret.key`. */
  readonly name: string;
  readonly kind: PlaceholderKind;
}

export const BLOCK_PREFIX = 'prefect.blocks.';
export const VARIABLE_PREFIX = 'prefect.variables.';

/**
 * Python's `\w` is letters, every kind of number and `_`, without combining marks; its `\s` has the separators
 * U+001C–001F and U+0085, and not U+FEFF. JavaScript's classes differ in both.
 */
const SPACE = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]*';
const PLACEHOLDER = new RegExp(`\\{\\{${SPACE}([\\p{L}\\p{N}_.\\-\\[\\]$]+)${SPACE}\\}\\}`, 'gu');

/**
 * The placeholders of a text in the order they stand there, repeated ones repeated (contracts/deploy.md §1.10
 * "Grammar", prefect/utilities/templating `find_placeholders`). Anything else between braces (filters, spaces
 * inside, quotes, `{% %}`) is plain text.
 */
export function findPlaceholders(text: string): Placeholder[] {
  return Array.from(text.matchAll(PLACEHOLDER), ([fullMatch, name = '']) => ({ fullMatch, name, kind: kindOf(name) }));
}

/** The only placeholder of a text that consists of nothing else; such a text takes its value with the type. */
export function wholePlaceholder(text: string): Placeholder | undefined {
  const [first] = findPlaceholders(text);
  return first?.fullMatch === text ? first : undefined;
}

/**
 * Replaces placeholders in one pass over the original text, so that a value which holds a placeholder is not expanded
 * again; Prefect replaces them one after the other in no fixed order (contracts/worker.md §4.5).
 *
 * @param replacement the text for a placeholder, or undefined to leave it as it stands.
 */
export function replacePlaceholders(
  text: string,
  replacement: (placeholder: Placeholder) => string | undefined,
): string {
  return text.replace(
    PLACEHOLDER,
    (fullMatch: string, name: string) => replacement({ fullMatch, name, kind: kindOf(name) }) ?? fullMatch,
  );
}

/**
 * The names of the standard placeholders that a value still holds, each once, in order; keys of mappings are not
 * looked at, as they are never templated. For messages that tell what could not be filled in.
 */
export function unresolved(template: Json): string[] {
  const names = new Set<string>();
  collect(template, names);
  return [...names];
}

function collect(template: Json, names: Set<string>): void {
  if (typeof template === 'string') {
    for (const { kind, name } of findPlaceholders(template)) if (kind === 'standard') names.add(name);
  } else if (Array.isArray(template)) {
    for (const item of template) collect(item, names);
  } else if (isJsonObject(template)) {
    for (const value of Object.values(template)) collect(value, names);
  }
}

function kindOf(name: string): PlaceholderKind {
  if (name.startsWith(BLOCK_PREFIX)) return 'block';
  if (name.startsWith(VARIABLE_PREFIX)) return 'variable';
  return name.startsWith('$') ? 'env' : 'standard';
}
