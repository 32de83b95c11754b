import * as z from 'zod';
import { SettingsError } from './values.ts';

const SETTING = 'PREFECT_CLIENT_CUSTOM_HEADERS';

/** Headers the client owns; Prefect's client ignores them too (contracts/deploy.md §6.7). */
const OWN_HEADERS = new Set(['user-agent', 'prefect-csrf-token', 'prefect-csrf-client']);

/**
 * The headers of PREFECT_CLIENT_CUSTOM_HEADERS, names in lower case, and the names in it that are left out because the
 * client owns them.
 *
 * @throws SettingsError when they are no JSON object of texts, or no request could carry them.
 */
export function readCustomHeaders(value: string | undefined): {
  readonly headers: Readonly<Record<string, string>>;
  readonly ignored: readonly string[];
} {
  if (value === undefined) return { headers: {}, ignored: [] };
  let json: unknown;
  try {
    json = JSON.parse(value);
  } catch {
    json = undefined;
  }
  const headers = z.record(z.string(), z.string()).safeParse(json);
  if (!headers.success) {
    throw new SettingsError(
      SETTING,
      'PREFECT_CLIENT_CUSTOM_HEADERS is not a JSON object of texts',
      'Write it as {"Header-Name": "value"}.',
    );
  }
  const entries = Object.entries(headers.data);
  for (const [name, text] of entries) {
    if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(text)) continue;
    throw new SettingsError(
      SETTING,
      `${SETTING} holds a name or a value that no HTTP header can carry (${JSON.stringify(name)})`,
      'Take line breaks and other control characters out of it.',
    );
  }
  const owned = (name: string): boolean => OWN_HEADERS.has(name.toLowerCase());
  return {
    headers: Object.fromEntries(
      entries.filter(([name]) => !owned(name)).map(([name, text]) => [name.toLowerCase(), text]),
    ),
    ignored: entries.map(([name]) => name).filter(owned),
  };
}

const TELLING_NAME = /auth|token|secret|key|cookie|password|credential|session|signature|jwt/;

/** Header values that must not be shown: by the header's name, or long and without a blank, as keys are. */
export function secretHeaderValues(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers)
    .filter(([name, text]) => TELLING_NAME.test(name) || (text.length >= 20 && !text.includes(' ')))
    .flatMap(([, text]) => [text, text.replace(/^(Bearer|Basic) /i, '')]);
}
