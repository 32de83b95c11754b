/** `20240101`, `20240101T0930`, `20240101T093000Z`, `2024-01-01T09:30:00+02:00`. */
const DATE =
  /^(?<year>\d{4})(?<dash>-?)(?<month>\d\d)\k<dash>(?<day>\d\d)(?:[T ](?<hour>\d\d):?(?<minute>\d\d)(?::?(?<second>\d\d)(?:[.,]\d+)?)?(?<zone>Z|[-+]\d\d(?::?\d\d)?)?)?$/;

/**
 * Why a date inside a recurrence rule is none, or undefined. Python's parser takes far more spellings than RFC 5545;
 * any that we do not know but that could be one is let through, for the server to judge.
 */
export function dateProblem(text: string): string | undefined {
  const parts = DATE.exec(text)?.groups;
  if (parts === undefined) return /\d/.test(text) ? undefined : 'it is no date, such as 20240131T093000';
  const { year, month, day, hour = '0', minute = '0', second = '0' } = parts;
  if (Number(year) < 1) return 'years begin with 0001';
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return 'there is no such day';
  return Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59 ? 'there is no such time' : undefined;
}

/** Whether a date names its offset from UTC; undefined for a spelling we do not know. */
export function isAware(text: string): boolean | undefined {
  const parts = DATE.exec(text)?.groups;
  return parts === undefined ? undefined : parts.zone !== undefined;
}

/** Hour, minute and second of a date; undefined for a spelling we do not know. */
export function clockOf(text: string): readonly [number, number, number] | undefined {
  const parts = DATE.exec(text)?.groups;
  if (parts === undefined) return undefined;
  const { hour = '0', minute = '0', second = '0' } = parts;
  return [Number(hour), Number(minute), Number(second)];
}
