/**
 * Keeps a copy of all objects of one kind in one place: a list in pages, then a watch from where the list ended.
 *
 * Failure model (anchors/worker.md §3, §7). A watch may end cleanly, be reset, fall silent behind a load balancer, bring
 * an error as an event, or a line that is no event; its version may be too old (410). The watch is continued from the
 * last version seen, or everything is listed again, which also brings out what was deleted meanwhile. Failures in a row
 * are waited for with growing, jittered delays, and so are watches that end as soon as they begin. The copy then grows
 * old, which `heardAt` tells to whoever asks about health. Nothing but the signal ends run(); an error that is no failure
 * of the other side is a defect and goes up.
 */
import * as z from 'zod';
import { fullJitter } from '../backoff.ts';
import { listPage, pathOf, type Resource } from '../k8s/api.ts';
import type { KubernetesConnection } from '../k8s/connection.ts';
import { KubernetesApiError, KubernetesUnreachableError } from '../k8s/errors.ts';
import type { World } from '../world.ts';
import { readWatch, type WatchEnd, type WatchEvent } from './watch.ts';

export interface ReflectorOptions<T extends Versioned> {
  readonly kubernetes: Pick<KubernetesConnection, 'call' | 'open'>;
  readonly resource: Resource;
  /** Undefined: all namespaces. */
  readonly namespace: string | undefined;
  readonly labelSelector: string;
  /** Takes what is needed; undefined for an object that is none of ours. */
  readonly read: (object: unknown) => T | undefined;
  /** Told of each difference between the copy and what it was before. */
  readonly onChange: (change: Change<T>) => void;
  /** Told after each complete list, also one of nothing: who waits for `synced` cannot wait for a change. */
  readonly onListed: () => void;
  readonly world: World;
  readonly policy?: ReflectorPolicy;
}

export interface Versioned {
  readonly uid: string;
  readonly version: string;
}

export type Change<T> = { readonly kind: 'set'; readonly fact: T } | { readonly kind: 'deleted'; readonly fact: T };

export interface ReflectorPolicy {
  readonly pageSize: number;
  /** Asked of the server, so that a watch that is dead on its side ends there too: at least, and a random part more. */
  readonly watchSeconds: readonly [least: number, more: number];
  /** A watch that brings nothing for this long, not even a bookmark (one a minute), is taken for dead. */
  readonly idleMs: number;
  readonly backoff: { readonly firstMs: number; readonly mostMs: number };
  /** How often a missing permission is asked for again. */
  readonly forbiddenMs: number;
}

const POLICY: ReflectorPolicy = {
  pageSize: 500,
  watchSeconds: [240, 60],
  idleMs: 90_000,
  backoff: { firstMs: 250, mostMs: 30_000 },
  forbiddenMs: 60_000,
};

export class Reflector<T extends Versioned> {
  readonly #options: ReflectorOptions<T>;
  readonly #policy: ReflectorPolicy;
  readonly #known = new Map<string, T>();
  #version: string | undefined;
  #synced = false;
  #heardAt = 0;
  #failures = 0;
  #malformed = 0;
  #complained = false;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#policy = options.policy ?? POLICY;
  }

  /** The first list is complete. */
  get synced(): boolean {
    return this.#synced;
  }

  /** When the API server was last heard of here, in milliseconds; 0 before. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** Takes an object that another answer brought, as if the watch had: it may be newer than what the watch has. */
  learn(object: unknown): void {
    const fact = this.#options.read(object);
    if (fact !== undefined) this.#set(fact);
  }

  /** Keeps the copy true until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { world } = this.#options;
    while (!signal.aborted) {
      const begin = world.clock.now();
      let end: WatchEnd;
      try {
        this.#version ??= await this.#list(signal);
        end = await this.#watch(this.#version, signal);
      } catch (error) {
        if (signal.aborted) return;
        end = endOf(error);
      }
      const pauseMs = this.#pauseAfter(end, world.clock.now() - begin);
      if (pauseMs > 0) await world.clock.sleep(pauseMs, signal).catch(() => undefined);
    }
  }

  #pauseAfter(end: WatchEnd, livedMs: number): number {
    if (end.kind === 'ended' && livedMs >= 1000) {
      this.#failures = 0;
      return 0;
    }
    this.#malformed = end.kind === 'malformed' ? this.#malformed + 1 : 0;
    // A version that is too old is a matter of course once; a line that cannot be read twice will not come right.
    if (end.kind === 'expired' || this.#malformed > 1) this.#version = undefined;
    this.#failures += 1;
    this.#say(end);
    if (end.kind === 'expired' && this.#failures === 1) return end.retryAfterMs;
    const atLeastMs = end.kind === 'forbidden' ? this.#policy.forbiddenMs : end.retryAfterMs;
    return fullJitter(this.#failures, this.#policy.backoff, this.#options.world.random, atLeastMs);
  }

  #say(end: WatchEnd): void {
    const { world, resource, namespace } = this.#options;
    const what = `${resource} of ${namespace === undefined ? 'all namespaces' : `namespace ${namespace}`}`;
    if (end.kind !== 'forbidden') {
      const line = `Watching the ${what}: ${end.detail}; trying again`;
      if (this.#failures === 3) world.log.warning(line);
      else world.log.debug(line, { failures: this.#failures });
    } else if (!this.#complained) {
      this.#complained = true;
      world.log.error(
        `Kubernetes does not let this worker watch the ${what}: ${end.detail}. Give its service account the verbs get, ` +
          `list and watch on ${resource}, or name the namespaces it may watch in ` +
          'PREFECT_INTEGRATIONS_KUBERNETES_OBSERVER_NAMESPACES. It is asked for again every minute.',
      );
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { kubernetes, resource, namespace, labelSelector, read, world } = this.#options;
    const found = new Map<string, T>();
    for (let continueAt: string | undefined; ; ) {
      const query = { labelSelector, limit: this.#policy.pageSize, continueAt };
      const page = await listPage(kubernetes, resource, namespace, query, signal);
      for (const item of page.items) {
        const fact = read(item);
        if (fact !== undefined) found.set(fact.uid, fact);
      }
      this.#heardAt = world.clock.now();
      if (page.next === undefined) {
        for (const [uid, fact] of this.#known) if (!found.has(uid)) this.#delete(fact);
        for (const fact of found.values()) this.#set(fact);
        this.#synced = true;
        this.#complained = false;
        this.#options.onListed();
        return page.resourceVersion;
      }
      continueAt = page.next;
    }
  }

  async #watch(from: string, signal: AbortSignal): Promise<WatchEnd> {
    const { kubernetes, resource, namespace, labelSelector, world } = this.#options;
    const [least, more] = this.#policy.watchSeconds;
    const query = {
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: from,
      labelSelector,
      timeoutSeconds: String(Math.round(least + more * world.random())),
    };
    const answer = await kubernetes.open({ method: 'GET', path: pathOf(resource, namespace), query, signal });
    return await readWatch(answer, (event) => this.#take(event), this.#policy.idleMs, signal);
  }

  #take({ type, object, resourceVersion }: WatchEvent): void {
    this.#heardAt = this.#options.world.clock.now();
    this.#failures = 0;
    this.#malformed = 0;
    this.#version = resourceVersion;
    if (type === 'BOOKMARK') return;
    const fact = this.#options.read(object);
    if (fact === undefined) return;
    if (type === 'DELETED') this.#delete(fact);
    else this.#set(fact);
  }

  #set(fact: T): void {
    const known = this.#known.get(fact.uid);
    // Versions of one object grow. They are opaque by contract, and numbers in every API server there is.
    if (known !== undefined && Number(known.version) >= Number(fact.version)) return;
    this.#known.set(fact.uid, fact);
    this.#options.onChange({ kind: 'set', fact });
  }

  #delete(fact: T): void {
    this.#known.delete(fact.uid);
    this.#options.onChange({ kind: 'deleted', fact });
  }
}

/** What a failed list or watch request means. @throws the error itself when it is no failure of the other side. */
function endOf(error: unknown): WatchEnd {
  if (error instanceof KubernetesApiError) {
    const { status, detail, retryAfterMs } = error;
    if (status === 410) return { kind: 'expired', detail, retryAfterMs };
    if (status === 401 || status === 403) return { kind: 'forbidden', detail, retryAfterMs };
    return { kind: 'failed', detail: `${status} ${detail}`, retryAfterMs };
  }
  if (error instanceof KubernetesUnreachableError) return { kind: 'failed', detail: error.message, retryAfterMs: 0 };
  // An answer that is not what the API gives: a proxy's page, an object without its metadata.
  if (error instanceof z.ZodError || error instanceof SyntaxError) {
    return { kind: 'expired', detail: 'an answer that is no Kubernetes object', retryAfterMs: 0 };
  }
  throw error;
}
