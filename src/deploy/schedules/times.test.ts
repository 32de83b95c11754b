import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readAnchor } from './anchor.ts';
import { isTimezone, timezoneMeant } from './timezone.ts';

function golden<T>(name: string): T[] {
  return JSON.parse(readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8')) as T[];
}

describe('a time zone', () => {
  const cases = golden<{ name: string; rrule: boolean }>('timezone-cases.json');

  it(`is taken exactly where Prefect takes it (${cases.length} names)`, () => {
    expect(cases.map(({ name }) => [name, isTimezone(name)])).toEqual(cases.map(({ name, rrule }) => [name, rrule]));
  });

  it.each([
    ['europe/berlin', 'Europe/Berlin'],
    ['utc', 'UTC'],
    ['Mars/Base', undefined],
  ])('%s was meant as %s', (name, meant) => {
    expect(timezoneMeant(name)).toBe(meant);
  });
});

describe('an anchor date', () => {
  /** Weeks and days of the year are dates as well, which nobody writes. */
  const NOT_READ = ['2024-W01-1', '2024-001'];
  const cases = golden<{ text: string; instant: string | null }>('anchor-cases.json');

  it(`is the instant that Prefect makes of it (${cases.length} texts)`, () => {
    const read = cases.map(({ text }) => [text, readAnchor(text)?.instant ?? null]);
    expect(read).toEqual(cases.map(({ text, instant }) => [text, NOT_READ.includes(text) ? null : micros(instant)]));
  });

  it('keeps its offset', () => {
    expect(readAnchor('2024-01-01 00:00+0200')?.text).toBe('2024-01-01T00:00:00+02:00');
    expect(readAnchor('2024-01-01')?.text).toBe('2024-01-01T00:00:00Z');
  });
});

/** Microseconds, which a Date does not keep. */
function micros(instant: string | null): number | null {
  if (instant === null) return null;
  const fraction = /\.(\d{6})/.exec(instant)?.[1] ?? '0';
  return Date.parse(instant.replace(/\.\d+/, '')) * 1000 + Number(fraction);
}
