import { TIMEZONE_NAMES } from './timezone-names.ts';

/**
 * Whether a name is one of IANA's, in its own spelling, as Prefect wants it. Zones younger than our list are known to
 * the runtime; it alone would not do, as it takes any case and `+02:00`, and answers old names with new ones.
 */
export function isTimezone(name: string): boolean {
  return TIMEZONE_NAMES.has(name) || (name.includes('/') && runtimeName(name) === name);
}

/** The right spelling of a name that is only written in the wrong case, for a remedy. */
export function timezoneMeant(name: string): string | undefined {
  const lower = name.trim().toLowerCase();
  return [...TIMEZONE_NAMES].find((one) => one.toLowerCase() === lower);
}

function runtimeName(name: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}
