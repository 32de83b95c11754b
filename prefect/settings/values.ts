/** What a timer of Node can count; a longer one would fire at once. */
export const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** A setting that is missing or cannot be used; the message never holds the value of a secret one. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly setting: string;
  readonly remedy: string;

  constructor(setting: string, message: string, remedy: string) {
    super(message);
    this.setting = setting;
    this.remedy = remedy;
  }
}

/** A number of at least 0. @throws SettingsError */
export function readNumber(name: string, value: string | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  const number = Number(value);
  if (!Number.isFinite(number) || number < 0) {
    throw new SettingsError(name, `${name} is not a number of at least 0`, `Set ${name} to a number or remove it.`);
  }
  return number;
}

/** A whole number of at least 0 (`5.0` is one, as for pydantic). @throws SettingsError */
export function readCount(name: string, value: string | undefined, fallback: number): number {
  const number = readNumber(name, value, fallback);
  if (Number.isInteger(number)) return number;
  throw new SettingsError(name, `${name} is not a whole number`, `Set ${name} to a whole number or remove it.`);
}

const TRUE = new Set(['true', 't', 'yes', 'y', 'on', '1']);
const FALSE = new Set(['false', 'f', 'no', 'n', 'off', '0']);

/** A boolean as pydantic reads it. @throws SettingsError */
export function readBoolean(name: string, value: string | undefined, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  const word = value.toLowerCase();
  if (TRUE.has(word)) return true;
  if (FALSE.has(word)) return false;
  throw new SettingsError(name, `${name} is neither true nor false`, `Set ${name} to true or false or remove it.`);
}

/** HTTP status codes separated by commas. @throws SettingsError */
export function readCodes(value: string | undefined): number[] {
  return (value ?? '')
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const code = Number(part);
      if (Number.isInteger(code) && code >= 100 && code <= 599) return code;
      throw new SettingsError(
        'PREFECT_CLIENT_RETRY_EXTRA_CODES',
        'PREFECT_CLIENT_RETRY_EXTRA_CODES is not a list of HTTP status codes',
        'Write codes between 100 and 599, separated by commas.',
      );
    });
}
