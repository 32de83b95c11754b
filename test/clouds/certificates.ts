import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Certificates {
  /** PEM of the authority that signed the certificate, and the file it is in. */
  readonly authority: string;
  readonly authorityFile: string;
  readonly certificate: string;
  readonly key: string;
}

/**
 * A throwaway authority and one certificate of it for some hosts (names, `*.x` is taken, or addresses), made by openssl
 * 3, good for a day.
 */
export async function makeCertificates(folder: string, hosts: readonly string[]): Promise<Certificates> {
  await mkdir(folder, { recursive: true });
  const file = (name: string) => join(folder, name);
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
  const openssl = (args: readonly string[]) => run('openssl', [...request, ...args], { cwd: folder });
  await writeFile(
    file('openssl.cnf'),
    [
      '[req]',
      'distinguished_name = name',
      '[name]',
      '[authority]',
      'basicConstraints = critical, CA:true',
      'keyUsage = critical, keyCertSign',
      '[server]',
      'basicConstraints = critical, CA:false',
      'extendedKeyUsage = serverAuth',
      `subjectAltName = ${hosts.map((host) => `${isIP(host) === 0 ? 'DNS' : 'IP'}:${host}`).join(', ')}`,
      '',
    ].join('\n'),
  );
  const config = ['-config', file('openssl.cnf'), '-extensions'];
  await openssl([...config, 'authority', '-subj', '/CN=Clouds of a test', '-keyout', 'ca.key', '-out', 'ca.crt']);
  const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-subj', '/CN=Servers of a test'];
  await openssl([...config, 'server', ...signed, '-keyout', 'server.key', '-out', 'server.crt']);
  const [authority, certificate, key] = await Promise.all(
    ['ca.crt', 'server.crt', 'server.key'].map((name) => readFile(file(name), 'utf8')),
  );
  if (authority === undefined || certificate === undefined || key === undefined)
    throw new Error('openssl made no files');
  return { authority, authorityFile: file('ca.crt'), certificate, key };
}
