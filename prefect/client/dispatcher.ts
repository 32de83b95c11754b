import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { type PrefectSettings, SettingsError } from '../settings/index.ts';
import { codeOf } from './errors.ts';

/** As many connections as Prefect's client opens (contracts/deploy.md §6.9); more makes a small server slower. */
const CONNECTIONS = 16;
/** How long a connection may take to come about; the whole request has its own deadline. */
export const CONNECT_MS = 10_000;

/**
 * The pool of connections to one API: direct or through the proxy the settings chose, with their certificates, HTTP/2
 * only when it is switched on. A connection is kept 4 s, less than the 5 s after which a server of one's own closes it.
 *
 * @throws SettingsError when the CA file cannot be read or holds no certificate.
 */
export function openDispatcher(settings: PrefectSettings): Dispatcher {
  const ca = certificateAuthorities(settings.tls.caFile);
  const timeout = Math.min(CONNECT_MS, settings.requestTimeoutMs);
  const trust = ca === undefined ? {} : { ca };
  const tls = { ...trust, rejectUnauthorized: !settings.tls.insecure, timeout, allowH2: settings.http2 };
  const pool = { connections: CONNECTIONS, allowH2: settings.http2 };
  if (settings.proxy === undefined) return new Agent({ ...pool, connect: tls });
  return new ProxyAgent({
    ...pool,
    uri: settings.proxy,
    // A plain http:// API is asked for through the proxy, not tunnelled to: many proxies open tunnels to 443 alone.
    proxyTunnel: false,
    connectTimeout: timeout,
    requestTls: tls,
    proxyTls: trust,
  });
}

/**
 * The file's certificates take the place of the built-in ones, as for Prefect's client.
 *
 * @throws SettingsError when it cannot be read or holds none.
 */
export function certificateAuthorities(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  const refuse = (why: string): SettingsError =>
    new SettingsError(
      'PREFECT_API_SSL_CERT_FILE',
      `the certificate file that PREFECT_API_SSL_CERT_FILE or SSL_CERT_FILE names ${why}`,
      'Name a file with PEM certificates that exists on this machine, or remove the variable.',
    );
  let pem: string;
  try {
    pem = readFileSync(file, 'utf8');
  } catch (error) {
    throw refuse(`cannot be read (${codeOf(error) ?? 'unreadable'})`);
  }
  try {
    new X509Certificate(pem);
  } catch {
    throw refuse('holds no PEM certificate');
  }
  return pem;
}
