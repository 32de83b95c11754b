import { type Json, SpelledNumber } from '@slipway/prefect/json';
import * as z from 'zod';
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
    return refuse(context, mustBe(result.what, value), { wanted: result.what });
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
  // Whole numbers beyond a double's reach arrive spelled out; a plain one is a float that pydantic finds too large.
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined;
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

/** A mapping with known keys. Other keys are ignored, or refused by name when `strict`. */
export function shape<Fields extends z.ZodRawShape>(
  fields: Fields,
  options: { readonly strict?: boolean } = {},
): z.ZodType<z.output<z.ZodObject<Fields>>> {
  const schema = z.object(fields);
  const known = Object.keys(fields);
  return z.unknown().transform((value, context) => {
    if (!isMapping(value)) return refuse(context, mustBe('a mapping', value), { wanted: 'a mapping' });
    const unknown = options.strict === true ? Object.keys(value).filter((key) => !known.includes(key)) : [];
    for (const key of unknown) refuse(context, 'is not a known key', { known }, [key]);
    return nested(schema, value, context);
  });
}

/** A list of one kind of item. */
export function list<T>(item: z.ZodType<T>): z.ZodType<T[]> {
  return z.array(item, { error: (issue) => mustBe('a list', issue.input) });
}

/** One of a few words. */
export function oneOf<const Words extends readonly string[]>(words: Words): z.ZodType<Words[number]> {
  const wanted = `one of ${words.join(', ')}`;
  return reader((value) => words.find((word) => word === value) ?? new Wanted(wanted));
}

export function isMapping(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof YamlDate) &&
    !(value instanceof SpelledNumber)
  );
}

/** What a problem's remedy is made of. */
export interface IssueParams {
  readonly wanted?: string;
  /** Keys that exist where an unknown one was written. */
  readonly known?: readonly string[];
  readonly remedy?: string;
}

/** Notes a problem at a path below the value in hand. */
export function refuse(
  context: z.core.$RefinementCtx,
  message: string,
  params: IssueParams,
  path: readonly PropertyKey[] = [],
): never {
  context.addIssue({ code: 'custom', message, path: [...path], params: { ...params } });
  return z.NEVER;
}

/** Runs another schema on the same value and passes its problems on, with their paths. */
export function nested<T>(schema: z.ZodType<T>, value: unknown, context: z.core.$RefinementCtx): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    const wanted = /^must be (.+?), not /s.exec(issue.message)?.[1];
    const params = issue.code === 'custom' ? (issue.params ?? {}) : wanted === undefined ? {} : { wanted };
    context.addIssue({ code: 'custom', message: issue.message, path: [...issue.path], params });
  }
  return z.NEVER;
}
