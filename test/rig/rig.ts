import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readlinkSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEnclosure, PRIVATE_PLACES } from './enclosure.ts';
import { makeMaterials } from './materials.ts';
import { installMissingPackages, SYSTEM_PATH } from './packages.ts';
import { PartGroup } from './plan.ts';
import { identify, type ProcessIdentity } from './process-identity.ts';
import { duration, type Log } from './progress.ts';
import { asRig, BUILDKIT_BUILDER, givenCluster, type Rig } from './rig-description.ts';
import { RigError } from './rig-error.ts';
import { forwardingToRestore, readRecord, recordFile, sweepDeadRigs, undoRig, writeRecord } from './rig-record.ts';
import { run } from './run.ts';
import { forwardingNow } from './traces.ts';

export interface RigOptions {
  /** A folder for logs and data, made when missing. Absent: a temporary one, removed at stop. */
  readonly dir?: string;
  /** Gets progress, one line each, without a line end. */
  readonly log: Log;
  /** Aborted: the start ends, or the rig that runs is stopped. */
  readonly signal: AbortSignal;
  /** Default: DEFAULT_PARTS. With `postgresql` the Prefect server keeps its data there: for many writers at a time. */
  readonly parts?: readonly PartGroup[];
}

export const DEFAULT_PARTS: readonly PartGroup[] = ['prefect', 'registry', 'docker', 'buildkit', 'kubernetes'];
/** What needs no image from the registry. */
const WITHOUT_IMAGES = new Set<PartGroup>(['prefect', 'postgresql']);

/**
 * Starts the real parts on free ports of 127.0.0.1, making first what this machine does not have yet.
 * They end with `stop`, with the signal, and with the process that called this, however it ends.
 *
 * @throws RigError with what is missing or which part did not start, the end of its log, and what to do; the signal's
 *   reason when aborted. Nothing runs then.
 */
export async function startRig({ dir, log, signal, parts = DEFAULT_PARTS }: RigOptions): Promise<Rig> {
  const begun = Date.now();
  const given = parts.includes('kubernetes') ? process.env.SLIPWAY_RIG_KUBECONFIG : undefined;
  const cluster = given === undefined || given === '' ? undefined : givenCluster(given);
  const groups = groupsToStart(parts, cluster !== undefined);
  refuseOtherMachines();
  await sweepDeadRigs(log);
  await installMissingPackages(groups, log, signal);
  const { buildx, ...materials } = await makeMaterials(groups, log, signal);

  const made = Date.now();
  const id = randomBytes(3).toString('hex');
  const folder = makeFolder(dir);
  const file = recordFile(id);
  const record = {
    id,
    folder,
    temporary: dir === undefined,
    owner: ownIdentity(),
    forwardingBefore: forwardingToRestore(forwardingNow()),
  };
  writeRecord(record);
  const opened = (enclosure: ProcessIdentity): void => writeRecord({ ...record, enclosure });
  const outsideNamespace = readlinkSync('/proc/self/ns/pid');
  const plan = { id, folder, recordFile: file, groups, outsideNamespace, ...materials };
  // The enclosure undoes everything itself, unless it was killed.
  const leave = async (keepLogs: boolean): Promise<void> => {
    if (readRecord(file) !== undefined) await undoRig(record, file, keepLogs);
  };
  const enclosure = await openEnclosure(plan, partsEnv(folder), opened, log, signal).catch(async (error: unknown) => {
    await leave(!signal.aborted);
    throw error;
  });
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= enclosure.stop().then(() => leave(false));
    return stopping;
  };
  signal.addEventListener('abort', () => void stop().catch((error: unknown) => log(String(error))), { once: true });
  if (signal.aborted) {
    await stop();
    throw signal.reason;
  }
  const logsDir = join(folder, 'logs');
  const dockerConfigDir =
    buildx === undefined
      ? undefined
      : await makeDockerConfig(folder, buildx, enclosure.addresses.buildkit, signal).catch(async (error: unknown) => {
          await stop();
          throw error;
        });
  log(
    `all parts are ready (${duration(Date.now() - made)}, with preparation ${duration(Date.now() - begun)}); logs: ${logsDir}`,
  );
  return asRig(
    {
      id,
      dir: folder,
      logsDir,
      parts: [...enclosure.parts],
      images: materials.images,
      addresses: { ...enclosure.addresses, ...cluster },
      ...(materials.prefect === undefined ? {} : { prefectEnvironment: materials.prefect.folder }),
      ...(dockerConfigDir === undefined ? {} : { dockerConfigDir }),
    },
    stop,
  );
}

/** Which groups the rig starts itself: images come from the registry, and a given cluster is not started. */
export function groupsToStart(parts: readonly PartGroup[], clusterGiven: boolean): PartGroup[] {
  const needsRegistry = parts.some((part) => !WITHOUT_IMAGES.has(part));
  return PartGroup.options.filter((group) => {
    if (group === 'registry') return needsRegistry;
    return parts.includes(group) && !(group === 'kubernetes' && clusterGiven);
  });
}

function refuseOtherMachines(): void {
  const remedy = 'run it as root on Debian 12, or in a privileged container of it; elsewhere it does not start yet';
  if (process.platform !== 'linux') throw new RigError(`the rig needs Linux, and this is ${process.platform}`, remedy);
  if (process.getuid?.() !== 0)
    throw new RigError('the rig needs root: it makes namespaces, bridges and cgroups', remedy);
}

/** Makes the rig's folder: `logs`, which stay, and `data`, which are thrown away at stop. */
function makeFolder(dir: string | undefined): string {
  if (dir === undefined) return withFolders(mkdtempSync(join(tmpdir(), 'slipway-rig-')));
  mkdirSync(dir, { recursive: true });
  const folder = realpathSync(dir);
  const remedy = 'give another folder, for example one under /tmp';
  const place = PRIVATE_PLACES.find((candidate) => `${folder}/`.startsWith(`${candidate}/`));
  if (place !== undefined)
    throw new RigError(`the rig cannot live in ${folder}: its parts have a ${place} of their own`, remedy);
  // A Unix socket's path has at most 107 bytes (unix(7)).
  if (Buffer.byteLength(folder) > 85) throw new RigError(`the path ${folder} is too long for sockets in it`, remedy);
  if (existsSync(join(folder, 'data'))) throw new RigError(`${folder} holds a folder \`data\` already`, remedy);
  return withFolders(folder);
}

function withFolders(folder: string): string {
  mkdirSync(join(folder, 'data', 'home'), { recursive: true });
  mkdirSync(join(folder, 'logs'), { recursive: true });
  return folder;
}

/** What every part starts from: nothing of the user's own settings, and the certificates the machine trusts. */
function partsEnv(folder: string): Record<string, string> {
  const env: Record<string, string> = {
    PATH: `${process.env.PATH ?? ''}:${SYSTEM_PATH}`,
    HOME: join(folder, 'data', 'home'),
    LANG: 'C.UTF-8',
    NO_PROXY: '127.0.0.1,localhost',
  };
  for (const name of ['SSL_CERT_FILE', 'SSL_CERT_DIR', 'TZ']) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}

/** A Docker configuration of the rig's own: no credentials, no user's builders, and the buildx plugin. */
async function makeDockerConfig(
  folder: string,
  buildx: string,
  buildkit: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  const config = join(folder, 'data', 'docker-config');
  mkdirSync(join(config, 'cli-plugins'), { recursive: true });
  writeFileSync(join(config, 'config.json'), '{}', { mode: 0o600 });
  symlinkSync(buildx, join(config, 'cli-plugins', 'docker-buildx'));
  if (buildkit !== undefined) {
    await run(buildx, ['create', '--name', BUILDKIT_BUILDER, '--driver', 'remote', buildkit], {
      logFile: join(folder, 'logs', 'buildx-create.log'),
      signal,
      env: { ...partsEnv(folder), DOCKER_CONFIG: config, BUILDX_CONFIG: join(config, 'buildx') },
      remedy: 'see its words above',
    });
  }
  return config;
}

function ownIdentity(): ProcessIdentity {
  const identity = identify(process.pid);
  if (identity === undefined) throw new Error('this process is not in /proc');
  return identity;
}
