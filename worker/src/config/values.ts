import { ConfigError } from './config-error.ts';

const TRUE = new Set(['true', 't', 'yes', 'y', 'on', '1']);
const FALSE = new Set(['false', 'f', 'no', 'n', 'off', '0']);

/** A boolean as Prefect's settings read it. @throws ConfigError for any other word. */
export function readBoolean(name: string, text: string | undefined, fallback: boolean): boolean {
  if (text === undefined || text === '') return fallback;
  const word = text.toLowerCase();
  if (TRUE.has(word)) return true;
  if (FALSE.has(word)) return false;
  throw new ConfigError(`${name} is neither true nor false.`, `Set ${name} to true or false, or remove it.`);
}

/** A number of at least `least`. @throws ConfigError when it is none. */
export function readNumber(name: string, text: string | undefined, fallback: number, least = 0): number {
  if (text === undefined || text.trim() === '') return fallback;
  const number = Number(text);
  if (Number.isFinite(number) && number >= least) return number;
  throw new ConfigError(`${name} is not a number of at least ${least}.`, `Set ${name} to such a number, or remove it.`);
}

/** A whole number between `least` and `most`. @throws ConfigError when it is none. */
export function readInteger(
  name: string,
  text: string | undefined,
  fallback: number,
  least = 0,
  most = Number.MAX_SAFE_INTEGER,
): number {
  const number = readNumber(name, text, fallback, least);
  if (Number.isInteger(number) && number <= most) return number;
  throw new ConfigError(
    `${name} is not a whole number between ${least} and ${most}.`,
    `Set ${name} to such a number, or remove it.`,
  );
}

/** A list separated by commas, blanks around the items dropped, empty items too. */
export function readList(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** `key=value` pairs separated by commas, split on the first `=` (contracts/worker.md §1.3). @throws ConfigError */
export function readPairs(name: string, text: string | undefined): Record<string, string> {
  const pairs = readList(text).map((item) => {
    const at = item.indexOf('=');
    if (at < 1) {
      throw new ConfigError(
        `${name} holds "${item}", which is not key=value.`,
        `Write ${name} as key=value,key2=value2.`,
      );
    }
    return [item.slice(0, at).trim(), item.slice(at + 1).trim()] as const;
  });
  return Object.fromEntries(pairs);
}
