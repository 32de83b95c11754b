import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from '../cache.ts';
import type { SeededImage } from '../plan.ts';
import type { Log } from '../progress.ts';
import { imageFromRootfs } from './image.ts';
import { CA_BUNDLE, caBundle, makeRootfs } from './rootfs.ts';

/** What the official image's entry does: options, or what is no command, go to node. */
const ENTRYPOINT = `#!/bin/sh
set -e
if [ "\${1#-}" != "$1" ] || [ -z "$(command -v "$1")" ]; then
  set -- node "$@"
fi
exec "$@"
`;

const PACKAGES = ['libstdc++6', 'ca-certificates', 'passwd'];
const ENV = [
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  `NODE_VERSION=${process.versions.node}`,
  `NODE_EXTRA_CA_CERTS=${CA_BUNDLE}`,
];

/**
 * The base image of the worker, standing in for Docker Hub's `library/node:24-bookworm-slim`: the Node of this
 * project's lock file on Debian 12, with the official image's user `node` (1000) and entry. It has no npm.
 *
 * @param node the Node binary to put in; the one that runs the rig, whose version is locked by package-lock.json.
 */
export async function nodeBaseImage(node: string, log: Log, signal: AbortSignal): Promise<SeededImage> {
  const hooks = (binary: string, entrypoint: string): string[] => [
    `install -D -m 0755 '${binary}' "$1/usr/local/bin/node"`,
    `install -D -m 0755 '${entrypoint}' "$1/usr/local/bin/docker-entrypoint.sh"`,
    'chroot "$1" groupadd --gid 1000 node',
    'chroot "$1" useradd --uid 1000 --gid node --shell /bin/bash --create-home node',
    'chroot "$1" node --version',
  ];
  const folder = await cached(
    {
      part: 'image-node-base',
      ingredients: [caBundle(), ENTRYPOINT, ...PACKAGES, ...ENV, ...hooks('node', 'entrypoint'), process.arch],
      title: `making the image node:24-bookworm-slim with Node ${process.versions.node} (first time only, about 1 min)`,
      build: async (made, logFile) => {
        const entrypoint = join(made, 'entrypoint.sh');
        const tar = join(made, 'rootfs.tar');
        writeFileSync(entrypoint, ENTRYPOINT);
        chmodSync(entrypoint, 0o755);
        await makeRootfs(
          { packages: PACKAGES, hooks: hooks(node, entrypoint) },
          tar,
          join(made, 'scratch'),
          logFile,
          signal,
        );
        await imageFromRootfs(tar, { Env: ENV, Entrypoint: ['docker-entrypoint.sh'], Cmd: ['node'] }, made);
        rmSync(entrypoint);
      },
    },
    log,
    signal,
  );
  return { folder, repository: 'library/node', tags: ['24-bookworm-slim', '24-slim'] };
}
