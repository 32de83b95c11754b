import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startServer } from '../child.ts';
import type { Part } from '../part.ts';

export interface DockerdOptions {
  readonly socket: string;
  /** The rig's registry as Docker Hub's mirror. */
  readonly mirror: string;
  /** A bridge that exists, with the address of the containers' gateway. */
  readonly bridge: string;
  /** A cgroup of the rig's own. */
  readonly cgroup: string;
}

/**
 * Debian's dockerd with its own containerd, on a socket of its own. It writes no firewall rules: the rig made the
 * bridge and its two rules itself (network.ts), so that it can undo exactly those.
 */
export function dockerd(options: DockerdOptions): Part {
  return {
    name: 'dockerd',
    start(context) {
      const config = join(context.folder, 'daemon.json');
      writeFileSync(config, '{}'); // Or it would read the machine's own.
      return startServer(
        {
          name: 'dockerd',
          command: 'dockerd',
          args: [
            `--config-file=${config}`,
            `--host=unix://${options.socket}`,
            `--data-root=${join(context.folder, 'data')}`,
            // In the enclosure's private /run: the paths of the sockets in it must stay short.
            '--exec-root=/run/slipway-dockerd',
            '--pidfile=/run/slipway-dockerd.pid',
            `--registry-mirror=${options.mirror}`,
            `--bridge=${options.bridge}`,
            '--iptables=false',
            '--ip6tables=false',
            '--ip-forward=false',
            '--ip-masq=false',
            '--userland-proxy=false',
            '--exec-opt=native.cgroupdriver=cgroupfs',
            `--cgroup-parent=${options.cgroup}/docker`,
          ],
          address: `unix://${options.socket}`,
          probe: { kind: 'socket', socket: options.socket, httpPath: '/_ping' },
          timeoutMs: 60_000,
          remedy: 'see its log above',
        },
        context,
      );
    },
  };
}
