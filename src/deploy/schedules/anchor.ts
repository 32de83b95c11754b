const ANCHOR =
  /^(?<year>\d{4})(?:(?<dash>[-/]?)(?<month>\d\d)(?:\k<dash>(?<day>\d\d))?)?(?:[T ](?<hour>\d\d)(?::?(?<minute>\d\d)(?::?(?<second>\d\d)(?:[.,](?<fraction>\d+))?)?)?(?<zone>Z|[-+]\d\d(?::?\d\d)?)?)?$/;

/** When an interval begins: ISO 8601 text as the API writes it, and the same as microseconds since 1970. */
export interface Anchor {
  readonly text: string;
  readonly instant: number;
}

/**
 * Reads an anchor date as `prefect deploy` does (contracts/deploy.md §1.4): ISO 8601, UTC where no offset is written.
 * Undefined when it is no date; so are `now` and a bare time of day, which would mean another instant every time.
 */
export function readAnchor(text: string): Anchor | undefined {
  const parts = ANCHOR.exec(text)?.groups;
  if (parts === undefined) return undefined;
  const { year = '', month = '01', day = '01', hour = '00', minute = '00', second = '00', zone = 'Z' } = parts;
  // Eight digits are a date, six are none: a month needs its dash where there is no day.
  if (parts.dash === '' && parts.month !== undefined && parts.day === undefined) return undefined;
  const fraction = (parts.fraction ?? '').slice(0, 6).replace(/0+$/, '');
  const offset = zone === 'Z' ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(3).replace(':', '') || '00'}`;
  const seconds = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const local = new Date(`${seconds}Z`);
  // A day that does not exist turns into one of the next month, and 24:00 into the next day.
  if (Number.isNaN(local.getTime()) || !local.toISOString().startsWith(seconds)) return undefined;
  const instant = Date.parse(`${seconds}${offset}`) * 1000 + Number(fraction.padEnd(6, '0'));
  return Number.isNaN(instant) ? undefined : { text: `${seconds}${fraction && `.${fraction}`}${offset}`, instant };
}
