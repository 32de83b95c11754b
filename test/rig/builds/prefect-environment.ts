import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from '../cache.ts';
import type { Log } from '../progress.ts';
import { RigError } from '../rig-error.ts';
import { ask, runLeashed } from '../run.ts';

const RIG = join(import.meta.dirname, '..');
export const PREFECT_REQUIREMENTS = join(RIG, 'prefect-requirements.txt');
const UV_REQUIREMENTS = join(RIG, 'uv-requirements.txt');

/** A Python environment with the locked Prefect, and a database that is migrated already. */
export interface PrefectEnvironment {
  /** The environment's folder; programs are in `bin`. */
  readonly folder: string;
  readonly python: string;
  /** An empty SQLite database at the newest migration, to be copied: migrating takes 12 s, a copy none. */
  readonly database: string;
}

/** The version a requirements file pins a package at. */
export function pinnedVersion(requirements: string, name: string): string {
  const version = new RegExp(`^${name}==([^\\s;]+)`, 'm').exec(requirements)?.[1];
  if (version === undefined) throw new Error(`the requirements do not pin ${name}`);
  return version;
}

/** The environment for our own Python tools: without what would change where they look or what they write. */
export function pythonBuildEnv(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name]) => !/^(PREFECT_|PYTHON|VIRTUAL_ENV$|CONDA|UV_(PYTHON|PROJECT|SYSTEM|CACHE))/.test(name),
  );
  return Object.fromEntries(kept);
}

/** @returns the path of the pinned uv, installed into a private environment when this machine does not have it. */
export async function installUv(log: Log, signal: AbortSignal): Promise<string> {
  const requirements = readFileSync(UV_REQUIREMENTS, 'utf8');
  const entry = await cached(
    {
      part: 'uv',
      ingredients: [requirements, process.arch],
      title: `installing uv ${pinnedVersion(requirements, 'uv')} (first time only)`,
      build: async (made, logFile) => {
        await checkPython();
        const options = { logFile, signal, env: pythonBuildEnv() };
        const venv = join(made, 'venv');
        await runLeashed('python3', ['-m', 'venv', venv], {
          ...options,
          remedy: 'on Debian: apt-get install -y python3-venv',
        });
        const install = ['-m', 'pip', 'install', '--quiet', '--require-hashes', '--only-binary=:all:'];
        await runLeashed(join(venv, 'bin', 'python'), [...install, '-r', UV_REQUIREMENTS], {
          ...options,
          remedy: 'check that pip can reach its package index',
        });
        // uv is one binary; the environment around it has served.
        renameSync(join(venv, 'bin', 'uv'), join(made, 'uv'));
        rmSync(venv, { recursive: true });
      },
    },
    log,
    signal,
  );
  return join(entry, 'uv');
}

/** Installs the locked Prefect into a private environment and makes its empty database, once per machine. */
export async function installPrefect(uv: string, log: Log, signal: AbortSignal): Promise<PrefectEnvironment> {
  const requirements = readFileSync(PREFECT_REQUIREMENTS, 'utf8');
  const pythonVersion = (await ask('python3', ['--version'])) ?? '';
  const entry = await cached(
    {
      part: 'prefect',
      ingredients: [requirements, readFileSync(UV_REQUIREMENTS, 'utf8'), pythonVersion, process.arch],
      title: `installing Prefect ${pinnedVersion(requirements, 'prefect')} (first time only, about 1 min)`,
      build: async (made, logFile) => {
        await checkPython();
        const venv = join(made, 'venv');
        const home = join(made, 'home');
        mkdirSync(home);
        const options = {
          logFile,
          signal,
          env: { ...pythonBuildEnv(), PREFECT_HOME: home, PREFECT_SERVER_ANALYTICS_ENABLED: 'false' },
          remedy: 'check that uv can reach its package index, and that there is 1 GB of room in the cache folder',
        };
        // Relocatable, because the folder is renamed when it is whole.
        await runLeashed(uv, ['venv', '--quiet', '--relocatable', '--python', 'python3', venv], options);
        const python = join(venv, 'bin', 'python');
        const install = ['pip', 'install', '--quiet', '--compile-bytecode', '--python', python];
        await runLeashed(uv, [...install, '-r', PREFECT_REQUIREMENTS], options);
        await runLeashed(python, ['-m', 'prefect', 'server', 'database', 'upgrade', '-y'], options);
        renameSync(join(home, 'prefect.db'), join(made, 'prefect.db'));
        rmSync(home, { recursive: true });
      },
    },
    log,
    signal,
  );
  const folder = join(entry, 'venv');
  return { folder, python: join(folder, 'bin', 'python'), database: join(entry, 'prefect.db') };
}

async function checkPython(): Promise<void> {
  const version = await ask('python3', ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])']);
  const remedy = 'install Python 3.11 or newer (Debian 12: apt-get install -y python3 python3-venv)';
  if (version === undefined) throw new RigError('Python is missing: there is no `python3` on PATH', remedy);
  const [major = 0, minor = 0] = version.trim().split('.').map(Number);
  if (major !== 3 || minor < 11) throw new RigError(`Python is too old: ${version.trim()}`, remedy);
}
