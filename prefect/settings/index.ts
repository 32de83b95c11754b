import { z } from 'zod';
import { uiUrlFor } from './ui-url.ts';

export { type UiObject, uiLink, uiUrlFor } from './ui-url.ts';

/** How to reach and speak to one Prefect API, compiled once from the environment. */
export interface PrefectSettings {
  /** Ends without a slash: `http://127.0.0.1:4200/api`, `https://api.prefect.cloud/api/accounts/…/workspaces/…`. */
  readonly apiUrl: string;
  readonly uiUrl: string;
  readonly cloud: boolean;
  /** The Authorization header's value; undefined when neither key nor auth string is set. */
  readonly authorization: string | undefined;
  readonly customHeaders: Readonly<Record<string, string>>;
  readonly requestTimeoutMs: number;
  /** Tries after the first one. */
  readonly maxRetries: number;
  readonly retryJitterFactor: number;
  readonly retryExtraCodes: readonly number[];
  readonly csrfSupport: boolean;
  readonly tls: { readonly insecure: boolean; readonly caFile: string | undefined };
  readonly proxy: { readonly http?: string; readonly https?: string; readonly no?: string };
  readonly defaultWorkPoolName: string | undefined;
  readonly defaultDockerBuildNamespace: string | undefined;
  /** Texts that must never be shown: keys, auth strings, their encoded forms. */
  readonly secrets: readonly string[];
}

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

const CLOUD_API_URL = 'https://api.prefect.cloud/api';

/**
 * Reads Prefect's client settings as its Python client does (contracts/deploy.md §7.1): names without regard to
 * case, an empty variable counts as set, the auth string wins over the key. Profiles and TOML files are not read: a
 * checked-out branch must not choose where the credentials go (§7.2).
 *
 * @param env the process environment, or the inputs laid over it.
 * @throws SettingsError naming the variable, the cause and what to do.
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>): PrefectSettings {
  const variables = new Map(Object.entries(env).map(([name, value]) => [name.toUpperCase(), value]));
  const text = (name: string): string | undefined => variables.get(name) || undefined;

  const apiUrl = readApiUrl(text('PREFECT_API_URL'));
  const cloudApiUrl = (text('PREFECT_CLOUD_API_URL') ?? CLOUD_API_URL).replace(/\/+$/, '');
  const key = text('PREFECT_API_KEY');
  const authString = text('PREFECT_API_AUTH_STRING');
  const authorization =
    authString !== undefined
      ? `Basic ${Buffer.from(authString, 'utf8').toString('base64')}`
      : key !== undefined
        ? `Bearer ${key}`
        : undefined;
  if (authorization !== undefined && !/^[\x20-\x7e]*$/.test(authorization)) {
    throw new SettingsError(
      'PREFECT_API_KEY',
      'PREFECT_API_KEY holds a character that no HTTP header can carry (a line break, perhaps)',
      'Store the key again as a secret, without line breaks or blanks around it.',
    );
  }

  const proxy = {
    ...optional('http', text('HTTP_PROXY') ?? text('ALL_PROXY')),
    ...optional('https', text('HTTPS_PROXY') ?? text('ALL_PROXY')),
    ...optional('no', text('NO_PROXY')),
  };

  return {
    apiUrl,
    uiUrl: text('PREFECT_UI_URL') ?? uiUrlFor(apiUrl, cloudApiUrl, text('PREFECT_CLOUD_UI_URL')),
    cloud: apiUrl.startsWith(cloudApiUrl),
    authorization,
    customHeaders: readCustomHeaders(text('PREFECT_CLIENT_CUSTOM_HEADERS')),
    requestTimeoutMs: 1000 * readNumber('PREFECT_API_REQUEST_TIMEOUT', text('PREFECT_API_REQUEST_TIMEOUT'), 60),
    maxRetries: readNumber('PREFECT_CLIENT_MAX_RETRIES', text('PREFECT_CLIENT_MAX_RETRIES'), 5),
    retryJitterFactor: readNumber(
      'PREFECT_CLIENT_RETRY_JITTER_FACTOR',
      text('PREFECT_CLIENT_RETRY_JITTER_FACTOR'),
      0.2,
    ),
    retryExtraCodes: readCodes(text('PREFECT_CLIENT_RETRY_EXTRA_CODES')),
    csrfSupport: readBoolean('PREFECT_CLIENT_CSRF_SUPPORT_ENABLED', text('PREFECT_CLIENT_CSRF_SUPPORT_ENABLED'), true),
    tls: {
      insecure: readBoolean(
        'PREFECT_API_TLS_INSECURE_SKIP_VERIFY',
        text('PREFECT_API_TLS_INSECURE_SKIP_VERIFY'),
        false,
      ),
      caFile: text('PREFECT_API_SSL_CERT_FILE') ?? text('SSL_CERT_FILE'),
    },
    proxy,
    defaultWorkPoolName: text('PREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME') ?? text('PREFECT_DEFAULT_WORK_POOL_NAME'),
    defaultDockerBuildNamespace:
      text('PREFECT_DEPLOYMENTS_DEFAULT_DOCKER_BUILD_NAMESPACE') ?? text('PREFECT_DEFAULT_DOCKER_BUILD_NAMESPACE'),
    secrets: [
      key,
      authString,
      authString === undefined ? undefined : Buffer.from(authString, 'utf8').toString('base64'),
      // A password alone may be echoed where the whole auth string is not.
      authString?.split(':').slice(1).join(':'),
    ].filter((secret): secret is string => secret !== undefined && secret !== ''),
  };
}

function optional<Key extends string>(key: Key, value: string | undefined): { [K in Key]?: string } {
  return (value === undefined ? {} : { [key]: value }) as { [K in Key]?: string };
}

function readApiUrl(value: string | undefined): string {
  if (value === undefined) {
    throw new SettingsError(
      'PREFECT_API_URL',
      'no Prefect API URL is set (PREFECT_API_URL is missing or empty)',
      'Set the input prefect-api-url or the environment variable PREFECT_API_URL; a repository variable or secret of that name that does not exist arrives as an empty text.',
    );
  }
  let url: URL;
  try {
    url = new URL(value);
  } catch {
    throw badUrl('is not a URL', 'Write it whole, for example https://api.prefect.cloud/api/accounts/…/workspaces/….');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw badUrl(`begins with ${url.protocol}`, 'It must begin with https:// or http://.');
  }
  if (url.username !== '' || url.password !== '') {
    throw badUrl('carries a user name or password', 'Put them into PREFECT_API_AUTH_STRING as user:password.');
  }
  if (url.hostname === 'app.prefect.cloud') {
    throw badUrl(
      'is the address of the web interface (app.prefect.cloud)',
      'Use the API URL: https://api.prefect.cloud/api/accounts/<account id>/workspaces/<workspace id>.',
    );
  }
  if (url.hostname === 'api.prefect.cloud' && !/^\/api\/accounts\/[^/]+\/workspaces\/[^/]+\/?$/.test(url.pathname)) {
    throw badUrl(
      'is a Prefect Cloud address without an account and workspace',
      'It has the form https://api.prefect.cloud/api/accounts/<account id>/workspaces/<workspace id>.',
    );
  }
  return value.trim().replace(/\/+$/, '');
}

function badUrl(what: string, remedy: string): SettingsError {
  return new SettingsError('PREFECT_API_URL', `the Prefect API URL ${what}`, remedy);
}

function readNumber(name: string, value: string | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  const number = Number(value);
  if (!Number.isFinite(number) || number < 0) {
    throw new SettingsError(name, `${name} is not a number of at least 0`, `Set ${name} to a number or remove it.`);
  }
  return number;
}

const TRUE = new Set(['true', 't', 'yes', 'y', 'on', '1']);
const FALSE = new Set(['false', 'f', 'no', 'n', 'off', '0']);

function readBoolean(name: string, value: string | undefined, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  const word = value.toLowerCase();
  if (TRUE.has(word)) return true;
  if (FALSE.has(word)) return false;
  throw new SettingsError(name, `${name} is neither true nor false`, `Set ${name} to true or false or remove it.`);
}

function readCodes(value: string | undefined): number[] {
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

/** Headers the client owns; Prefect's client ignores them too (contracts/deploy.md §6.7). */
const OWN_HEADERS = new Set(['user-agent', 'prefect-csrf-token', 'prefect-csrf-client']);

function readCustomHeaders(value: string | undefined): Record<string, string> {
  if (value === undefined) return {};
  let json: unknown;
  try {
    json = JSON.parse(value);
  } catch {
    json = undefined;
  }
  const headers = z.record(z.string(), z.string()).safeParse(json);
  if (!headers.success) {
    throw new SettingsError(
      'PREFECT_CLIENT_CUSTOM_HEADERS',
      'PREFECT_CLIENT_CUSTOM_HEADERS is not a JSON object of texts',
      'Write it as {"Header-Name": "value"}.',
    );
  }
  return Object.fromEntries(Object.entries(headers.data).filter(([name]) => !OWN_HEADERS.has(name.toLowerCase())));
}
