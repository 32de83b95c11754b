import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { findCluster, inClusterAccess } from './access.ts';

const files = { token: 'abc\n', 'ca.crt': 'CA', namespace: 'prefect' };
const IN_CLUSTER = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' };

describe('in a pod', () => {
  it('the service account is the access, read anew each time', async () => {
    const current = { ...files };
    const access = inClusterAccess(IN_CLUSTER, (name) => current[name]);
    expect(access).toMatchObject({ server: 'https://10.0.0.1:443', namespace: 'prefect' });
    expect(await access?.credentials()).toEqual({ headers: { authorization: 'Bearer abc' }, tls: { ca: 'CA' } });
    current.token = 'rotated';
    expect((await access?.credentials())?.headers.authorization).toBe('Bearer rotated');
  });

  it('an IPv6 address stands in brackets', () => {
    expect(inClusterAccess({ ...IN_CLUSTER, KUBERNETES_SERVICE_HOST: 'fd00::1' }, (name) => files[name])?.server).toBe(
      'https://[fd00::1]:443',
    );
  });

  it.each([
    ['no service variables', {}, files],
    ['no token', IN_CLUSTER, undefined],
  ])('with %s is none', (_about, env, mounted) => {
    const read = (name: keyof typeof files) => {
      if (mounted === undefined) throw new Error('ENOENT');
      return mounted[name];
    };
    expect(inClusterAccess(env, read)).toBeUndefined();
  });
});

describe('a kubeconfig', () => {
  let folder: string | undefined;
  afterEach(async () => {
    vi.unstubAllEnvs();
    if (folder !== undefined) await rm(folder, { recursive: true });
    folder = undefined;
  });
  const withConfig = async (text: string) => {
    folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
    await writeFile(join(folder, 'config'), text);
    vi.stubEnv('KUBECONFIG', join(folder, 'config'));
    return await findCluster({});
  };
  const config = (cluster: string, user: string) => `
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://k.example:6443/", ${cluster}}}]
users: [{name: u, user: {${user}}}]
contexts: [{name: x, context: {cluster: c, user: u, namespace: flows}}]
current-context: x
`;

  it('gives server, namespace, token and certificates', async () => {
    const ca = Buffer.from('CA').toString('base64');
    const access = await withConfig(config(`certificate-authority-data: ${ca}, tls-server-name: k`, 'token: abc'));
    expect(access).toMatchObject({ server: 'https://k.example:6443', namespace: 'flows' });
    expect(await access.credentials()).toEqual({
      headers: { authorization: 'Bearer abc' },
      tls: { ca: 'CA', servername: 'k' },
    });
  });

  it('may ask a plugin for the token', async () => {
    const credential =
      '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"plugged"}}';
    const exec = `exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, 'echo ''${credential}'''], interactiveMode: Never}`;
    const access = await withConfig(config('insecure-skip-tls-verify: true', exec));
    expect(await access.credentials()).toMatchObject({
      headers: { authorization: 'Bearer plugged' },
      tls: { rejectUnauthorized: false },
    });
  });

  it.each([
    ['that is no YAML', '{', 'The kubeconfig cannot be read'],
    ['without a context', 'apiVersion: v1\nkind: Config\n', 'There is no cluster to work in'],
    ['with a proxy', config('proxy-url: "http://proxy:1"', 'token: abc'), 'through proxy-url'],
  ])('%s is refused', async (_about, text, message) => {
    await expect(withConfig(text)).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringContaining(message),
    });
  });
});
