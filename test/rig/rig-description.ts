import { readFileSync } from 'node:fs';
import { parse as parseYaml } from 'yaml';
import * as z from 'zod';
import { mountLayers } from './images/push.ts';
import { Addresses, PartStatus, SeededImage } from './plan.ts';
import { RigError } from './rig-error.ts';

/** The name by which buildx knows the rig's BuildKit; the current builder is dockerd's own. */
export const BUILDKIT_BUILDER = 'rig-buildkit';

/** A rig as it stands in the state file of `rig up`: everything but the means to stop it. */
export const RigDescription = z.object({
  id: z.string(),
  dir: z.string(),
  logsDir: z.string(),
  parts: z.array(PartStatus),
  addresses: Addresses,
  prefectEnvironment: z.string().optional(),
  dockerConfigDir: z.string().optional(),
  images: z.array(SeededImage),
});
export type RigDescription = z.infer<typeof RigDescription>;

/** The real parts, running. Reading an address of a part that was not asked for throws. */
export interface Rig {
  readonly id: string;
  readonly dir: string;
  /** Each part's log is `<name>.log` in here; they stay after stop when the caller gave the folder. */
  readonly logsDir: string;
  readonly parts: readonly PartStatus[];
  readonly description: RigDescription;
  /** `http://127.0.0.1:PORT/api` */
  readonly prefectApiUrl: string;
  /** `http://127.0.0.1:PORT` */
  readonly prefectUiUrl: string;
  /** The environment of the locked Prefect: programs are in its `bin`. */
  readonly prefectEnvironment: string;
  /** `localhost:PORT` */
  readonly registry: string;
  /** `unix:///…/docker.sock` */
  readonly dockerHost: string;
  /** `unix:///…/buildkit.sock`: BuildKit of the rig's own, which buildx reaches as a remote builder (BUILDKIT_BUILDER). */
  readonly buildkit: string;
  /** A Docker configuration without credentials that has the buildx plugin and the builder BUILDKIT_BUILDER. */
  readonly dockerConfigDir: string;
  readonly kubeconfigPath: string;
  /** `https://127.0.0.1:PORT` */
  readonly kubernetesApiUrl: string;
  readonly kubernetesPort: number;
  /** PREFECT_API_URL, DOCKER_HOST, DOCKER_CONFIG, BUILDX_CONFIG, KUBECONFIG: those of the parts that run. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * Makes the base images' layers known in a repository before the first push to it, which then need not send them:
   * 20 s less for a flow image. The state is the one after an earlier push.
   */
  shareBaseLayers(repository: string, signal: AbortSignal): Promise<void>;
  /** Ends everything and undoes every trace. Safe to call twice. */
  stop(): Promise<void>;
}

/** Puts the ways to use a rig around what is known of it. */
export function asRig(description: RigDescription, stop: () => Promise<void>): Rig {
  const { addresses } = description;
  const need = (value: string | undefined, group: string): string => {
    if (value !== undefined) return value;
    throw new RigError(`this rig was started without ${group}`, `add '${group}' to the parts it is started with`);
  };
  return {
    id: description.id,
    dir: description.dir,
    logsDir: description.logsDir,
    parts: description.parts,
    description,
    get prefectUiUrl() {
      return need(addresses.prefectUiUrl, 'prefect');
    },
    get prefectApiUrl() {
      return `${need(addresses.prefectUiUrl, 'prefect')}/api`;
    },
    get prefectEnvironment() {
      return need(description.prefectEnvironment, 'prefect');
    },
    get registry() {
      return need(addresses.registry, 'registry');
    },
    get dockerHost() {
      return need(addresses.dockerHost, 'docker');
    },
    get buildkit() {
      return need(addresses.buildkit, 'buildkit');
    },
    get dockerConfigDir() {
      return need(description.dockerConfigDir, 'docker');
    },
    get kubeconfigPath() {
      return need(addresses.kubeconfigPath, 'kubernetes');
    },
    get kubernetesApiUrl() {
      return need(addresses.kubernetesApiUrl, 'kubernetes');
    },
    get kubernetesPort() {
      return Number(new URL(need(addresses.kubernetesApiUrl, 'kubernetes')).port || 443);
    },
    env: envOf(description),
    async shareBaseLayers(repository, signal) {
      const url = `http://${need(addresses.registry, 'registry')}`;
      await Promise.all(description.images.map((image) => mountLayers(url, image, repository, signal)));
    },
    stop,
  };
}

function envOf({ addresses, dockerConfigDir }: RigDescription): Record<string, string> {
  const env: Record<string, string> = {};
  if (addresses.prefectUiUrl !== undefined) env.PREFECT_API_URL = `${addresses.prefectUiUrl}/api`;
  if (addresses.dockerHost !== undefined) env.DOCKER_HOST = addresses.dockerHost;
  if (addresses.kubeconfigPath !== undefined) env.KUBECONFIG = addresses.kubeconfigPath;
  if (dockerConfigDir !== undefined) {
    env.DOCKER_CONFIG = dockerConfigDir;
    env.BUILDX_CONFIG = `${dockerConfigDir}/buildx`;
  }
  return env;
}

const Kubeconfig = z.object({
  'current-context': z.string(),
  contexts: z.array(z.object({ name: z.string(), context: z.object({ cluster: z.string() }) })),
  clusters: z.array(z.object({ name: z.string(), cluster: z.object({ server: z.url() }) })),
});

/**
 * The cluster of a kubeconfig that a person gave on purpose (SLIPWAY_RIG_KUBECONFIG) instead of the rig's own.
 *
 * @throws RigError when the file cannot be read or its current context leads to no server.
 */
export function givenCluster(path: string): Addresses {
  const remedy =
    "set SLIPWAY_RIG_KUBECONFIG to a kubeconfig with a current-context, or unset it to use the rig's own cluster";
  try {
    const config = Kubeconfig.parse(parseYaml(readFileSync(path, 'utf8')));
    const context = config.contexts.find(({ name }) => name === config['current-context'])?.context;
    const server = config.clusters.find(({ name }) => name === context?.cluster)?.cluster.server;
    if (server === undefined) throw new Error('its current-context names no cluster');
    return { kubeconfigPath: path, kubernetesApiUrl: server };
  } catch (error) {
    const words = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new RigError(`the kubeconfig ${path} is of no use: ${words}`, remedy);
  }
}
