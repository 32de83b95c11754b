import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startServer } from '../child.ts';
import type { Part } from '../part.ts';

export interface BuildkitdOptions {
  readonly buildkitd: string;
  readonly socket: string;
  /** `127.0.0.1:PORT` of the rig's registry, as Docker Hub's mirror. */
  readonly mirror: string;
  /** A cgroup of the rig's own. */
  readonly cgroup: string;
}

/** BuildKit on a socket of its own, with runc; RUN steps use the machine's network. */
export function buildkitd({ buildkitd: command, socket, mirror, cgroup }: BuildkitdOptions): Part {
  return {
    name: 'buildkitd',
    start(context) {
      const config = join(context.folder, 'buildkitd.toml');
      writeFileSync(
        config,
        [
          `root = "${join(context.folder, 'data')}"`,
          '[worker.containerd]',
          'enabled = false',
          '[worker.oci]',
          'enabled = true',
          `defaultCgroupParent = "${cgroup}/buildkit"`,
          '[registry."docker.io"]',
          `mirrors = ["${mirror}"]`,
          `[registry."${mirror}"]`,
          'http = true',
          '',
        ].join('\n'),
      );
      return startServer(
        {
          name: 'buildkitd',
          command,
          args: ['--config', config, '--addr', `unix://${socket}`],
          address: `unix://${socket}`,
          probe: { kind: 'socket', socket },
          timeoutMs: 60_000,
          remedy: 'see its log above',
        },
        context,
      );
    },
  };
}
