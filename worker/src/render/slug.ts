import { HTML_ENTITIES } from './html-entities.ts';
import { latin } from './letters.ts';

/**
 * Names and labels as Prefect's Kubernetes worker writes them (contracts/worker.md §4.7, prefect_kubernetes/utilities.py).
 * What is not ASCII is transliterated; the tables for that are another library's than Python's, and a few rare
 * characters come out differently. They are loaded when a name needs them (letters.ts): any of these functions may throw
 * LettersNotLoaded.
 */

/** A name for an object: lower case, at most 45 characters, undefined when nothing is left of it. */
export function slugName(text: string): string | undefined {
  const slug = slugify(text, /[^a-zA-Z0-9-]+/g, 45, true);
  return slug === '' ? undefined : slug;
}

/** A label's key: an optional prefix before the first slash, and a name. What leaves nothing stays as it was. */
export function slugLabelKey(key: string): string {
  const slash = key.indexOf('/');
  const name = slash < 0 ? key : key.slice(slash + 1);
  const slug = trimmed(slugify(name, /[^a-zA-Z0-9-_.]+/g, 63)) || name;
  const prefix = key.slice(0, Math.max(slash, 0));
  if (prefix === '') return slug;
  return `${trimmed(slugify(prefix, /[^a-zA-Z0-9-.]+/g, 253)) || prefix}/${slug}`;
}

/** A label's value; what leaves nothing stays as it was. */
export function slugLabelValue(value: string): string {
  return trimmed(slugify(value, /[^a-zA-Z0-9-_.]+/g, 63)) || value;
}

/** True for what Kubernetes takes as a label's value. */
export function isLabelValue(value: string): boolean {
  return /^$|^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/.test(value);
}

/** The algorithm of python-slugify 9 with its default settings, in its order. */
function slugify(text: string, disallowed: RegExp, maxLength: number, lowerCase = false): string {
  const ascii = decoded(toAscii(text.replace(/'+/g, '-').normalize('NFKD'))).normalize('NFKD');
  const slug = (lowerCase ? ascii.toLowerCase() : ascii)
    .replace(/'+/g, '')
    .replace(/(?<=\d),(?=\d)/g, '')
    .replace(disallowed, '-')
    .replace(/-{2,}/g, '-')
    .replace(/^-+|-+$/g, '');
  return slug.length < maxLength ? slug : slug.slice(0, maxLength).replace(/^-+|-+$/g, '');
}

/** What Python's table has other letters for than ours, of scripts that people write names in. */
const OTHERWISE: ReadonlyMap<string, string> = new Map(
  "Ŋ:ng ŋ:NG Β:B Η:E Ξ:Ks Υ:U Φ:Ph Χ:Kh β:b η:e υ:u φ:ph χ:kh Є:E Х:Kh Ц:Ts Ь:' Ю:Iu Я:Ia х:kh ц:ts ь:' ю:iu я:ia"
    .split(' ')
    .map((pair) => [pair.slice(0, 1), pair.slice(2)]),
);

/** One character after the other; a Chinese one is a word, with a space behind it. */
function toAscii(text: string): string {
  if (Buffer.byteLength(text) === text.length) return text;
  return Array.from(text, (character) => {
    if (character <= '~') return character;
    // What is left of é and ü after their letters: no reason to load the tables.
    if (/[\u0300-\u036f]/.test(character)) return '';
    const letters = OTHERWISE.get(character) ?? latin(character);
    return /\p{Script=Han}/u.test(character) && letters !== '' ? `${letters} ` : letters;
  }).join('');
}

/** Named, then decimal, then hexadecimal character references; one of a kind that is no character spoils its kind. */
function decoded(text: string): string {
  const named = text.replace(/&(\w+);/g, (reference, name: string) => HTML_ENTITIES.get(name) ?? reference);
  return numeric(numeric(named, /&#(\d+);/g, 10), /&#x([\da-fA-F]+);/g, 16);
}

function numeric(text: string, pattern: RegExp, base: number): string {
  try {
    return text.replace(pattern, (_reference, digits: string) => String.fromCodePoint(Number.parseInt(digits, base)));
  } catch (error) {
    if (error instanceof RangeError) return text;
    throw error;
  }
}

function trimmed(slug: string): string {
  return slug.replace(/^[_.-]+|[_.-]+$/g, '');
}
