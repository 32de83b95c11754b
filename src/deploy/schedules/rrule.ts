import { clockOf, dateProblem, isAware } from './rrule-date.ts';

/** What a recurrence rule comes to, as far as its first occurrence is concerned. */
export interface RecurrenceRule {
  readonly hasStart: boolean;
  /**
   * Seconds between two occurrences of a rule that runs every so many minutes or seconds without end: such a rule may
   * start at any of its occurrences. Undefined for all others.
   */
  readonly period: number | undefined;
  /** A server takes the rule, but fails when it looks for its dates: UNTIL is in UTC, and DTSTART is not there. */
  readonly neverRuns: boolean;
}

/** Prefect's own limit, about a year of single dates. */
const MAX_LENGTH = 6500;

/** From the rarest to the most frequent. */
const FREQUENCIES = ['YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY', 'HOURLY', 'MINUTELY', 'SECONDLY'];
const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];
const NUMBERS = ['INTERVAL', 'COUNT'];
const NUMBER_LISTS = [
  'BYSETPOS',
  'BYMONTH',
  'BYMONTHDAY',
  'BYYEARDAY',
  'BYEASTER',
  'BYWEEKNO',
  'BYHOUR',
  'BYMINUTE',
  'BYSECOND',
];

/** Why a rule is refused; its message goes on from "rrule …". */
export class RecurrenceError extends Error {
  override readonly name = 'RecurrenceError';
}

/**
 * Reads a recurrence rule as Prefect's server does, which asks dateutil (contracts/deploy.md §1.4): one RRULE with or
 * without its name, or lines of DTSTART, RRULE, EXRULE, RDATE, EXDATE. Libraries for JavaScript read RFC 5545 instead,
 * and differ in what they refuse; rrule.test.ts compares with dateutil's own answers. Odd spellings of dates are left
 * to the server (`dateProblem`).
 *
 * @throws RecurrenceError
 */
export function readRecurrence(text: string): RecurrenceRule {
  if ([...text].length > MAX_LENGTH) refuse(`is longer than ${MAX_LENGTH} characters`);
  const upper = text.toUpperCase();
  const lines = upper.split(/\s+/).filter((line) => line !== '');
  const [only] = lines;
  if (only === undefined) return refuse('is empty');
  if (lines.length === 1 && (!upper.includes(':') || upper.startsWith('RRULE:'))) {
    return summary([readRule(only, undefined)], undefined, false);
  }
  const set = readLines(lines, timezonesOf(text));
  const rules = [...set.rules, ...set.exceptions].map((rule) => readRule(rule, set.start));
  if (set.rules.length === 0 && !set.isSet) refuse('has no RRULE');
  return summary(rules, set.start, set.isSet || set.rules.length > 1);
}

type Rule = ReadonlyMap<string, string>;

function summary(rules: readonly Rule[], start: string | undefined, isSet: boolean): RecurrenceRule {
  const [rule] = rules;
  const hasStart = start !== undefined;
  const neverRuns = !hasStart && rules.some((one) => isAware(one.get('UNTIL') ?? '') === true);
  if (rule === undefined || isSet || rule.has('COUNT')) return { hasStart, period: undefined, neverRuns };
  const unit = { MINUTELY: 60, SECONDLY: 1 }[rule.get('FREQ') ?? ''];
  const interval = wholeNumber(rule.get('INTERVAL') ?? '1') ?? 1;
  if (unit === undefined) return { hasStart, period: undefined, neverRuns };
  // The server divides by it.
  if (interval === 0 && !hasStart) refuse('has INTERVAL=0');
  return { hasStart, period: unit * interval, neverRuns };
}

/** Names of time zones as written, by their capitals: the text itself is read in capitals. */
function timezonesOf(text: string): ReadonlySet<string> {
  return new Set(text.matchAll(/TZID=([^:]+):/g).map(([, name = '']) => name.toUpperCase()));
}

interface Lines {
  readonly start: string | undefined;
  readonly rules: readonly string[];
  readonly exceptions: readonly string[];
  /** With single dates or exceptions it is a set of rules, whose start is never moved. */
  readonly isSet: boolean;
}

function readLines(lines: readonly string[], timezones: ReadonlySet<string>): Lines {
  let start: string | undefined;
  const rules: string[] = [];
  const exceptions: string[] = [];
  let isSet = false;
  for (const line of lines) {
    const colon = line.indexOf(':');
    const [name = '', ...parameters] = colon === -1 ? ['RRULE'] : line.slice(0, colon).split(';');
    const value = colon === -1 ? line : line.slice(colon + 1);
    switch (name) {
      case 'RRULE':
      case 'EXRULE':
        if (parameters.length > 0) refuse(`has parameters on ${name}`);
        (name === 'RRULE' ? rules : exceptions).push(value);
        isSet ||= name === 'EXRULE';
        break;
      case 'RDATE':
        if (parameters.some((one) => one !== 'VALUE=DATE-TIME')) refuse('has an unknown parameter on RDATE');
        readDates(name, value, false);
        isSet = true;
        break;
      case 'EXDATE':
        readDates(name, value, hasTimezone(name, parameters, timezones));
        isSet = true;
        break;
      case 'DTSTART': {
        if (value.includes(',')) refuse('has more than one DTSTART');
        const zoned = hasTimezone(name, parameters, timezones);
        readDates(name, value, zoned);
        start = zoned ? `${value}Z` : value;
        break;
      }
      default:
        refuse(`has the unknown line ${JSON.stringify(name)}`);
    }
  }
  return { start, rules, exceptions, isSet };
}

function hasTimezone(name: string, parameters: readonly string[], timezones: ReadonlySet<string>): boolean {
  let values = 0;
  let zoned = false;
  for (const parameter of parameters) {
    if (parameter.startsWith('TZID=')) {
      zoned ||= timezones.has(parameter.slice('TZID='.length));
      continue;
    }
    if (parameter !== 'VALUE=DATE' && parameter !== 'VALUE=DATE-TIME') refuse(`has an unknown parameter on ${name}`);
    values += 1;
  }
  if (values > 1) refuse(`has VALUE twice on ${name}`);
  return zoned;
}

function readDates(name: string, value: string, zoned: boolean): void {
  for (const date of value.split(',')) {
    const problem = dateProblem(date);
    if (problem !== undefined) refuse(`has ${JSON.stringify(date)} for ${name}: ${problem}`);
    if (zoned && isAware(date) === true) refuse(`has both TZID and an offset on ${name}`);
  }
}

/** One rule's parts by name, checked. */
function readRule(line: string, start: string | undefined): Rule {
  const colon = line.split(':');
  if (colon.length > 2 || (colon.length === 2 && colon[0] !== 'RRULE')) refuse(`has a colon too many in ${line}`);
  const parts = new Map<string, string>();
  for (const pair of (colon.at(-1) ?? '').split(';')) {
    const [name = '', value, ...more] = pair.split('=');
    if (value === undefined || more.length > 0) return refuse(`has ${JSON.stringify(pair)} where NAME=VALUE belongs`);
    const problem = partProblem(name, value);
    if (problem !== undefined) refuse(`has ${JSON.stringify(pair)}: ${problem}`);
    parts.set(name, value);
  }
  if (!parts.has('FREQ')) refuse(`has no FREQ; it is one of ${FREQUENCIES.join(', ')}`);
  checkTimes(parts, start);
  const until = parts.get('UNTIL');
  if (until !== undefined && start !== undefined) {
    const [one, other] = [isAware(start), isAware(until)];
    if (one !== undefined && other !== undefined && one !== other) {
      refuse('has only one of DTSTART and UNTIL in UTC; both have to be, or none');
    }
  }
  return parts;
}

function partProblem(name: string, value: string): string | undefined {
  if (name === 'FREQ') return FREQUENCIES.includes(value) ? undefined : `it is one of ${FREQUENCIES.join(', ')}`;
  if (name === 'WKST') return WEEKDAYS.includes(value) ? undefined : `it is one of ${WEEKDAYS.join(', ')}`;
  if (name === 'UNTIL') return dateProblem(value);
  if (NUMBERS.includes(name)) return wholeNumber(value) === undefined ? 'it is a whole number' : undefined;
  if (name === 'BYDAY' || name === 'BYWEEKDAY') return weekdaysProblem(value);
  if (!NUMBER_LISTS.includes(name)) return 'there is no such part';
  const numbers = value.split(',').map(wholeNumber);
  if (numbers.includes(undefined)) return 'they are whole numbers, with commas between';
  if (name === 'BYSETPOS' && numbers.some((one) => one === 0 || Math.abs(one ?? 0) > 366)) {
    return 'they go from 1 to 366 and from -366 to -1';
  }
  return undefined;
}

/** `MO`, `+1MO`, `-1FR`, `TH(+2)`. */
function weekdaysProblem(value: string): string | undefined {
  for (const day of value.split(',')) {
    const [name, number] = day.includes('(')
      ? [day.split('(')[0], day.split('(')[1]?.slice(0, -1)]
      : [day.replace(/^[-+\d]+/, ''), /^[-+\d]+/.exec(day)?.[0]];
    if (!WEEKDAYS.includes(name ?? '')) return `the days are ${WEEKDAYS.join(', ')}`;
    if (number === undefined) continue;
    if ((wholeNumber(number) ?? 0) === 0) return 'a number before a day is a whole one, and not 0';
  }
  return undefined;
}

/** Hours, minutes and seconds: within their bounds, and met by the interval at all. */
function checkTimes(parts: Rule, start: string | undefined): void {
  const frequency = FREQUENCIES.indexOf(parts.get('FREQ') ?? '');
  const listed = (name: string) =>
    parts
      .get(name)
      ?.split(',')
      .map((one) => wholeNumber(one) ?? 0);
  const units = [
    { name: 'BYHOUR', base: 24, unit: 'HOURLY' },
    { name: 'BYMINUTE', base: 60, unit: 'MINUTELY' },
    { name: 'BYSECOND', base: 60, unit: 'SECONDLY' },
  ];
  for (const [index, { name, base, unit }] of units.entries()) {
    const values = listed(name);
    if (values === undefined) continue;
    if (frequency < FREQUENCIES.indexOf('HOURLY') && values.some((value) => value < 0 || value >= base)) {
      refuse(`has ${name}=${parts.get(name)}: it goes from 0 to ${base - 1}`);
    }
    if (parts.get('FREQ') !== unit) continue;
    // A rule without DTSTART starts at midnight, of 2020-01-01.
    const first = (start === undefined ? [0, 0, 0] : clockOf(start))?.[index];
    const common = greatestCommonDivisor(wholeNumber(parts.get('INTERVAL') ?? '1') ?? 1, base);
    if (first !== undefined && values.every((value) => (value - first) % common !== 0)) {
      refuse(`never meets ${name}=${parts.get(name)}, counted from its start by its INTERVAL`);
    }
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? Math.abs(a) : greatestCommonDivisor(b, a % b);
}

/** Python reads `+5` and `1_000` as well. */
function wholeNumber(text: string): number | undefined {
  return /^[-+]?\d+(?:_\d+)*$/.test(text) ? Number(text.replaceAll('_', '')) : undefined;
}

function refuse(message: string): never {
  throw new RecurrenceError(message);
}
