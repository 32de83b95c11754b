import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startServer } from '../child.ts';
import type { Part } from '../part.ts';

export interface KubeletOptions {
  readonly kubernetes: string;
  readonly kubeconfig: string;
  readonly port: number;
  readonly healthPort: number;
  readonly containerdSocket: string;
  /** A cgroup that exists in every hierarchy, for example `/slipway-rig-ab12cd`; all pods are inside. */
  readonly cgroup: string;
}

/** The node of the cluster, called localhost. */
export const NODE_NAME = 'localhost';

/** The kubelet: runs pods on this machine, inside the rig's cgroup and its own folders. */
export function kubelet(options: KubeletOptions): Part {
  return {
    name: 'kubelet',
    start(context) {
      const root = join(context.folder, 'root');
      mkdirSync(root);
      const config = join(context.folder, 'config.json');
      writeFileSync(config, JSON.stringify(kubeletConfig(options, context.folder)));
      return startServer(
        {
          name: 'kubelet',
          command: options.kubernetes,
          args: [
            'kubelet',
            `--config=${config}`,
            `--kubeconfig=${options.kubeconfig}`,
            `--hostname-override=${NODE_NAME}`,
            `--root-dir=${root}`,
            `--cert-dir=${join(context.folder, 'certificates')}`,
          ],
          address: `https://127.0.0.1:${options.port}`,
          probe: { kind: 'http', url: `http://127.0.0.1:${options.healthPort}/healthz` },
          port: options.healthPort,
          timeoutMs: 120_000,
          remedy: 'see its log above; containerd.log beside it may say more',
        },
        context,
      );
    },
  };
}

function kubeletConfig(options: KubeletOptions, folder: string): unknown {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: '127.0.0.1',
    port: options.port,
    healthzBindAddress: '127.0.0.1',
    healthzPort: options.healthPort,
    // Loopback only, and the API server brings no client certificate.
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    containerRuntimeEndpoint: `unix://${options.containerdSocket}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: options.cgroup,
    failCgroupV1: false,
    failSwapOn: false,
    featureGates: { KubeletInUserNamespace: true },
    serializeImagePulls: false,
    registryPullQPS: 0,
    maxPods: 200,
    podLogsDir: join(folder, 'pod-logs'),
    volumePluginDir: join(folder, 'volume-plugins'),
    // The node's firewall is not the rig's to write.
    makeIPTablesUtilChains: false,
    enforceNodeAllocatable: [],
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    evictionHard: {
      'memory.available': '1%',
      'nodefs.available': '1%',
      'imagefs.available': '1%',
      'nodefs.inodesFree': '1%',
    },
    // How soon the node is Ready; a status that did not change is not sent.
    nodeStatusUpdateFrequency: '1s',
  };
}
