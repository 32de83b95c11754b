/**
 * JSON values whose numbers keep their spelling.
 *
 * Prefect and its users see the difference between `1.0` and `1` (Python's `str(1.0)` is `"1.0"`) and between
 * 12345678901234567890 and its nearest double; `JSON.parse` loses both (contracts/worker.md, "Seen on 3.8.8" 8).
 * A number that a JavaScript double cannot spell the same way is therefore carried as a SpelledNumber.
 */
export type Json = null | boolean | number | string | SpelledNumber | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };

declare global {
  interface JSON {
    /** ES2025's JSON.rawJSON, in Node since 21; TypeScript 5.9's libraries do not declare it yet. */
    rawJSON(text: string): object;
  }
}

/** A JSON number that must be written out exactly as it was read, e.g. `1.0` or a large integer. */
export class SpelledNumber {
  readonly source: string;

  /** @param source the number as JSON text, e.g. `1.0`. */
  constructor(source: string) {
    this.source = source;
  }

  /** The nearest double, for comparisons. */
  valueOf(): number {
    return Number(this.source);
  }

  /** Lets JSON.stringify write the number as it was read. */
  toJSON(): unknown {
    return JSON.rawJSON(this.source);
  }
}

/** True for a mapping: not null, not a list, not a SpelledNumber. */
export function isJsonObject(value: unknown): value is JsonObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !((value as object) instanceof SpelledNumber)
  );
}

/**
 * Reads JSON text, keeping the spelling of numbers that a double would change.
 *
 * @throws SyntaxError as JSON.parse does.
 */
export function parseJson(text: string): Json {
  return JSON.parse(text, (_key, value: Json, context?: { source?: string }) => {
    if (typeof value !== 'number' || context?.source === undefined) return value;
    return String(value) === context.source ? value : new SpelledNumber(context.source);
  }) as Json;
}

/** True when two JSON values mean the same: mappings without regard to key order, numbers by value. */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a === null || b === null) return false;
  if (isNumeric(a) && isNumeric(b)) return spelling(a) === spelling(b) || Number(a) === Number(b);
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => sameJson(item, b[index]));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && sameJson(a[key], b[key]));
}

function isNumeric(value: Json): value is number | SpelledNumber {
  return typeof value === 'number' || value instanceof SpelledNumber;
}

function spelling(value: number | SpelledNumber): string {
  return typeof value === 'number' ? String(value) : value.source;
}
