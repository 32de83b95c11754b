import { isIP } from 'node:net';
import { SettingsError } from './values.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that requests to one address go through, chosen from HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY as
 * httpx does (httpx/_utils.py `get_environment_proxies`, `URLPattern`): a name in lower case wins, also when it is
 * empty; the address's own scheme wins over ALL_PROXY; `host:3128` means `http://host:3128`.
 *
 * @returns the proxy's URL with its credentials, or undefined for a direct way.
 * @throws SettingsError for a proxy that is no URL or speaks neither HTTP nor HTTPS.
 */
export function proxyFor(target: URL, env: Environment): string | undefined {
  const scheme = target.protocol === 'https:' ? 'https' : 'http';
  const own = variable(env, `${scheme}_proxy`);
  const [name, written] = own !== undefined ? [`${scheme}_proxy`, own] : ['all_proxy', variable(env, 'all_proxy')];
  if (written === undefined) return undefined;
  if ((variable(env, 'no_proxy') ?? '').split(',').some((entry) => goesDirect(entry.trim(), target))) return undefined;
  const setting = name.toUpperCase();
  let url: URL;
  try {
    url = new URL(written.includes('://') ? written : `http://${written}`);
  } catch {
    throw new SettingsError(setting, `${setting} is not a URL`, 'Write it as http://host:port.');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new SettingsError(
      setting,
      `${setting} names a proxy of the kind ${url.protocol.slice(0, -1)}, which Prefect’s client does not speak either`,
      'Name an HTTP proxy (http://host:port), or add the API’s host to NO_PROXY.',
    );
  }
  return url.href;
}

/** The parts of a proxy's URL that must not be shown: its password, as written and decoded, and its header's form. */
export function proxySecrets(proxy: string | undefined): string[] {
  if (proxy === undefined) return [];
  const { username, password } = new URL(proxy);
  if (password === '') return [];
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return [password, decodeURIComponent(password), Buffer.from(pair, 'utf8').toString('base64')];
}

function variable(env: Environment, name: string): string | undefined {
  return (env[name] ?? env[name.toUpperCase()]) || undefined;
}

/**
 * One entry of NO_PROXY. `example.com` means it and all below it, `.example.com` only what is below; an address or
 * `localhost` means itself; a port or a scheme narrows it. Ranges (`10.0.0.0/8`) and `*.example.com` mean nothing to
 * httpx beyond their own letters, and so not here.
 */
function goesDirect(entry: string, target: URL): boolean {
  if (entry === '') return false;
  if (entry === '*') return true;
  const host = target.hostname.replace(/^\[|\]$/g, '');
  const address = entry.replace(/\/.*$/, '').replace(/^\[|\]$/g, '');
  if (!entry.includes('://') && isIP(address) !== 0) return host === address;
  const [, scheme = 'all', pattern = '', port] =
    /^(?:([a-z]+):\/\/)?([^:/]*)(?::(\d+))?/i.exec(entry.toLowerCase()) ?? [];
  if (scheme !== 'all' && `${scheme}:` !== target.protocol) return false;
  if (port !== undefined && port !== target.port) return false;
  if (entry.includes('://')) {
    if (pattern === '' || pattern === '*') return true;
    return pattern.startsWith('*') ? endsLike(host, pattern.slice(1)) : host === pattern;
  }
  return pattern === 'localhost' && port === undefined ? host === pattern : endsLike(host, pattern);
}

function endsLike(host: string, ending: string): boolean {
  if (ending.startsWith('.')) return host.endsWith(ending) && host.length > ending.length;
  return host === ending || host.endsWith(`.${ending}`);
}
