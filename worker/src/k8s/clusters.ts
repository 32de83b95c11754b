/**
 * Ways to the clusters that Jobs are made in: the worker's own, and those that runs name in `cluster_config`.
 *
 * Failure model. A kubeconfig that cannot be used is the run's fault and ends it; a cluster that does not answer is asked
 * again like the worker's own. A connection is kept for as long as its kubeconfig stays the same to the letter, and at
 * most a few of them: the one that was not used for longest goes first, never one in use. All are closed with close().
 */
import { createHash } from 'node:crypto';
import { type ClusterAccess, ClusterConfigError, configuredAccess } from './access.ts';
import type { KubernetesConnection } from './connection.ts';

/** A kubeconfig as text, and the context in it. */
export interface NamedCluster {
  readonly kubeconfig: string;
  readonly contextName: string;
}

interface Kept {
  readonly opened: Promise<KubernetesConnection>;
  users: number;
}

/** Connections kept that nobody uses. */
const KEPT = 16;

export class Clusters {
  readonly own: KubernetesConnection;
  readonly #open: (access: ClusterAccess) => KubernetesConnection;
  readonly #kept = new Map<string, Kept>();

  constructor(own: KubernetesConnection, open: (access: ClusterAccess) => KubernetesConnection) {
    this.own = own;
    this.#open = open;
  }

  /**
   * Does something with the connection to a cluster, which stays open until it is done.
   *
   * @param cluster undefined: the worker's own.
   * @throws ClusterConfigError when the kubeconfig cannot be used.
   */
  async use<T>(cluster: NamedCluster | undefined, work: (connection: KubernetesConnection) => Promise<T>): Promise<T> {
    if (cluster === undefined) return await work(this.own);
    const key = createHash('sha256').update(`${cluster.contextName}\0${cluster.kubeconfig}`).digest('hex');
    const kept = this.#kept.get(key) ?? { opened: configuredAccess(cluster).then(this.#open), users: 0 };
    // At the end of the map stands what was used last.
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    kept.users += 1;
    try {
      return await work(await kept.opened);
    } catch (error) {
      if (error instanceof ClusterConfigError) this.#kept.delete(key);
      throw error;
    } finally {
      kept.users -= 1;
      await this.#closeSurplus();
    }
  }

  /** Closes every connection, the worker's own included. */
  async close(): Promise<void> {
    const all = [...this.#kept.values()];
    this.#kept.clear();
    await Promise.allSettled([this.own.close(), ...all.map(closeKept)]);
  }

  async #closeSurplus(): Promise<void> {
    for (const [key, kept] of this.#kept) {
      if (this.#kept.size <= KEPT) return;
      if (kept.users > 0) continue;
      this.#kept.delete(key);
      await closeKept(kept);
    }
  }
}

async function closeKept({ opened }: Kept): Promise<void> {
  await (await opened).close();
}
