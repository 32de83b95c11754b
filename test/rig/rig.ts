import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { buildBuildx, buildKubernetes } from './builds/go-binaries.ts';
import { installPrefect, installUv } from './builds/prefect-environment.ts';
import { openEnclosure, PRIVATE_PLACES } from './enclosure.ts';
import { flowBaseImage } from './images/flow-base.ts';
import { nodeBaseImage } from './images/node-base.ts';
import { pauseImage } from './images/pause.ts';
import { installMissingPackages } from './packages.ts';
import type { Addresses, PartGroup, PartStatus, Plan } from './plan.ts';
import { identify } from './process-identity.ts';
import { duration, type Log } from './progress.ts';
import { RigError } from './rig-error.ts';
import { isLive, type RigRecord, readRecords, sweepDeadRigs, undoRig, writeRecord } from './rig-record.ts';
import { forwardingNow } from './traces.ts';

export interface RigOptions {
  /** An existing or new folder for logs and data. Absent: a temporary one, removed at stop. At most 60 characters. */
  readonly dir?: string;
  /** One line of progress each, without a line end. */
  readonly log: Log;
  /** Aborted: the start ends, or the rig that runs is stopped. */
  readonly signal: AbortSignal;
  /** Default: all. */
  readonly parts?: readonly PartGroup[];
}

/** The real parts, running. Reading the address of a part that was not asked for throws. */
export interface Rig {
  readonly id: string;
  readonly dir: string;
  /** Each part's log is `<name>.log` in here; they stay after stop when the caller gave the folder. */
  readonly logsDir: string;
  readonly parts: readonly PartStatus[];
  /** `http://127.0.0.1:PORT/api` */
  readonly prefectApiUrl: string;
  /** `http://127.0.0.1:PORT` */
  readonly prefectUiUrl: string;
  /** The environment of the locked Prefect: `bin/prefect`, `bin/python`. */
  readonly prefectEnvironment: string;
  /** `localhost:PORT` */
  readonly registry: string;
  /** `unix:///…/docker.sock` */
  readonly dockerHost: string;
  /** A Docker configuration without credentials that has the buildx plugin. */
  readonly dockerConfigDir: string;
  readonly kubeconfigPath: string;
  /** `https://127.0.0.1:PORT` */
  readonly kubernetesApiUrl: string;
  readonly kubernetesPort: number;
  /** PREFECT_API_URL, DOCKER_HOST, DOCKER_CONFIG, BUILDX_CONFIG, KUBECONFIG: those of the parts that run. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export const ALL_PARTS: readonly PartGroup[] = ['prefect', 'registry', 'docker', 'kubernetes'];

/**
 * Starts the real parts on free ports of 127.0.0.1, making first what this machine does not have yet.
 * They end with `stop`, with the signal, and with the process that called this, however it ends.
 *
 * @throws RigError with what is missing or which part did not start, the end of its log, and what to do.
 */
export async function startRig(options: RigOptions): Promise<Rig> {
  const begun = Date.now();
  const { log, signal } = options;
  const givenKubeconfig = process.env.SLIPWAY_RIG_KUBECONFIG;
  const groups = groupsToStart(options.parts ?? ALL_PARTS, givenKubeconfig !== undefined);
  refuseOtherMachines();
  await sweepDeadRigs(log);
  await installMissingPackages(groups, log, signal);
  const materials = await makeMaterials(groups, log, signal);

  const folder = prepareFolder(options.dir);
  const { id } = folder;
  const plan: Plan = {
    id,
    folder: folder.path,
    groups,
    outsideNamespace: readlinkSync('/proc/self/ns/pid'),
    ...materials.plan,
  };
  const owner = identify(process.pid);
  if (owner === undefined) throw new Error('this process is not in /proc');
  let record: RigRecord = { id, folder: folder.path, owner, forwardingBefore: forwardingToRestore() };
  writeRecord(record);
  const opened = (enclosure: NonNullable<RigRecord['enclosure']>): void => {
    record = { ...record, enclosure };
    writeRecord(record);
  };
  const leave = async (): Promise<void> => {
    // The enclosure has undone everything itself, unless it was killed.
    if (readRecords().some((other) => other.id === id)) await undoRig(record);
  };
  const enclosure = await openEnclosure(plan, partsEnv(folder.path), opened, log, signal).catch(async (error: unknown) => {
    await leave();
    throw error;
  });
  const stop = once(async () => {
    await enclosure.stop();
    await leave();
    if (folder.ours) rmSync(folder.path, { recursive: true, force: true });
  });
  signal.addEventListener('abort', () => void stop(), { once: true });
  const given = givenKubeconfig === undefined ? {} : addressesOfKubeconfig(givenKubeconfig);
  const dockerConfig = materials.buildx === undefined ? undefined : makeDockerConfig(folder.path, materials.buildx);
  log(`all parts are ready (${duration(Date.now() - begun)}); logs in ${join(folder.path, 'logs')}`);
  return {
    ...describeRig({
      id,
      dir: folder.path,
      parts: [...enclosure.parts],
      addresses: { ...enclosure.addresses, ...given },
      ...(plan.prefect === undefined ? {} : { prefectEnvironment: plan.prefect.folder }),
      ...(dockerConfig === undefined ? {} : { dockerConfigDir: dockerConfig }),
    }),
    stop,
  };
}
