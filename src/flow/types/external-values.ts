import type { Json } from '@slipway/prefect/json';
import type { CallValue, Value } from '../value.ts';
import { isoDuration } from './duration.ts';

/** What a call of a known constructor outside the repository is in JSON; `unknown` for any other call. */
export function encodeExternalCall(name: string, call: CallValue): Json | undefined | 'unknown' {
  if (!call.complete) return 'unknown';
  switch (name) {
    case 'datetime.datetime':
      return dateTime(call);
    case 'datetime.date':
      return date(call);
    case 'datetime.time':
      return time(call);
    case 'datetime.timedelta':
      return duration(call);
    case 'operator.neg': {
      const [inner] = call.args;
      const isDelta =
        inner?.kind === 'call' && inner.callee.kind === 'external' && inner.callee.name === 'datetime.timedelta';
      return isDelta ? duration(inner, -1) : 'unknown';
    }
    case 'uuid.UUID':
      return uuid(call);
    case 'pathlib.Path':
    case 'pathlib.PurePath':
    case 'pathlib.PosixPath':
    case 'pathlib.PurePosixPath':
      return path(call);
    case 'decimal.Decimal':
      return decimal(call);
    case 'zoneinfo.ZoneInfo':
      return onlyText(call) ?? 'unknown';
    case 're.compile':
      return call.args[0]?.kind === 'str' ? call.args[0].value : 'unknown';
    case 'pydantic.SecretStr':
    case 'pydantic.SecretBytes': {
      const text = call.args[0];
      if (text?.kind !== 'str' && text?.kind !== 'bytes') return 'unknown';
      return text.value === '' ? '' : '**********';
    }
    case 'builtins.range':
    case 'builtins.object':
    case 'builtins.slice':
    case 'builtins.type':
      return undefined;
    default:
      return 'unknown';
  }
}

/** The arguments by name, in the order of `names`; undefined when one is no whole number. */
function wholeNumbers(call: CallValue, names: readonly string[]): number[] | undefined {
  if (call.args.length > names.length) return undefined;
  const given = names.map((name, index) => call.args[index] ?? call.keywords.get(name));
  if ([...call.keywords.keys()].some((key) => !names.includes(key) && key !== 'tzinfo' && key !== 'fold'))
    return undefined;
  const numbers = given.map((value) =>
    value === undefined ? 0 : value.kind === 'int' ? Number(value.value) : Number.NaN,
  );
  return numbers.some(Number.isNaN) ? undefined : numbers;
}

function dateTime(call: CallValue): Json | 'unknown' {
  const zone = zoneSuffix(call.args[7] ?? call.keywords.get('tzinfo'));
  const numbers = wholeNumbers({ ...call, args: call.args.slice(0, 7) }, [
    'year',
    'month',
    'day',
    'hour',
    'minute',
    'second',
    'microsecond',
  ]);
  if (numbers === undefined || zone === undefined) return 'unknown';
  const [year = 0, month = 0, day = 0, ...rest] = numbers;
  return `${padded(year, 4)}-${padded(month)}-${padded(day)}T${clock(rest)}${zone}`;
}

function date(call: CallValue): Json | 'unknown' {
  const numbers = wholeNumbers(call, ['year', 'month', 'day']);
  if (numbers === undefined) return 'unknown';
  const [year = 0, month = 0, day = 0] = numbers;
  return `${padded(year, 4)}-${padded(month)}-${padded(day)}`;
}

function time(call: CallValue): Json | 'unknown' {
  const zone = zoneSuffix(call.args[4] ?? call.keywords.get('tzinfo'));
  const numbers = wholeNumbers({ ...call, args: call.args.slice(0, 4) }, ['hour', 'minute', 'second', 'microsecond']);
  return numbers === undefined || zone === undefined ? 'unknown' : `${clock(numbers)}${zone}`;
}

function clock([hour = 0, minute = 0, second = 0, microsecond = 0]: readonly number[]): string {
  const whole = `${padded(hour)}:${padded(minute)}:${padded(second)}`;
  return microsecond === 0 ? whole : `${whole}.${padded(microsecond, 6)}`;
}

function padded(number: number, width = 2): string {
  return String(number).padStart(width, '0');
}

/** `Z`, `+02:00` or nothing; undefined for a time zone that depends on the date. */
function zoneSuffix(zone: Value | undefined): string | undefined {
  if (zone === undefined || zone.kind === 'none') return '';
  if (zone.kind === 'external' && (zone.name === 'datetime.timezone.utc' || zone.name === 'datetime.UTC')) return 'Z';
  if (zone.kind !== 'call' || zone.callee.kind !== 'external') return undefined;
  const [argument] = zone.args;
  if (zone.callee.name === 'zoneinfo.ZoneInfo')
    return argument?.kind === 'str' && argument.value === 'UTC' ? 'Z' : undefined;
  if (zone.callee.name !== 'datetime.timezone') return undefined;
  const negative =
    argument?.kind === 'call' && argument.callee.kind === 'external' && argument.callee.name === 'operator.neg';
  const delta = negative ? argument.args[0] : argument;
  if (delta?.kind !== 'call') return undefined;
  const microseconds = deltaMicroseconds(delta);
  if (microseconds === undefined) return undefined;
  const minutes = (microseconds / 60_000_000) * (negative ? -1 : 1);
  if (!Number.isInteger(minutes)) return undefined;
  if (minutes === 0) return 'Z';
  return `${minutes < 0 ? '-' : '+'}${padded(Math.floor(Math.abs(minutes) / 60))}:${padded(Math.abs(minutes) % 60)}`;
}

const MICROSECONDS: Readonly<Record<string, number>> = {
  days: 86_400_000_000,
  seconds: 1_000_000,
  microseconds: 1,
  milliseconds: 1_000,
  minutes: 60_000_000,
  hours: 3_600_000_000,
  weeks: 604_800_000_000,
};

/** Length of `timedelta(…)` in microseconds; undefined when an argument is not known. */
function deltaMicroseconds(call: CallValue): number | undefined {
  const units = Object.keys(MICROSECONDS);
  const given = [...call.args.map((value, index) => [units[index] ?? '', value] as const), ...call.keywords];
  let sum = 0;
  for (const [unit, value] of given) {
    const size = MICROSECONDS[unit];
    if (size === undefined || (value.kind !== 'int' && value.kind !== 'float')) return undefined;
    sum += Number(value.value) * size;
  }
  return Number.isSafeInteger(Math.round(sum)) ? Math.round(sum) : undefined;
}

function duration(call: CallValue, sign = 1): Json | 'unknown' {
  const microseconds = deltaMicroseconds(call);
  return microseconds === undefined ? 'unknown' : isoDuration(sign * microseconds);
}

function onlyText(call: CallValue): string | undefined {
  const [text] = call.args;
  return call.args.length === 1 && call.keywords.size === 0 && text?.kind === 'str' ? text.value : undefined;
}

function uuid(call: CallValue): Json | 'unknown' {
  const number = call.args.length === 0 && call.keywords.size === 1 ? call.keywords.get('int') : undefined;
  const written = number?.kind === 'int' ? number.value.toString(16).padStart(32, '0') : onlyText(call);
  const digits = written?.toLowerCase().replaceAll('-', '');
  if (digits?.length !== 32 || [...digits].some((digit) => !'0123456789abcdef'.includes(digit))) return 'unknown';
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join(
    '-',
  );
}

/** The path as `str()` writes it: no double or trailing slashes, no `.` inside; an absolute part starts anew. */
function path(call: CallValue): Json | 'unknown' {
  let joined = '';
  for (const part of call.args) {
    const text =
      part.kind === 'call' && part.callee.kind === 'external' ? encodeExternalCall(part.callee.name, part) : undefined;
    const own = part.kind === 'str' ? part.value : text;
    if (typeof own !== 'string' || (own === 'unknown' && part.kind !== 'str')) return 'unknown';
    joined = own.startsWith('/') || joined === '' ? own : `${joined}/${own}`;
  }
  const parts = joined.split('/').filter((part) => part !== '' && part !== '.');
  if (joined.startsWith('//') && !joined.startsWith('///')) return 'unknown';
  if (joined.startsWith('/')) return `/${parts.join('/')}`;
  return parts.length === 0 ? '.' : parts.join('/');
}

function decimal(call: CallValue): Json | 'unknown' {
  const [value] = call.args;
  if (value?.kind === 'int') return String(value.value);
  const text = onlyText(call);
  if (text === undefined || text === '') return 'unknown';
  const digits = text.startsWith('-') ? text.slice(1) : text;
  const simple =
    digits.split('.').length <= 2 && [...digits].every((digit) => digit === '.' || (digit >= '0' && digit <= '9'));
  // Leading zeros and exponents are written differently by Decimal; only what stays as it is is known.
  const canonical =
    simple &&
    !digits.startsWith('.') &&
    !digits.endsWith('.') &&
    (digits === '0' || !digits.startsWith('0') || digits.startsWith('0.'));
  return canonical && digits.length < 20 && !digits.startsWith('0.000000') ? text : 'unknown';
}
