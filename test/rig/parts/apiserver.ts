import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startServer } from '../child.ts';
import type { Part } from '../part.ts';
import { writeKubeconfig } from './kubeconfig.ts';

export interface ApiserverOptions {
  /** The binary of builds/go-binaries.ts. */
  readonly kubernetes: string;
  readonly port: number;
  readonly etcdUrl: string;
  /** The bearer token of the administrator (group system:masters). */
  readonly token: string;
  /** Written when the server is ready: the administrator's kubeconfig. */
  readonly kubeconfig: string;
  /** Written before the server starts: the private key of service account tokens, which the controllers sign with too. */
  readonly serviceAccountKey: string;
  /** Where the server puts its certificate, `apiserver.crt`. */
  readonly certificates: string;
}

/** kube-apiserver on 127.0.0.1 with a certificate of its own, RBAC, and one administrator by token. */
export function apiserver(options: ApiserverOptions): Part {
  return {
    name: 'kube-apiserver',
    async start(context) {
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const key = options.serviceAccountKey;
      writeFileSync(key, privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
      const tokens = join(context.folder, 'tokens.csv');
      writeFileSync(tokens, `${options.token},admin,admin,"system:masters"\n`, { mode: 0o600 });
      const address = `https://127.0.0.1:${options.port}`;
      const running = await startServer(
        {
          name: 'kube-apiserver',
          command: options.kubernetes,
          args: [
            'kube-apiserver',
            `--etcd-servers=${options.etcdUrl}`,
            '--bind-address=127.0.0.1',
            '--advertise-address=127.0.0.1',
            `--secure-port=${options.port}`,
            `--cert-dir=${options.certificates}`,
            `--token-auth-file=${tokens}`,
            '--authorization-mode=Node,RBAC',
            '--service-account-issuer=https://kubernetes.default.svc',
            `--service-account-key-file=${key}`,
            `--service-account-signing-key-file=${key}`,
            '--service-cluster-ip-range=10.96.0.0/16',
            '--allow-privileged=true',
            // Logs and exec reach the kubelet by the node's name, which is localhost.
            '--kubelet-preferred-address-types=Hostname',
            // The address of the `kubernetes` Service would be a loopback one, which the reconciler refuses again and again.
            '--endpoint-reconciler-type=none',
          ],
          address,
          probe: { kind: 'http', url: `${address}/readyz` },
          port: options.port,
          timeoutMs: 120_000,
          remedy: 'see its log above; etcd.log beside it may say more',
        },
        context,
      );
      writeKubeconfig(options.kubeconfig, address, join(options.certificates, 'apiserver.crt'), options.token);
      return running;
    },
  };
}
