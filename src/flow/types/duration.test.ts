import { expect, it } from 'vitest';
import { isoDuration } from './duration.ts';

const SECOND = 1_000_000;
const DAY = 86_400 * SECOND;

/** Asked of pydantic 2.14.1: TypeAdapter(timedelta).dump_python(value, mode="json"). */
it.each([
  [0, 'PT0S'],
  [3600 * SECOND, 'PT1H'],
  [5400 * SECOND, 'PT1H30M'],
  [7 * DAY, 'P7D'],
  [DAY + 5 * SECOND, 'P1DT5S'],
  [1.5 * DAY, 'P1DT12H'],
  [3661 * SECOND + 5, 'PT1H1M1.000005S'],
  [800 * DAY + 3600 * SECOND, 'P2Y70DT1H'],
  [365 * DAY, 'P1Y'],
  [-1, '-PT0.000001S'],
  [-(3 * DAY + 4 * 3600 * SECOND), '-P3DT4H'],
])('%d microseconds are %s', (microseconds, expected) => {
  expect(isoDuration(microseconds)).toBe(expected);
});
