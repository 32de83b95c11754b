import { accessSync, constants, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheRoot } from './cache.ts';
import { withLock } from './lock.ts';
import { POSTGRESQL_BIN } from './parts/postgresql.ts';
import type { PartGroup } from './plan.ts';
import { type Log, withProgress } from './progress.ts';
import { RigError } from './rig-error.ts';
import { ask, run } from './run.ts';

/** A Debian package, what shows that it (or another that serves as well) is there, and who needs it. */
interface DebianPackage {
  readonly name: string;
  /** Programs on PATH, or one of several files. */
  readonly programs?: readonly string[];
  readonly anyFile?: readonly string[];
  readonly neededBy: readonly PartGroup[];
}

const PACKAGES: readonly DebianPackage[] = [
  { name: 'docker.io', programs: ['dockerd', 'docker'], neededBy: ['docker', 'buildkit'] },
  { name: 'iptables', programs: ['iptables', 'iptables-save'], neededBy: ['docker'] },
  { name: 'iproute2', programs: ['ip'], neededBy: ['docker', 'kubernetes'] },
  { name: 'containerd', programs: ['containerd'], neededBy: ['docker', 'kubernetes'] },
  { name: 'runc', programs: ['runc'], neededBy: ['docker', 'buildkit', 'kubernetes'] },
  {
    name: 'containernetworking-plugins',
    anyFile: ['/usr/lib/cni/bridge', '/opt/cni/bin/bridge'],
    neededBy: ['kubernetes'],
  },
  { name: 'etcd-server', programs: ['etcd'], neededBy: ['kubernetes'] },
  { name: 'postgresql-15', anyFile: [join(POSTGRESQL_BIN, 'postgres')], neededBy: ['postgresql'] },
  { name: 'docker-registry', programs: ['docker-registry'], neededBy: ['registry'] },
  { name: 'mmdebstrap', programs: ['mmdebstrap'], neededBy: ['registry'] },
  { name: 'busybox-static', anyFile: ['/bin/busybox'], neededBy: ['registry'] },
  { name: 'ca-certificates', anyFile: ['/etc/ssl/certs/ca-certificates.crt'], neededBy: ['registry'] },
  { name: 'python3-venv', programs: ['python3'], neededBy: ['prefect', 'registry'] },
];

/** What the search looks at; root's PATH may lack the system folders. */
export const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Whether a program is in one of the folders of a PATH. */
export function onPath(program: string, path: string): boolean {
  return path.split(':').some((folder) => {
    if (folder === '') return false;
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The names of the packages that the groups need and the machine lacks. */
export async function missingPackages(groups: readonly PartGroup[], path: string): Promise<string[]> {
  const missing = PACKAGES.filter((one) => one.neededBy.some((group) => groups.includes(group)))
    .filter(({ programs = [], anyFile }) => {
      const programsThere = programs.every((program) => onPath(program, path));
      return !programsThere || (anyFile !== undefined && !anyFile.some((file) => existsSync(file)));
    })
    .map(({ name }) => name);
  // Debian's other busybox needs libraries, which the pause image does not have; of the static one ldd knows nothing.
  const wantsBusybox = groups.includes('registry') && !missing.includes('busybox-static');
  if (wantsBusybox && (await ask('ldd', ['/bin/busybox'])) !== undefined) missing.push('busybox-static');
  // Debian's python3 comes without the part that makes environments.
  const wantsPython = groups.includes('prefect') || groups.includes('registry');
  if (
    wantsPython &&
    !missing.includes('python3-venv') &&
    (await ask('python3', ['-c', 'import ensurepip'])) === undefined
  ) {
    missing.push('python3-venv');
  }
  return missing;
}

const POLICY = '/usr/sbin/policy-rc.d';

/**
 * Installs the Debian packages that are missing, without letting their services start.
 *
 * @throws RigError naming them and the command when this is not a Debian with root, or the installation fails.
 */
export async function installMissingPackages(
  groups: readonly PartGroup[],
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const path = `${process.env.PATH ?? ''}:${SYSTEM_PATH}`;
  if ((await missingPackages(groups, path)).length === 0) return;
  await withLock('install packages', log, signal, async () => {
    const names = await missingPackages(groups, path);
    if (names.length === 0) return;
    const command = `apt-get update && apt-get install -y --no-install-recommends ${names.join(' ')}`;
    const skipped = `without them there is no ${groups.join(', ')} in the rig`;
    if (!onPath('apt-get', path) || process.getuid?.() !== 0) {
      throw new RigError(
        `these Debian packages are missing: ${names.join(' ')}`,
        `as root on Debian 12: ${command}; ${skipped}`,
      );
    }
    const logs = join(cacheRoot(), 'logs');
    mkdirSync(logs, { recursive: true });
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const options = { logFile: join(logs, 'apt.log'), signal, env, remedy: `run by hand: ${command}; ${skipped}` };
    await withProgress(log, `installing Debian packages: ${names.join(' ')}`, () =>
      withoutServices(async () => {
        await run('apt-get', ['update', '-q'], options);
        await run('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...names], options);
      }),
    );
  });
}

/** Debian asks policy-rc.d before it starts a service that was just installed; 101 says no. A policy that is there stays. */
async function withoutServices(work: () => Promise<void>): Promise<void> {
  if (existsSync(POLICY)) return work();
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await work();
  } finally {
    rmSync(POLICY, { force: true });
  }
}
