import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { runLeashed } from '../run.ts';

/** The machine's own CA bundle: inside images it lets installers trust what the machine trusts. */
export const CA_BUNDLE = '/etc/ssl/certs/ca-certificates.crt';

/** The text of the machine's CA bundle; an ingredient of every image that carries it. */
export const caBundle = (): string => readFileSync(CA_BUNDLE, 'utf8');

export interface RootfsRecipe {
  /** Debian packages beside the essential ones. */
  readonly packages: readonly string[];
  /** mmdebstrap's customize hooks, run by a shell with the new root's path as $1. */
  readonly hooks: readonly string[];
}

/** Documentation and translations, which nothing in a container reads. */
const LEFT_OUT = ['doc', 'man', 'info', 'locale', 'lintian', 'linda', 'bug', 'zoneinfo/right', 'zoneinfo/posix'];

/**
 * Makes the root file system of a Debian 12 with the packages of its current point release, as a tar.
 *
 * @param scratch a folder for what comes and goes; it is empty again afterwards.
 * @throws RigError with mmdebstrap's last words.
 */
export async function makeRootfs(
  recipe: RootfsRecipe,
  tar: string,
  scratch: string,
  logFile: string,
  signal: AbortSignal,
): Promise<void> {
  mkdirSync(scratch, { recursive: true });
  const leftOut = LEFT_OUT.map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);
  const args = ['--mode=root', '--variant=essential', '--format=tar', ...leftOut];
  const caches = ['rm -rf "$1"/var/cache/* "$1"/var/log/* "$1"/tmp/* "$1"/var/lib/apt/lists/* "$1"/usr/lib/*/gconv'];
  const hooks = [`copy-in ${CA_BUNDLE} ${CA_BUNDLE.slice(0, CA_BUNDLE.lastIndexOf('/'))}`, ...recipe.hooks, ...caches];
  await runLeashed(
    'mmdebstrap',
    [
      ...args,
      `--include=${recipe.packages.join(',')}`,
      ...hooks.map((hook) => `--customize-hook=${hook}`),
      'bookworm',
      tar,
    ],
    {
      logFile,
      signal,
      env: { ...process.env, TMPDIR: scratch, LC_ALL: 'C.UTF-8' },
      remedy: 'check that apt can reach the Debian archive; mmdebstrap needs root and 2 GB of room in the cache folder',
    },
  );
  rmSync(scratch, { recursive: true, force: true });
}
