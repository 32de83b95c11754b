import { type Json, SpelledNumber } from '@slipway/prefect/json';
import { z } from 'zod';
import { formatDuration, inRange, parseDuration } from './duration.ts';
import { YamlDate } from './nodes.ts';
import { spellFloat } from './scalars.ts';

/**
 * The leniencies of pydantic's "lax" mode, as zod types: which YAML values pass as text, boolean, whole number or
 * duration, and what they become (contracts/deploy.md §1.3, §1.4; measured on pydantic 2.14). Input is what
 * `toPlain` makes of a node.
 */

/** A reader's "no": what it wants instead of what it got. */
class Wanted {
  readonly what: string;

  constructor(what: string) {
    this.what = what;
  }
}

function reader<T>(read: (value: unknown) => T | Wanted): z.ZodType<T> {
  return z.unknown().transform((value, context): T => {
    const result = read(value);
    if (!(result instanceof Wanted)) return result;
    context.addIssue({ code: 'custom', message: mustBe(result.what, value), params: { wanted: result.what } });
    return z.NEVER;
  });
}

/** What a shape wanted and what it got: "must be text, not the number 1.0". */
export function mustBe(what: string, got: unknown): string {
  return `must be ${what}, not ${describe(got)}`;
}

/** Names a YAML value in a message; long text is cut. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (value instanceof YamlDate) return `the ${value.hasTime ? 'time' : 'date'} ${value.text}`;
  if (typeof value === 'boolean') return `the boolean ${value}`;
  if (typeof value === 'number' || value instanceof SpelledNumber) return `the number ${JSON.stringify(value)}`;
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = String(value);
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

export const TEXT = 'text';

export const text = reader((value) => (typeof value === 'string' ? value : new Wanted(TEXT)));

const TRUE_WORDS = ['true', 't', 'yes', 'y', 'on', '1'];
const FALSE_WORDS = ['false', 'f', 'no', 'n', 'off', '0'];

function asBool(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number' || value instanceof SpelledNumber) {
    return Number(value) === 1 ? true : Number(value) === 0 ? false : undefined;
  }
  if (typeof value !== 'string') return undefined;
  const word = value.toLowerCase();
  return TRUE_WORDS.includes(word) ? true : FALSE_WORDS.includes(word) ? false : undefined;
}

export const bool = reader((value) => asBool(value) ?? new Wanted('true or false'));

/** A boolean, or text that may be a template (`active: "{{ step.stdout }}"`); text stays text, also `'yes'`. */
export const boolOrText = reader(
  (value) => (typeof value === 'string' ? value : asBool(value)) ?? new Wanted('true, false or text'),
);

export const WHOLE_NUMBER = 'a whole number';

export const int = reader((value) => asInt(value) ?? new Wanted(WHOLE_NUMBER));

function asInt(value: unknown): number | SpelledNumber | undefined {
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'number') return Number.isInteger(value) ? value : undefined;
  if (value instanceof SpelledNumber) {
    if (/^-?\d+$/.test(value.source)) return value;
    return Number.isSafeInteger(Number(value)) ? Number(value) : undefined;
  }
  if (typeof value !== 'string' || !/^\s*[-+]?\d+(?:_\d+)*(?:\.0+)?\s*$/.test(value)) return undefined;
  const digits = BigInt(value.trim().replace(/\.0+$/, '').replace(/^\+/, '').replaceAll('_', ''));
  return Number.isSafeInteger(Number(digits)) ? Number(digits) : new SpelledNumber(digits.toString());
}

/** Seconds of a number or of duration text; a quoted number and a template are neither. */
export function asSeconds(value: unknown): number | undefined {
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'number' || value instanceof SpelledNumber) return inRange(Number(value));
  return typeof value === 'string' ? parseDuration(value) : undefined;
}

export const DURATION = 'a number of seconds (not in quotes), an ISO 8601 duration like PT1H, or HH:MM:SS';

/** A duration as the ISO 8601 text that Prefect's CLI dumps for a plain timedelta. */
export const isoDuration = reader((value) => {
  const seconds = asSeconds(value);
  return seconds === undefined ? new Wanted(DURATION) : formatDuration(seconds);
});

/** A duration as a float of seconds, as Prefect's own models dump it. */
export const secondsDuration = reader((value): Json | Wanted => {
  const seconds = asSeconds(value);
  return seconds === undefined ? new Wanted(DURATION) : spellFloat(seconds);
});

/** A mapping as plain JSON; which keys it has is its own business. */
export const mapping = reader((value) => {
  const json = plainToJson(value);
  return typeof json === 'object' && json !== null && !Array.isArray(json) && !(json instanceof SpelledNumber)
    ? json
    : new Wanted('a mapping');
});

/** Any value as plain JSON, dates as text. */
export const anything = reader(plainToJson);

function plainToJson(value: unknown): Json {
  if (value instanceof YamlDate) return value.text;
  if (Array.isArray(value)) return value.map(plainToJson);
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (value instanceof SpelledNumber) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainToJson(item)]));
}

/** Runs another schema on the same value and passes its problems on, with their paths. */
export function nested<T>(schema: z.ZodType<T>, value: unknown, context: z.core.$RefinementCtx): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) context.issues.push({ ...issue, input: value });
  return z.NEVER;
}
