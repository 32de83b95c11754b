import { type Json, SpelledNumber } from '../json.ts';

/**
 * A JSON value as Python's `str()` writes it, which is how Prefect puts a value into surrounding text: `True`, `None`,
 * `1.0`, `{'k': 'v'}` (contracts/deploy.md §1.10, worker.md §4.5). A text is given back as it is; inside lists and
 * mappings it is written as Python's `repr()` does. Keys that look like integers come first, where JavaScript keeps them.
 */
export function pythonStr(value: Json): string {
  return typeof value === 'string' ? value : repr(value);
}

function repr(value: Json): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return textRepr(value);
  if (typeof value === 'number') return numberStr(String(value));
  if (value instanceof SpelledNumber) return numberStr(value.source);
  if (Array.isArray(value)) return `[${value.map(repr).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, member]) => `${textRepr(key)}: ${repr(member)}`)
    .join(', ')}}`;
}

/** A JSON number as Python prints it after reading it: an int keeps all digits, a float gets its shortest form. */
function numberStr(source: string): string {
  if (/^-?\d+$/.test(source)) return source === '-0' ? '0' : source;
  return floatRepr(Number(source));
}

/** Python's float repr: shortest digits, scientific below 1e-4 and from 1e16, an exponent of at least two digits. */
export function floatRepr(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : value < 0 ? '-inf' : 'nan';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const [mantissa = '0', exponentText = '0'] = Math.abs(value).toExponential().split('e');
  const digits = mantissa.replace('.', '');
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 16) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    const power = String(Math.abs(exponent)).padStart(2, '0');
    return `${sign}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${power}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

/** Not printable for Python's `str.isprintable()`: controls, formats, surrogates, unassigned, separators but space. */
const NOT_PRINTABLE = /^[\p{C}\p{Z}]$/u;

function textRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const body = Array.from(text, (character) => {
    if (character === quote) return `\\${quote}`;
    const short = ESCAPES.get(character);
    if (short !== undefined) return short;
    return character !== ' ' && NOT_PRINTABLE.test(character) ? codePointEscape(character) : character;
  });
  return `${quote}${body.join('')}${quote}`;
}

function codePointEscape(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  if (hex.length <= 2) return `\\x${hex.padStart(2, '0')}`;
  return hex.length <= 4 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}
