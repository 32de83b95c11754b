import { startServer } from '../child.ts';
import type { Part } from '../part.ts';

export interface ControllerManagerOptions {
  readonly kubernetes: string;
  readonly port: number;
  readonly kubeconfig: string;
  readonly serviceAccountKey: string;
  /** What pods get as their `ca.crt`: the API server's own certificate. */
  readonly rootCertificate: string;
}

/** kube-controller-manager: Jobs, service accounts, garbage collection, quotas. */
export function controllerManager(options: ControllerManagerOptions): Part {
  return loop('kube-controller-manager', options.kubernetes, options.port, [
    `--kubeconfig=${options.kubeconfig}`,
    `--service-account-private-key-file=${options.serviceAccountKey}`,
    `--root-ca-file=${options.rootCertificate}`,
    '--use-service-account-credentials',
    '--leader-elect=false',
  ]);
}

/** kube-scheduler: which node a pod runs on, or why none. */
export function scheduler(options: Pick<ControllerManagerOptions, 'kubernetes' | 'port' | 'kubeconfig'>): Part {
  return loop('kube-scheduler', options.kubernetes, options.port, [
    `--kubeconfig=${options.kubeconfig}`,
    '--leader-elect=false',
  ]);
}

function loop(name: string, kubernetes: string, port: number, flags: readonly string[]): Part {
  return {
    name,
    start: (context) =>
      startServer(
        {
          name,
          command: kubernetes,
          args: [name, ...flags, '--bind-address=127.0.0.1', `--secure-port=${port}`],
          address: `https://127.0.0.1:${port}`,
          probe: { kind: 'http', url: `https://127.0.0.1:${port}/healthz` },
          port,
          timeoutMs: 120_000,
          remedy: 'see its log above; kube-apiserver.log beside it may say more',
        },
        context,
      ),
  };
}
