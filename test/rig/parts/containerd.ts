import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startServer } from '../child.ts';
import type { Part } from '../part.ts';
import { RigError } from '../rig-error.ts';

export interface ContainerdOptions {
  /** The rig's registry, for example `localhost:20500`: where images named so, and those of Docker Hub, come from. */
  readonly registry: string;
  readonly sandboxImage: string;
  /** The bridge that pods without hostNetwork are put on; made by the CNI plugin when the first such pod comes. */
  readonly bridge: string;
  /** The pods' addresses, for example `10.213.7.0/24`. */
  readonly subnet: string;
  /** A socket path of at most 107 bytes. */
  readonly socket: string;
}

const CNI_FOLDERS = ['/usr/lib/cni', '/opt/cni/bin'];

/** Debian's containerd with its CRI plugin: what the kubelet starts pods with. */
export function containerd(options: ContainerdOptions): Part {
  return {
    name: 'containerd',
    async start(context) {
      const { folder } = context;
      const network = join(folder, 'cni');
      mkdirSync(network);
      const plugins = CNI_FOLDERS.find((candidate) => existsSync(join(candidate, 'bridge')));
      if (plugins === undefined) {
        const remedy = 'on Debian: apt-get install -y containernetworking-plugins; without them there are no pods';
        throw new RigError('the CNI plugins are missing', remedy);
      }
      writeFileSync(join(network, '10-rig.conflist'), JSON.stringify(networkConfig(options, folder)));
      const config = join(folder, 'config.toml');
      writeFileSync(config, containerdConfig(options, folder, network, plugins));
      return startServer(
        {
          name: 'containerd',
          command: 'containerd',
          args: ['--config', config],
          address: `unix://${options.socket}`,
          probe: { kind: 'socket', socket: options.socket },
          timeoutMs: 60_000,
          remedy: 'see its log above',
        },
        context,
      );
    },
  };
}

/** No masquerading: pods that need the world use hostNetwork, and so no rule of the firewall has to be undone. */
function networkConfig(options: ContainerdOptions, folder: string): unknown {
  return {
    cniVersion: '0.4.0',
    name: 'rig',
    plugins: [
      {
        type: 'bridge',
        bridge: options.bridge,
        isGateway: true,
        ipMasq: false,
        ipam: { type: 'host-local', dataDir: join(folder, 'ipam'), ranges: [[{ subnet: options.subnet }]] },
      },
    ],
  };
}

function containerdConfig(options: ContainerdOptions, folder: string, network: string, plugins: string): string {
  const mirror = `http://${options.registry.replace('localhost', '127.0.0.1')}`;
  const text = JSON.stringify; // A JSON string is a TOML basic string.
  return `version = 2
root = ${text(join(folder, 'root'))}
state = ${text(join(folder, 'state'))}
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = ${text(options.socket)}
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${text(options.sandboxImage)}
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = ${text(plugins)}
    conf_dir = ${text(network)}
  [plugins."io.containerd.grpc.v1.cri".registry.mirrors.${text(options.registry)}]
    endpoint = [${text(mirror)}]
  [plugins."io.containerd.grpc.v1.cri".registry.mirrors."docker.io"]
    endpoint = [${text(mirror)}]
`;
}

/**
 * Pulls the base images onto the node in the background, at the lowest priority, as a node has them that ran a flow
 * before. Images built on them then bring only their own layers. Nothing waits for it, and its failure costs time only.
 */
export function warmNode(socket: string, names: readonly string[], env: NodeJS.ProcessEnv, logFile: string): void {
  const [name, ...rest] = names;
  if (name === undefined) return;
  const log = openSync(logFile, 'a');
  const pull = ['ctr', `--address=${socket}`, '--namespace=k8s.io', 'images', 'pull', '--plain-http', name];
  const child = spawn('nice', ['-n', '19', ...pull], { env, stdio: ['ignore', log, log] });
  closeSync(log);
  child.once('error', () => undefined);
  child.once('exit', () => warmNode(socket, rest, env, logFile));
}
