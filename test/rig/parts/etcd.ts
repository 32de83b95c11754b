import { join } from 'node:path';
import { startServer } from '../child.ts';
import type { Part } from '../part.ts';

/** Debian's etcd, holding the cluster's objects. It never waits for the disk: its data end with the rig. */
export function etcd(port: number, peerPort: number): Part {
  return {
    name: 'etcd',
    start(context) {
      const url = `http://127.0.0.1:${port}`;
      const peer = `http://127.0.0.1:${peerPort}`;
      return startServer(
        {
          name: 'etcd',
          command: 'etcd',
          args: [
            '--name=rig',
            `--data-dir=${join(context.folder, 'data')}`,
            `--listen-client-urls=${url}`,
            `--advertise-client-urls=${url}`,
            `--listen-peer-urls=${peer}`,
            `--initial-advertise-peer-urls=${peer}`,
            `--initial-cluster=rig=${peer}`,
            '--unsafe-no-fsync',
            '--logger=zap',
            '--log-level=warn',
          ],
          // Debian's 3.4 refuses to start on arm64 without it.
          env: process.arch === 'arm64' ? { ETCD_UNSUPPORTED_ARCH: 'arm64' } : {},
          address: url,
          probe: { kind: 'http', url: `${url}/health` },
          port,
          timeoutMs: 60_000,
          remedy: 'see its log above',
        },
        context,
      );
    },
  };
}
