import { readApiUrl } from './api-url.ts';
import { readCustomHeaders, secretHeaderValues } from './custom-headers.ts';
import { proxyFor, proxySecrets } from './proxy.ts';
import { uiUrlFor } from './ui-url.ts';
import { LONGEST_WAIT_MS, readBoolean, readCodes, readCount, readNumber, SettingsError } from './values.ts';

export { type SettingsPlaces, type Variables, withSettingsFiles } from './files.ts';
export { masked } from './masked.ts';
export { type UiObject, uiLink, uiUrlFor } from './ui-url.ts';
export { SettingsError } from './values.ts';

/** How to reach and speak to one Prefect API, compiled once from the environment. */
export interface PrefectSettings {
  /** Ends without a slash: `http://127.0.0.1:4200/api`, `https://api.prefect.cloud/api/accounts/…/workspaces/…`. */
  readonly apiUrl: string;
  readonly uiUrl: string;
  readonly cloud: boolean;
  /** The Authorization header's value; undefined when neither key nor auth string is set. */
  readonly authorization: string | undefined;
  /** What a WebSocket says in its first message in place of the header: the auth string or the key, as written. */
  readonly token: string | undefined;
  readonly customHeaders: Readonly<Record<string, string>>;
  readonly requestTimeoutMs: number;
  /** Tries after the first one. */
  readonly maxRetries: number;
  readonly retryJitterFactor: number;
  readonly retryExtraCodes: readonly number[];
  readonly csrfSupport: boolean;
  readonly tls: { readonly insecure: boolean; readonly caFile: string | undefined };
  readonly http2: boolean;
  /** The proxy that requests to this API go through, credentials included; undefined: none. */
  readonly proxy: string | undefined;
  readonly defaultWorkPoolName: string | undefined;
  readonly defaultDockerBuildNamespace: string | undefined;
  /** Texts that must never be shown: keys, auth strings, their encoded forms; the longest first. */
  readonly secrets: readonly string[];
  /** What was set and does not count, in words. */
  readonly warnings: readonly string[];
}

const CLOUD_API_URL = 'https://api.prefect.cloud/api';

/**
 * Reads Prefect's client settings as its Python client does (contracts/deploy.md §7.1): names without regard to
 * case, an empty variable counts as set, the auth string wins over the key.
 *
 * @param env the environment with the inputs laid over it and what files say below it (`withSettingsFiles`).
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

  const custom = readCustomHeaders(text('PREFECT_CLIENT_CUSTOM_HEADERS'));
  const proxy = proxyFor(new URL(apiUrl), env);

  return {
    apiUrl,
    uiUrl: text('PREFECT_UI_URL') ?? uiUrlFor(apiUrl, cloudApiUrl, text('PREFECT_CLOUD_UI_URL')),
    cloud: apiUrl.startsWith(cloudApiUrl),
    authorization,
    token: authString ?? key,
    customHeaders: custom.headers,
    requestTimeoutMs: Math.min(
      LONGEST_WAIT_MS,
      1000 * readNumber('PREFECT_API_REQUEST_TIMEOUT', text('PREFECT_API_REQUEST_TIMEOUT'), 60),
    ),
    maxRetries: readCount('PREFECT_CLIENT_MAX_RETRIES', text('PREFECT_CLIENT_MAX_RETRIES'), 5),
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
    http2: readBoolean('PREFECT_API_ENABLE_HTTP2', text('PREFECT_API_ENABLE_HTTP2'), false),
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
      ...secretHeaderValues(custom.headers),
      ...proxySecrets(proxy),
    ]
      .filter((secret): secret is string => secret !== undefined && secret !== '')
      .sort((one, other) => other.length - one.length),
    warnings: custom.ignored.map(
      (name) => `The header ${name} of PREFECT_CLIENT_CUSTOM_HEADERS is not sent: the client sets it itself.`,
    ),
  };
}
