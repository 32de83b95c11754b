/**
 * Durations as pydantic reads and dumps `timedelta`: numbers of seconds, ISO 8601, `HH:MM:SS`, `1 day, 01:00:00`
 * (contracts/deploy.md §1.4; measured on pydantic 2.14).
 */

/** Seconds of a duration's text (a quoted number is none), or undefined when pydantic refuses it. */
export function parseDuration(text: string): number | undefined {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = text.replace(/^[-+]/, '');
  const seconds = body.startsWith('P') ? parseIso(body) : parseClock(body);
  return seconds === undefined ? undefined : inRange(sign * seconds);
}

/** The number itself when Python's timedelta can hold so many seconds; else undefined. */
export function inRange(seconds: number): number | undefined {
  return Math.abs(seconds) < 1_000_000_000 * DAY ? seconds : undefined;
}

const DAY = 86_400;
const DATE_UNITS: Readonly<Record<string, number>> = { Y: 365 * DAY, M: 30 * DAY, W: 7 * DAY, D: DAY };
const TIME_UNITS: Readonly<Record<string, number>> = { H: 3600, M: 60, S: 1 };

function parseIso(text: string): number | undefined {
  const match = /^P((?:\d+(?:[.,]\d*)?[YMWD])*)(?:T((?:\d+(?:[.,]\d*)?[HMS])*))?$/.exec(text);
  if (match === null || text.length < 3) return undefined;
  return sumUnits(match[1] ?? '', DATE_UNITS) + sumUnits(match[2] ?? '', TIME_UNITS);
}

function sumUnits(text: string, units: Readonly<Record<string, number>>): number {
  return text
    .matchAll(/([\d.,]+)([A-Z])/g)
    .reduce((sum, [, amount = '', unit = '']) => sum + Number(amount.replace(',', '.')) * (units[unit] ?? 0), 0);
}

function parseClock(text: string): number | undefined {
  const match =
    /^(?:(?<days>\d{1,9}) ?(?:days?|d),? ?)?(?:(?<h>\d{1,9}):(?<m>[0-5]\d)(?::(?<s>[0-5]\d)(?:[.,](?<f>\d+))?)?)?$/i.exec(
      text,
    );
  const parts = match?.groups;
  if (parts === undefined || (parts.days === undefined && parts.h === undefined)) return undefined;
  const { days = '0', h = '0', m = '0', s = '0', f = '' } = parts;
  // One digit will do for the hour only when seconds follow.
  if (parts.s === undefined && h.length === 1 && parts.h !== undefined) return undefined;
  if (parts.days !== undefined && Number(h) > 23) return undefined;
  const micros = Number(f.slice(0, 6).padEnd(6, '0'));
  return Number(days) * DAY + Number(h) * 3600 + Number(m) * 60 + Number(s) + micros / 1e6;
}

/** ISO 8601 as pydantic dumps it: 60 → `PT1M`, 31536000 → `P1Y`, 604800 → `P7D`, 0 → `PT0S`, -5 → `-PT5S`. */
export function formatDuration(seconds: number): string {
  const magnitude = Math.abs(seconds);
  const rounded = Math.round((magnitude % 1) * 1e6);
  const whole = Math.floor(magnitude) + (rounded === 1e6 ? 1 : 0);
  const micros = rounded % 1e6;
  const days = Math.floor(whole / DAY);
  const rest = whole % DAY;
  const fraction = micros === 0 ? '' : `.${String(micros).padStart(6, '0').replace(/0+$/, '')}`;
  const unit = (amount: number, name: string) => (amount === 0 ? '' : `${amount}${name}`);
  const secondsText = rest % 60 === 0 && fraction === '' ? '' : `${rest % 60}${fraction}S`;
  const date = unit(Math.floor(days / 365), 'Y') + unit(days % 365, 'D');
  const time = unit(Math.floor(rest / 3600), 'H') + unit(Math.floor((rest % 3600) / 60), 'M') + secondsText;
  if (date === '' && time === '') return 'PT0S';
  return `${seconds < 0 ? '-' : ''}P${date}${time === '' ? '' : `T${time}`}`;
}
