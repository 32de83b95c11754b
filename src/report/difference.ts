import { type Json, SpelledNumber } from '@slipway/prefect/json';
import type { Change } from '../deploy/model.ts';
import { type DiffLine, lineDiff } from './line-diff.ts';

/** The text with every secret replaced by `***`: asked before anything is cut, lest a half of one stays. */
export type Redact = (text: string) => string;

/** How a field that changes is shown: two values on one line each, or the lines that differ. */
export type Difference =
  | { readonly kind: 'values'; readonly before: string; readonly after: string }
  | { readonly kind: 'lines'; readonly lines: readonly DiffLine[] };

const LONGEST_VALUE = 120;
/** Characters shown before and behind the place where two long values differ. */
const BEFORE_DIFFERENCE = 30;
const BEHIND_DIFFERENCE = 20;
const MOST_LINES = 40;
/** What is shown for a field that is not there. */
export const NONE = '(none)';

/**
 * What differs between two values, so that it can be seen: short values as they are, the part around the difference of
 * long ones, texts of several lines and long lists line by line.
 */
export function difference({ before, after }: Pick<Change, 'before' | 'after'>, redact: Redact): Difference {
  const lines = [textLines(before, redact), textLines(after, redact)];
  const ofText = isText(before) && isText(after) && lines.some((one) => one.length > 1);
  const [old, young] = [whole(before, redact), whole(after, redact)];
  if (old === young) return { kind: 'values', before: cut(old), after: `${cut(young)} (another value)` };
  if (ofText) return { kind: 'lines', lines: shortened(lineDiff(lines[0] ?? [], lines[1] ?? [])) };
  if (isPlainList(before) && isPlainList(after) && old.length + young.length > 2 * LONGEST_VALUE) {
    const items = [before, after].map((list) => list.map((item) => cut(whole(item, redact))));
    return { kind: 'lines', lines: shortened(lineDiff(items[0] ?? [], items[1] ?? [])) };
  }
  return { kind: 'values', ...around(old, young) };
}

/** A value on one line, cut where it is long. */
export function valueText(value: Json | undefined, redact: Redact): string {
  return cut(whole(value, redact));
}

function whole(value: Json | undefined, redact: Redact): string {
  return value === undefined ? NONE : redact(visible(JSON.stringify(value)));
}

function isText(value: Json | undefined): boolean {
  return value === undefined || value === null || typeof value === 'string';
}

function textLines(value: Json | undefined, redact: Redact): string[] {
  return typeof value === 'string' ? redact(value).split('\n').map(visible) : [];
}

function isPlainList(value: Json | undefined): value is Json[] {
  return (
    Array.isArray(value) &&
    value.every((item) => item === null || typeof item !== 'object' || item instanceof SpelledNumber)
  );
}

/** Signs that nobody sees, or that move the cursor or turn the direction of writing, spelled out. */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) => {
    const code = sign.codePointAt(0) ?? 0;
    if (sign === '\t') return sign;
    return sign === '\r' ? '\\r' : `\\u{${code.toString(16)}}`;
  });
}

function cut(text: string): string {
  if (text.length <= LONGEST_VALUE) return text;
  return `${text.slice(0, wholeSign(text, LONGEST_VALUE - 20))}… (${text.length} characters)`;
}

/** Two values with the same begin and end left out, as far as they are long. */
function around(before: string, after: string): { before: string; after: string } {
  const longest = Math.max(before.length, after.length);
  if (longest <= LONGEST_VALUE || before === NONE || after === NONE) return { before: cut(before), after: cut(after) };
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  const part = (text: string): string => {
    const from = wholeSign(text, Math.max(0, start - BEFORE_DIFFERENCE));
    const to = wholeSign(text, Math.min(text.length, text.length - end + BEHIND_DIFFERENCE));
    const shown = text.slice(from, to);
    const middle = shown.length <= 2 * LONGEST_VALUE ? shown : cut(shown);
    return `${from > 0 ? '…' : ''}${middle}${to < text.length && middle === shown ? '…' : ''}`;
  };
  return { before: part(before), after: part(after) };
}

/** An index that does not lie between the two halves of one sign. */
function wholeSign(text: string, index: number): number {
  const code = text.charCodeAt(index);
  return code >= 0xdc00 && code <= 0xdfff ? index - 1 : index;
}

function shortened(lines: readonly DiffLine[]): DiffLine[] {
  const shown = lines.map((line) => ('text' in line ? { ...line, text: cut(line.text) } : line));
  if (shown.length <= MOST_LINES) return shown;
  const rest = shown.slice(MOST_LINES);
  const count = (kind: DiffLine['kind']) => rest.filter((line) => line.kind === kind).length;
  const [added, removed] = [count('added'), count('removed')];
  return [...shown.slice(0, MOST_LINES), { kind: 'cut off', added, removed }];
}
