/** Python's string, bytes and number literals as values (the language reference, "Lexical analysis" 2.5–2.7). */

export type StringLiteral =
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'bytes'; readonly value: string }
  /** Not decoded: `\N{…}` needs the Unicode names. */
  | { readonly kind: 'undecoded' };

/** What stands before and around the content: `rb"""` → raw, bytes, length of opening and closing quotes. */
export interface StringShape {
  readonly raw: boolean;
  readonly bytes: boolean;
  /** Offset of the first character of the content. */
  readonly start: number;
  /** Length of the closing quotes. */
  readonly quotes: number;
}

/** The shape of one string literal's source text. */
export function stringShape(source: string): StringShape {
  let start = 0;
  while (start < source.length && source[start] !== '"' && source[start] !== "'") start += 1;
  const prefix = source.slice(0, start).toLowerCase();
  const quote = source[start] ?? '"';
  const quotes = source.startsWith(quote.repeat(3), start) && source.length >= start + 6 ? 3 : 1;
  return { raw: prefix.includes('r'), bytes: prefix.includes('b'), start: start + quotes, quotes };
}

/** The value of one string or bytes literal given its source text, quotes and prefix included. */
export function readString(source: string): StringLiteral {
  const shape = stringShape(source);
  const content = source.slice(shape.start, source.length - shape.quotes);
  const value = shape.raw ? content : resolveEscapes(content, shape.bytes);
  if (value === undefined) return { kind: 'undecoded' };
  return shape.bytes ? { kind: 'bytes', value } : { kind: 'string', value };
}

const SIMPLE: Readonly<Record<string, string>> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** Number of hexadecimal digits after `\x`, `\u`, `\U`. */
const HEX: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/**
 * Resolves backslash escapes; an unknown one stays as written, as Python leaves it.
 *
 * @returns undefined when an escape cannot be resolved here (`\N{…}`, a malformed `\x`).
 */
export function resolveEscapes(content: string, bytes: boolean): string | undefined {
  let out = '';
  let at = 0;
  while (at < content.length) {
    const next = content.indexOf('\\', at);
    if (next === -1) return out + content.slice(at);
    out += content.slice(at, next);
    const letter = content[next + 1] ?? '';
    const simple = SIMPLE[letter];
    const octal = octalDigits(content, next + 1);
    const width = bytes && letter !== 'x' ? undefined : HEX[letter];
    if (simple !== undefined) {
      out += simple;
      at = next + 2;
    } else if (octal > 0) {
      out += String.fromCharCode(Number.parseInt(content.slice(next + 1, next + 1 + octal), 8));
      at = next + 1 + octal;
    } else if (width !== undefined) {
      const digits = content.slice(next + 2, next + 2 + width);
      const code = digits.length === width ? Number(`0x${digits}`) : Number.NaN;
      if (!(code <= 0x10ffff)) return undefined;
      out += String.fromCodePoint(code);
      at = next + 2 + width;
    } else if (letter === 'N' && !bytes) {
      return undefined;
    } else {
      out += `\\${letter}`;
      at = next + 1 + letter.length;
    }
  }
  return out;
}

function octalDigits(content: string, at: number): number {
  let count = 0;
  while (count < 3 && '01234567'.includes(content[at + count] ?? 'x')) count += 1;
  return count;
}

export type NumberLiteral =
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  /** The imaginary part. */
  | { readonly kind: 'complex'; readonly value: number };

/** The value of a number literal (`1_` stands for `1.`, see gaps.ts): `1_000`, `0x1f`, `1.5e3`, `2j`; undefined when it is none (`0777`). */
export function readNumber(text: string): NumberLiteral | undefined {
  const plain = (text.endsWith('_') ? `${text}.0` : text).replaceAll('_', '').toLowerCase();
  if (plain.startsWith('0x') || plain.startsWith('0o') || plain.startsWith('0b')) {
    return plain.length > 2 ? { kind: 'int', value: BigInt(plain) } : undefined;
  }
  if (plain.endsWith('j')) return { kind: 'complex', value: Number(plain.slice(0, -1)) };
  if (plain.includes('.') || plain.includes('e')) return { kind: 'float', value: Number(plain) };
  const value = BigInt(plain);
  return plain.startsWith('0') && value !== 0n ? undefined : { kind: 'int', value };
}
