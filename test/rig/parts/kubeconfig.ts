import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Writes a kubeconfig with a token (Kubernetes' clientcmd v1 format; JSON is YAML).
 *
 * @param certificate the file with the API server's own certificate, which clients trust.
 */
export function writeKubeconfig(file: string, server: string, certificate: string, token: string): void {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'rig', cluster: { server, 'certificate-authority-data': readFileSync(certificate).toString('base64') } },
    ],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'rig', context: { cluster: 'rig', user: 'admin', namespace: 'default' } }],
    'current-context': 'rig',
  };
  writeFileSync(file, JSON.stringify(config, null, 2), { mode: 0o600 });
}
