import http from 'node:http';

type Environment = Readonly<Record<string, string>>;

export interface Proxies {
  readonly HTTP_PROXY?: string;
  readonly HTTPS_PROXY?: string;
  readonly NO_PROXY: string;
}

/** Never behind a proxy: this machine, and the metadata services of the clouds, which answer a machine of theirs alone. */
const NEVER = [
  'localhost',
  '127.0.0.1',
  '::1',
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  'metadata.google.internal',
];

/**
 * Lets fetch and Node's own agents heed HTTP_PROXY, HTTPS_PROXY and NO_PROXY, which Node does not by itself; registries
 * and clouds are reached by these. The Prefect API has its own reading of those variables (prefect/settings/proxy.ts).
 * A Node that is too old to be told goes on without.
 */
export function useProxies(env: Environment): void {
  const proxies = readProxies(env);
  if (proxies !== undefined && typeof http.setGlobalProxyFromEnv === 'function') {
    http.setGlobalProxyFromEnv({ ...proxies });
  }
}

/** What the environment says about HTTP proxies, pure; undefined when it names none. Small letters win, as in curl. */
export function readProxies(env: Environment): Proxies | undefined {
  const [plain, secure] = ['http', 'https'].map((scheme) =>
    proxyUrl(env[`${scheme}_proxy`] || env[`${scheme.toUpperCase()}_PROXY`] || ''),
  );
  if (plain === undefined && secure === undefined) return undefined;
  const never = env.no_proxy || env.NO_PROXY || '';
  return {
    ...(plain === undefined ? {} : { HTTP_PROXY: plain }),
    ...(secure === undefined ? {} : { HTTPS_PROXY: secure }),
    NO_PROXY: [...(never === '' ? [] : [never]), ...NEVER].join(','),
  };
}

/** `host:3128` means `http://host:3128`; other kinds of proxies (SOCKS) Node cannot speak to. */
function proxyUrl(text: string): string | undefined {
  const whole = text === '' || text.includes('://') ? text : `http://${text}`;
  return /^https?:\/\//i.test(whole) && URL.canParse(whole) ? whole : undefined;
}
