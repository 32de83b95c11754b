import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { timesChanges } from './compare.ts';
import { RecurrenceError, readRecurrence } from './rrule.ts';

const cases = JSON.parse(readFileSync(new URL('fixtures/rrule-cases.json', import.meta.url), 'utf8')) as {
  rrule: string;
  accepted: boolean;
  stored?: string;
}[];

function problemOf(rule: string): string | undefined {
  try {
    readRecurrence(rule);
    return undefined;
  } catch (error) {
    if (!(error instanceof RecurrenceError)) throw error;
    return error.message;
  }
}

/** Spelt as none of the dates we know, but near enough to be one. */
const LEFT_TO_SERVER = ['DTSTART:20240101T9\nRRULE:FREQ=DAILY'];

describe('a recurrence rule', () => {
  it(`is taken exactly where Prefect’s own dateutil takes it (${cases.length} rules)`, () => {
    const judged = cases.map(({ rrule }) => ({ rrule, accepted: problemOf(rrule) === undefined }));
    const left = cases.map(({ rrule, accepted }) => ({ rrule, accepted: accepted || LEFT_TO_SERVER.includes(rrule) }));
    expect(judged).toEqual(left);
  });

  it('is no change once the server has given it a start', () => {
    const stored = cases.filter((one) => one.accepted).map((one) => ({ ...one, stored: one.stored ?? one.rrule }));
    const changed = stored.filter(({ rrule, stored: there }) => {
      return timesChanges({ rrule, timezone: 'UTC' }, { rrule: there, timezone: 'UTC' }).length > 0;
    });
    expect(changed).toEqual([]);
    expect(stored.filter((one) => one.stored !== one.rrule).length).toBeGreaterThan(40);
  });

  it.each([
    ['another start', 'FREQ=DAILY', 'DTSTART:20240101T000000\nFREQ=DAILY'],
    ['a start that is no occurrence', 'FREQ=MINUTELY;INTERVAL=7', 'DTSTART:20260102T120100\nFREQ=MINUTELY;INTERVAL=7'],
    ['a start of its own', 'DTSTART:20240101T000000\nFREQ=DAILY', 'DTSTART:20200101T000000\nFREQ=DAILY'],
    ['another rule', 'FREQ=DAILY', 'DTSTART:20200101T000000\nFREQ=WEEKLY'],
  ])('is a change with %s', (_name, rrule, stored) => {
    expect(timesChanges({ rrule, timezone: 'UTC' }, { rrule: stored, timezone: 'UTC' })).toHaveLength(1);
  });

  it.each([
    ['FREQ=FORTNIGHTLY', 'has "FREQ=FORTNIGHTLY": it is one of YEARLY, MONTHLY'],
    ['FREQ=DAILY;BYHOUR=24', 'has BYHOUR=24: it goes from 0 to 23'],
    ['FREQ=HOURLY;INTERVAL=2;BYHOUR=9', 'never meets BYHOUR=9'],
    ['FREQ=DAILY;BYFOO=1', 'there is no such part'],
    ['DTSTART:20240230\nFREQ=DAILY', 'has "20240230" for DTSTART: there is no such day'],
  ])('%j is refused with the reason', (rule, reason) => {
    expect(problemOf(rule)).toContain(reason);
  });
});
