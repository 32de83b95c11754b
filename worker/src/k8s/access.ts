import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { ConfigError } from '../config/config-error.ts';

/** What identifies the worker to the API server, as of now. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly servername?: string;
    readonly rejectUnauthorized?: boolean;
  };
}

/** The cluster that the worker works in, and how to get in. */
export interface ClusterAccess {
  /** Without a slash at the end, e.g. `https://10.96.0.1:443`. */
  readonly server: string;
  /** The worker's own namespace, or the kubeconfig's. */
  readonly namespace: string;
  /** Reads the credentials again: tokens of service accounts and exec plugins expire. */
  credentials(): Promise<Credentials>;
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * Finds the cluster: the service account of the pod the worker runs in, else a kubeconfig ($KUBECONFIG, ~/.kube/config)
 * with all that client-node understands of it, exec plugins included (contracts/worker.md §4.9). client-node is loaded
 * only outside a cluster: it costs a third of a second and 60 MB.
 *
 * @throws ConfigError when there is neither, or when the kubeconfig asks for what this worker cannot do.
 */
export async function findCluster(env: Readonly<Record<string, string | undefined>>): Promise<ClusterAccess> {
  return inClusterAccess(env, (name) => readFileSync(`${SERVICE_ACCOUNT}/${name}`, 'utf8')) ?? (await fromKubeconfig());
}

/** The access of a pod with a service account, or undefined outside of one. */
export function inClusterAccess(
  env: Readonly<Record<string, string | undefined>>,
  readServiceAccountFile: (name: 'token' | 'ca.crt' | 'namespace') => string,
): ClusterAccess | undefined {
  const host = env.KUBERNETES_SERVICE_HOST;
  const port = env.KUBERNETES_SERVICE_PORT;
  if (host === undefined || host === '' || port === undefined || port === '') return undefined;
  const read = (name: 'token' | 'ca.crt' | 'namespace') => {
    try {
      return readServiceAccountFile(name).trim();
    } catch {
      return undefined;
    }
  };
  if (read('token') === undefined) return undefined;
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    namespace: read('namespace') ?? 'default',
    async credentials() {
      const ca = read('ca.crt');
      return { headers: { authorization: `Bearer ${read('token') ?? ''}` }, tls: ca === undefined ? {} : { ca } };
    },
  };
}

async function fromKubeconfig(): Promise<ClusterAccess> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  try {
    config.loadFromDefault();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new ConfigError(`The kubeconfig cannot be read: ${reason}`, 'Correct the file that KUBECONFIG names.');
  }
  // What client-node makes up where there is no kubeconfig at all.
  const madeUp = config.getCurrentContext() === 'loaded-context' && config.getCurrentCluster()?.name === 'cluster';
  const access = madeUp ? undefined : accessOf(config);
  if (access === undefined) {
    throw new ConfigError(
      'There is no cluster to work in: neither a service account nor a kubeconfig with a current context.',
      'Run the worker in a pod with a service account, or set KUBECONFIG and its current context.',
    );
  }
  if (access === 'proxied') {
    throw new ConfigError(
      'The kubeconfig reaches its cluster through proxy-url, which this worker does not support.',
      'Run the worker where the cluster can be reached directly, best inside of it.',
    );
  }
  return access;
}

/** A kubeconfig that a run brings and that cannot be used. The message quotes nothing of it. */
export class ClusterConfigError extends Error {
  override readonly name = 'ClusterConfigError';
}

/**
 * The access that a kubeconfig gives in one of its contexts (contracts/worker.md §4.9): certificates, tokens, basic
 * authentication, exec plugins, as in a kubeconfig file. Paths in it are the worker's.
 *
 * @throws ClusterConfigError
 */
export async function configuredAccess(cluster: {
  readonly kubeconfig: string;
  readonly contextName: string;
}): Promise<ClusterAccess> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  const named = `The kubeconfig in cluster_config, with context "${cluster.contextName}",`;
  try {
    config.loadFromString(cluster.kubeconfig);
  } catch {
    // The message of a YAML error quotes the text.
    throw new ClusterConfigError(`${named} cannot be read. Save the block again from a kubeconfig that kubectl takes.`);
  }
  config.setCurrentContext(cluster.contextName);
  const access = accessOf(config);
  if (access === undefined) {
    const contexts = config.getContexts().map(({ name }) => name);
    throw new ClusterConfigError(
      `${named} has no such context with a cluster and a user. It has: ${contexts.join(', ') || 'none'}.`,
    );
  }
  if (access === 'proxied') {
    throw new ClusterConfigError(`${named} reaches its cluster through proxy-url, which this worker does not support.`);
  }
  return access;
}

/** By the current context; undefined when it has no cluster or no user. */
function accessOf(config: KubeConfig): ClusterAccess | 'proxied' | undefined {
  const cluster = config.getCurrentCluster();
  if (cluster === null || !cluster.server || config.getCurrentUser() === null) return undefined;
  if (cluster.proxyUrl) return 'proxied';
  const context = config.getContextObject(config.getCurrentContext());
  return {
    server: cluster.server.replace(/\/+$/, ''),
    namespace: context?.namespace ?? 'default',
    async credentials() {
      const options: RequestOptions = { headers: {} };
      await config.applyToHTTPSOptions(options);
      return credentialsOf(options);
    },
  };
}

/** The parts of Node's request options that client-node filled in, as undici takes them. */
function credentialsOf(options: RequestOptions): Credentials {
  const headers = Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]);
  const basic = options.auth
    ? [['authorization', `Basic ${Buffer.from(options.auth, 'utf8').toString('base64')}`]]
    : [];
  return {
    headers: Object.fromEntries([...headers, ...basic]),
    tls: {
      ...(options.ca ? { ca: String(options.ca) } : {}),
      ...(options.cert ? { cert: String(options.cert) } : {}),
      ...(options.key ? { key: String(options.key) } : {}),
      ...(options.servername ? { servername: options.servername } : {}),
      ...(options.rejectUnauthorized === undefined ? {} : { rejectUnauthorized: options.rejectUnauthorized }),
    },
  };
}
