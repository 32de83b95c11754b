/**
 * Which cron texts a Prefect server takes. It asks its own copy of croniter, which is unlike any cron library for
 * JavaScript: seconds and years stand at the end, ranges may run backwards, `l5` and `mon-fri#2` are days of the week.
 * So its rules are told here, and compared with croniter's own answers in cron.test.ts.
 */

interface Field {
  readonly name: string;
  readonly lowest: number;
  readonly highest: number;
  readonly words: ReadonlyMap<string, number>;
}

const NO_WORDS: ReadonlyMap<string, number> = new Map();
const MONTHS = wordsFrom(1, 'jan feb mar apr may jun jul aug sep oct nov dec');
const WEEKDAYS = wordsFrom(0, 'sun mon tue wed thu fri sat');

const MINUTE: Field = { name: 'minute', lowest: 0, highest: 59, words: NO_WORDS };
const HOUR: Field = { name: 'hour', lowest: 0, highest: 23, words: NO_WORDS };
const DAY: Field = { name: 'day of month', lowest: 1, highest: 31, words: NO_WORDS };
const MONTH: Field = { name: 'month', lowest: 1, highest: 12, words: MONTHS };
const WEEKDAY: Field = { name: 'day of week', lowest: 0, highest: 6, words: WEEKDAYS };
const SECOND: Field = { name: 'second', lowest: 0, highest: 59, words: NO_WORDS };
const YEAR: Field = { name: 'year', lowest: 1970, highest: 2099, words: NO_WORDS };
const FIELDS = [MINUTE, HOUR, DAY, MONTH, WEEKDAY, SECOND, YEAR];

const ALIASES = ['@midnight', '@hourly', '@daily', '@weekly', '@monthly', '@yearly', '@annually'];

/** A reason to refuse, thrown inside this file only. */
class Refusal extends Error {}

/**
 * Why a server would refuse a cron text, in words that go on from "cron …", or undefined when it takes it.
 *
 * @param text 5 columns, 6 with seconds last, 7 with years after them, or an alias such as `@daily`.
 */
export function cronProblem(text: string): string | undefined {
  const lower = text.toLowerCase();
  if (ALIASES.includes(lower)) return undefined;
  const columns = lower.split(/\s+/).filter((column) => column !== '');
  if (columns.length < 5 || columns.length > 7) {
    const known = lower.startsWith('@') ? `, and the aliases are ${ALIASES.join(', ')}` : '';
    return `has ${columns.length} column${columns.length === 1 ? '' : 's'}; it takes 5, or 6 with seconds at the end${known}`;
  }
  if (columns.some((column) => column === 'r' || column.startsWith('h'))) {
    return 'has a hashed or random column (H, R), which Prefect does not take';
  }
  try {
    for (const [index, field] of FIELDS.slice(0, columns.length).entries()) {
      for (const column of withoutRandom(columns[index] ?? '', field)) checkColumn(column, field, columns.length);
    }
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
  return undefined;
}

function wordsFrom(first: number, words: string): ReadonlyMap<string, number> {
  return new Map(words.split(' ').map((word, index) => [word, first + index]));
}

/** `r(0-29)/10` is any number each time it is read: it passes when both of its ends do. */
function withoutRandom(column: string, field: Field): string[] {
  const match = /^r(?:\((\d+)-(\d+)\))?(?:\/(\d+))?$/.exec(column);
  if (match === null) return [column];
  const [, begin, end, divisor] = match;
  if (begin !== undefined && Number(begin) >= Number(end)) refuse(field, column, 'the range is empty');
  if (divisor !== undefined && Number(divisor) === 0) refuse(field, column, 'a step of 0 never moves on');
  const first = Number(begin ?? field.lowest);
  const last = Number(end ?? field.highest);
  if (divisor === undefined) return [String(first), String(last)];
  return [first, first + Number(divisor) - 1].map((low) => `${low}-${last}/${divisor}`);
}

/** Throws a Refusal for the first element of a column that does not pass. */
function checkColumn(column: string, field: Field, columns: number): void {
  const isDays = field === DAY || field === WEEKDAY;
  if (column.includes('?')) {
    if (column !== '?' || !isDays) refuse(field, column, '? stands alone, for the day of month or of week');
    return;
  }
  const plain = new Set<number | '*'>();
  const numbered = new Set<number | '*'>();
  for (const element of column.split(',')) {
    const { rest, isNumbered } = withoutNumber(element, field, column);
    for (const value of valuesOf(rest, field, columns, column)) {
      plain.add(value);
      if (isNumbered) numbered.add(value);
    }
  }
  if (numbered.size === 0 || plain.size === 7) return;
  if ([...plain].some((value) => value !== '*' && !numbered.has(value))) {
    refuse(field, column, 'plain days cannot stand beside numbered ones (2#3, l5)');
  }
}

const WEEKDAY_WORDS = [...WEEKDAYS.keys()].join('|');
const MONTH_WORDS = [...MONTHS.keys()].join('|');
const NUMBERED = new RegExp(
  `^(?:((?:${WEEKDAY_WORDS})(?:-(?:${WEEKDAY_WORDS}))?|(?:${MONTH_WORDS})(?:-(?:${MONTH_WORDS}))?|\\w+)#|l)(\\d+)$`,
);

/** Takes the number off `2#3` (the third Tuesday) and the `l` off `l5` (the last Friday). */
function withoutNumber(element: string, field: Field, column: string): { rest: string; isNumbered: boolean } {
  const match = field === WEEKDAY ? NUMBERED.exec(element) : null;
  if (match === null) return { rest: element, isNumbered: false };
  const [, day, number = ''] = match;
  if (day === undefined) return { rest: number, isNumbered: true };
  if (Number(number) < 1 || Number(number) > 5) refuse(field, column, 'the number after # goes from 1 to 5');
  return { rest: day, isNumbered: true };
}

/** The values that one element stands for; a range that is a single value stands for the whole field. */
function valuesOf(element: string, field: Field, columns: number, column: string): (number | '*')[] {
  const range = asRange(element, field);
  if (range === undefined) return singleValue(element, field, columns, column);
  const last = range.high === 'l' && field === DAY ? '31' : range.high;
  const low = aliased(numberOf(range.low, field, column), field, columns);
  const high = aliased(numberOf(last, field, column), field, columns);
  if (Math.max(low, high) > field.highest) refuse(field, column, `it goes from ${field.lowest} to ${field.highest}`);
  if (range.step === 0) refuse(field, column, 'a step of 0 never moves on');
  if (low === high) return upTo(field.lowest, field.highest, range.step);
  // A range starts with its low end, forwards as backwards.
  if (low < field.lowest) refuse(field, column, `it goes from ${field.lowest} to ${field.highest}`);
  if (low < high) return upTo(low, high, range.step);
  return [...upTo(low, field.highest, range.step), ...upTo(field.lowest, high, range.step)];
}

function singleValue(element: string, field: Field, columns: number, column: string): (number | '*')[] {
  if (element === '*') return ['*'];
  // The last day of the month is its 31st as far as checks go.
  if (element === 'l' && field === DAY) return [31];
  const value = aliased(numberOf(element, field, column), field, columns);
  if (value < field.lowest || value > field.highest) {
    refuse(field, column, `it goes from ${field.lowest} to ${field.highest}`);
  }
  return [value];
}

/** `1-5`, `1-5/2`, and what is short for a range to the field's end: a star or a number with a step. */
function asRange(element: string, field: Field): { low: string; high: string; step: number } | undefined {
  const spelled = [
    element.replace(/^\*\/(?=.)/, `${field.lowest}-${field.highest}/`),
    element.replace(/^(.+)\/(.+)$/, `$1-${field.highest}/$2`),
  ];
  for (const text of spelled) {
    const match = /^([^-]+)-([^-/]+)(?:\/(\d+))?$/.exec(text);
    if (match !== null) return { low: match[1] ?? '', high: match[2] ?? '', step: Number(match[3] ?? 1) };
  }
  return undefined;
}

function numberOf(text: string, field: Field, column: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  const word = field.words.get(text);
  if (word !== undefined) return word;
  if (text.startsWith('-')) refuse(field, column, 'negative numbers are not taken');
  return refuse(field, column, text === '' ? 'something is missing' : `${JSON.stringify(text)} is unknown there`);
}

/** Sunday may be 7 in 5 columns; in 6 (not in 7), day 0 is day 1. */
function aliased(value: number, field: Field, columns: number): number {
  if (field === WEEKDAY && columns === 5 && value === 7) return 0;
  return field === DAY && columns === 6 && value === 0 ? 1 : value;
}

/** Every step-th number; a step beyond the end leaves the first. */
function upTo(low: number, high: number, step: number): number[] {
  return Array.from({ length: Math.max(0, Math.floor((high - low) / step) + 1) }, (_, index) => low + index * step);
}

function refuse(field: Field, column: string, reason: string): never {
  throw new Refusal(`has ${JSON.stringify(column)} for the ${field.name}: ${reason}`);
}
