import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PREFECT_REQUIREMENTS, pinnedVersion } from '../builds/prefect-environment.ts';
import { cached } from '../cache.ts';
import type { SeededImage } from '../plan.ts';
import type { Log } from '../progress.ts';
import { imageFromRootfs } from './image.ts';
import { CA_BUNDLE, caBundle, makeRootfs } from './rootfs.ts';

/** What the official image's entry does: extra packages when asked for, then the command. */
const ENTRYPOINT = `#!/bin/bash
set -e
if [ -n "$EXTRA_PIP_PACKAGES" ]; then
  uv pip install $EXTRA_PIP_PACKAGES
fi
if [ $# -eq 0 ]; then
  exec bash --login
fi
exec "$@"
`;

/** The settings of the official image that a Dockerfile built on it leans on. */
const ENV = [
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'LANG=C.UTF-8',
  'LC_ALL=C.UTF-8',
  'UV_SYSTEM_PYTHON=1',
  'UV_LINK_MODE=copy',
  'UV_COMPILE_BYTECODE=1',
  'UV_NO_CACHE=1',
  `SSL_CERT_FILE=${CA_BUNDLE}`,
  `REQUESTS_CA_BUNDLE=${CA_BUNDLE}`,
  `PIP_CERT=${CA_BUNDLE}`,
];

const PACKAGES = ['python3', 'ca-certificates', 'git', 'tini', 'libstdc++6'];

/**
 * Steps inside the new root. Bytecode is made unchecked: layers carry whole seconds as modification times, and a pod
 * must not compile Prefect anew at each start. A server's web pages have no use in a flow's pod.
 */
function hooks(uv: string, entrypoint: string, constraints: string, version: string): string[] {
  const site = '/usr/local/lib/python3.11/dist-packages';
  const env = `env SSL_CERT_FILE=${CA_BUNDLE} UV_SYSTEM_PYTHON=1 UV_CACHE_DIR=/tmp/uv-cache UV_LINK_MODE=copy`;
  return [
    `install -D -m 0755 '${uv}' "$1/usr/local/bin/uv"`,
    `install -D -m 0755 '${entrypoint}' "$1/opt/prefect/entrypoint.sh"`,
    `cp '${constraints}' "$1/tmp/constraints.txt"`,
    'rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED',
    'ln -s /usr/bin/python3 "$1/usr/local/bin/python"',
    `chroot "$1" ${env} uv pip install --quiet prefect==${version} -c /tmp/constraints.txt`,
    `rm -rf "$1${site}/prefect/server/ui_build" "$1${site}/prefect/server/ui-v2_build" "$1${site}/prefect/server/ui_v2_build"`,
    `chroot "$1" python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash ${site} || true`,
    `chroot "$1" python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /usr/lib/python3.11 || true`,
    'chroot "$1" prefect version',
    'rm -rf "$1/root/.prefect" "$1/root/.cache"',
    // Cloning a repository takes no Perl.
    'rm -rf "$1"/usr/share/perl/* "$1"/usr/lib/*/perl/* "$1/usr/share/gitweb"',
  ];
}

/** The base image of flows, standing in for Docker Hub's `prefecthq/prefect` with Python 3.11. */
export async function flowBaseImage(uv: string, log: Log, signal: AbortSignal): Promise<SeededImage> {
  const requirements = readFileSync(PREFECT_REQUIREMENTS, 'utf8');
  const version = pinnedVersion(requirements, 'prefect');
  // Without the paths of this checkout: another clone makes the same image.
  const recipe = [ENTRYPOINT, ...ENV, ...PACKAGES, ...hooks('uv', 'entrypoint', 'constraints', version)];
  const folder = await cached(
    {
      part: 'image-flow-base',
      ingredients: [requirements, caBundle(), ...recipe, process.arch],
      title: `making the image prefecthq/prefect:3-latest with Prefect ${version} (first time only, about 2 min)`,
      build: async (made, logFile) => {
        const entrypoint = join(made, 'entrypoint.sh');
        const tar = join(made, 'rootfs.tar');
        writeFileSync(entrypoint, ENTRYPOINT);
        chmodSync(entrypoint, 0o755);
        const rootfs = { packages: PACKAGES, hooks: hooks(uv, entrypoint, PREFECT_REQUIREMENTS, version) };
        await makeRootfs(rootfs, tar, join(made, 'scratch'), logFile, signal);
        await imageFromRootfs(
          tar,
          {
            Env: ENV,
            WorkingDir: '/opt/prefect',
            Entrypoint: ['/usr/bin/tini', '-g', '--', '/opt/prefect/entrypoint.sh'],
          },
          made,
        );
        rmSync(entrypoint);
      },
    },
    log,
    signal,
  );
  return { folder, repository: 'prefecthq/prefect', tags: ['3-latest', '3-python3.11', `${version}-python3.11`] };
}
