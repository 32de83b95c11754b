import { SpelledNumber } from '@slipway/prefect/json';
import { pythonStr } from '@slipway/prefect/template';

/**
 * What a YAML scalar means to PyYAML's SafeLoader: YAML 1.1 with PyYAML's own regular expressions and its slips
 * (contracts/deploy.md §1.1, "Scalars"; PyYAML 6 resolver.py and constructor.py). No configuration of a JavaScript
 * library comes to the same answers: they differ on `y`, `08`, `1e3`, dates, `=` and more.
 */
export type ScalarValue =
  | { readonly type: 'null'; readonly value: null }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'int'; readonly value: number | SpelledNumber }
  /** null stands for .inf and .nan, as in what Prefect dumps (contracts/deploy.md §1.1.5). */
  | { readonly type: 'float'; readonly value: number | SpelledNumber | null }
  | { readonly type: 'text'; readonly value: string }
  /** The text that Prefect dumps: `2024-01-01`, `2024-01-01T00:00:00`, with `Z` or an offset when one was written. */
  | { readonly type: 'date' | 'datetime'; readonly value: string }
  /** `<<` and `=` mean something as keys of a mapping only. */
  | { readonly type: 'merge' | 'value'; readonly value: string };

/** A scalar that PyYAML refuses; the message says why. */
export interface BadScalar {
  readonly type: 'bad';
  readonly reason: string;
}

const PREFIX = 'tag:yaml.org,2002:';

const BOOL = /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/;
const FLOAT =
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const INT =
  /^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/;
const NULL = /^(?:~|null|Null|NULL|)$/;
const TIMESTAMP =
  /^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)$/;
const TIMESTAMP_PARTS =
  /^(?<year>[0-9]{4})-(?<month>[0-9]{1,2})-(?<day>[0-9]{1,2})(?:(?:[Tt]|[ \t]+)(?<hour>[0-9]{1,2}):(?<minute>[0-9]{2}):(?<second>[0-9]{2})(?:\.(?<fraction>[0-9]*))?(?:[ \t]*(?<tz>Z|(?<sign>[-+])(?<tzHour>[0-9]{1,2})(?::(?<tzMinute>[0-9]{2}))?))?)?$/;

/**
 * Reads one scalar.
 *
 * @param source the scalar's text after YAML's own unescaping and folding.
 * @param plain true when it was written without quotes and not as a block.
 * @param tag the full tag as written (`tag:yaml.org,2002:int`, `!` …); undefined: none.
 * @returns the value, or why PyYAML refuses it.
 */
export function readScalar(source: string, plain: boolean, tag: string | undefined): ScalarValue | BadScalar {
  // PyYAML treats the non-specific tag `!` as leave to guess, also for quoted text.
  const kind = tag === undefined || tag === '!' ? (plain || tag === '!' ? guess(source) : 'str') : shortTag(tag);
  switch (kind) {
    case 'null':
      return { type: 'null', value: null };
    case 'bool':
      return readBool(source);
    case 'int':
      return readInt(source);
    case 'float':
      return readFloat(source);
    case 'timestamp':
      return readTimestamp(source);
    case 'binary':
      return readBinary(source);
    case 'str':
      return { type: 'text', value: source };
    case 'merge':
    case 'value':
      return { type: kind, value: source };
    default:
      return bad(`the tag ${tag ?? ''} is not one that prefect.yaml can hold`);
  }
}

function shortTag(tag: string): string {
  return tag.startsWith(PREFIX) ? tag.slice(PREFIX.length) : tag;
}

/** PyYAML's implicit resolvers, in its order. Their first-character index changes nothing, the patterns imply it. */
function guess(source: string): string {
  if (BOOL.test(source)) return 'bool';
  if (FLOAT.test(source)) return 'float';
  if (INT.test(source)) return 'int';
  if (source === '<<') return 'merge';
  if (NULL.test(source)) return 'null';
  if (TIMESTAMP.test(source)) return 'timestamp';
  if (source === '=') return 'value';
  return 'str';
}

function bad(reason: string): BadScalar {
  return { type: 'bad', reason };
}

function readBool(source: string): ScalarValue | BadScalar {
  const word = source.toLowerCase();
  if (['yes', 'true', 'on'].includes(word)) return { type: 'bool', value: true };
  if (['no', 'false', 'off'].includes(word)) return { type: 'bool', value: false };
  return bad(`${JSON.stringify(source)} is not a boolean`);
}

function readInt(source: string): ScalarValue | BadScalar {
  const refused = bad(`${JSON.stringify(source)} is not a whole number`);
  const digits = source.replaceAll('_', '').trim();
  const negative = digits.startsWith('-');
  const body = /^[-+]/.test(digits) ? digits.slice(1) : digits;
  const value = readMagnitude(body);
  if (value === undefined) return refused;
  return { type: 'int', value: exactInt(negative ? -value : value) };
}

function readMagnitude(body: string): bigint | undefined {
  if (/^0b[01]+$/.test(body) || /^0x[0-9a-fA-F]+$/.test(body)) return BigInt(body);
  if (/^0[0-7]*$/.test(body)) return BigInt(`0o${body}`);
  if (/^[0-9]+(?::[0-9]+)+$/.test(body)) {
    return body.split(':').reduce((sum, part) => sum * 60n + BigInt(part), 0n);
  }
  // Python refuses to read more than 4300 digits (sys.set_int_max_str_digits).
  return /^[1-9][0-9]*$/.test(body) && body.length <= 4300 ? BigInt(body) : undefined;
}

/** A whole number as a JSON number, spelled out when a double would change it. */
function exactInt(value: bigint): number | SpelledNumber {
  const double = Number(value);
  return Number.isSafeInteger(double) ? double : new SpelledNumber(value.toString());
}

function readFloat(source: string): ScalarValue | BadScalar {
  const text = source.replaceAll('_', '').toLowerCase().trim();
  const sign = text.startsWith('-') ? -1 : 1;
  const body = /^[-+]/.test(text) ? text.slice(1) : text;
  if (body === '.inf' || body === '.nan') return { type: 'float', value: null };
  const parts = body.split(':');
  if (!parts.every((part) => /^(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]+)?$/.test(part))) {
    return bad(`${JSON.stringify(source)} is not a number`);
  }
  // Summed from the last part on, as PyYAML does: floating point sums depend on their order.
  const value = sign * parts.reverse().reduce((sum, part, place) => sum + Number(part) * 60 ** place, 0);
  return { type: 'float', value: Number.isFinite(value) ? spellFloat(value) : null };
}

/**
 * A float as JSON that Python would write: `1.0`, `1e+20`. Those a double prints differently are spelled out, so
 * that `str()` of them and the request body stay what Prefect makes of them (contracts/deploy.md §1.10).
 */
export function spellFloat(value: number): number | SpelledNumber {
  const spelled = Object.is(value, -0) ? '-0.0' : pythonStr(new SpelledNumber(value.toExponential()));
  return spelled === String(value) ? value : new SpelledNumber(spelled);
}

function readTimestamp(source: string): ScalarValue | BadScalar {
  const parts = TIMESTAMP_PARTS.exec(source)?.groups;
  if (parts === undefined) return bad(`${JSON.stringify(source)} is not a date`);
  const { year = '', hour } = parts;
  const [month, day] = [parts.month ?? '', parts.day ?? ''].map((part) => part.padStart(2, '0'));
  const date = `${year}-${month}-${day}`;
  if (!isRealDate(Number(year), Number(month), Number(day))) return bad(`${source} is not a real date`);
  if (hour === undefined) return { type: 'date', value: date };
  const { minute = '', second = '', fraction = '' } = parts;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return bad(`${source} is not a real time`);
  const offset = readOffset(parts);
  if (offset === undefined) return bad(`${source} has no real time zone offset`);
  // datetime keeps microseconds and prints all six digits, or none when they are zero.
  const micros = fraction.slice(0, 6).padEnd(6, '0');
  const tail = Number(micros) === 0 ? '' : `.${micros}`;
  return { type: 'datetime', value: `${date}T${hour.padStart(2, '0')}:${minute}:${second}${tail}${offset}` };
}

function readOffset(parts: Record<string, string | undefined>): string | undefined {
  if (parts.tz === undefined) return '';
  const { sign, tzHour = '0', tzMinute = '0' } = parts;
  if (sign === undefined) return 'Z';
  const minutes = Number(tzHour) * 60 + Number(tzMinute);
  if (minutes >= 24 * 60) return undefined;
  if (minutes === 0) return 'Z';
  const two = (value: number) => String(value).padStart(2, '0');
  return `${sign}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function isRealDate(year: number, month: number, day: number): boolean {
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return day <= days;
}

function readBinary(source: string): ScalarValue | BadScalar {
  if (/[^\0-\x7f]/.test(source)) return bad('binary data is written in base64');
  try {
    const value = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(source, 'base64'));
    return { type: 'text', value };
  } catch {
    return bad('binary data in prefect.yaml must be UTF-8 text once decoded');
  }
}
