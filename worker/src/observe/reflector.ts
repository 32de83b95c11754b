/**
 * A copy of one kind of object that stays true.
 *
 * Failure model. A watch may end, stand still, skip (410) or lie after a restart of the API server; so it begins with a
 * list, goes on from that list's version, and begins again whenever the server says that the version is too old or an
 * event cannot be read. A list replaces everything, so that what was deleted unseen is seen as deleted. Without a word
 * for a while (bookmarks included) the watch is opened again. Failures are met with growing, jittered pauses; the copy
 * then grows old, which `syncedAt` tells to whoever asks about health. Nothing here ever throws into the caller.
 */
import { z } from 'zod';
import { fullJitter } from '../backoff.ts';
import { listPage, pathOf, type Resource } from '../k8s/api.ts';
import type { KubernetesConnection } from '../k8s/connection.ts';
import { KubernetesApiError } from '../k8s/errors.ts';
import type { World } from '../world.ts';
import { jsonLines } from './json-lines.ts';

export interface ReflectorOptions<T extends { readonly uid: string }> {
  readonly kubernetes: KubernetesConnection;
  readonly resource: Resource;
  /** Undefined: all namespaces. */
  readonly namespace: string | undefined;
  readonly labelSelector: string;
  /** Takes what is needed; undefined for an object that is none of ours. */
  readonly read: (object: unknown) => T | undefined;
  readonly onChange: (change: Change<T>) => void;
  readonly world: World;
  /** Silence after which a watch is opened again. */
  readonly quietMs?: number;
}

export type Change<T> = { readonly kind: 'set'; readonly fact: T } | { readonly kind: 'deleted'; readonly fact: T };

const RETRY = { firstMs: 500, mostMs: 30_000 };
const QUIET_MS = 330_000;
/** Asked of the server, so that a watch that is dead on its side ends there too. */
const WATCH_SECONDS = 300;
const PAGE = 500;

const Event = z.object({ type: z.string(), object: z.unknown() });
const Versioned = z.object({ metadata: z.object({ resourceVersion: z.string() }) });

/** The version from which to watch is no longer there: list again, at once. */
class TooOld extends Error {}

export class Reflector<T extends { readonly uid: string }> {
  readonly #options: ReflectorOptions<T>;
  readonly #known = new Map<string, T>();
  #syncedAt: number | undefined;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
  }

  /** When the copy was last known to be true, in milliseconds; undefined before the first list. */
  get syncedAt(): number | undefined {
    return this.#syncedAt;
  }

  /** The copy, by uid. */
  get known(): ReadonlyMap<string, T> {
    return this.#known;
  }

  /** Keeps the copy true until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { world, resource, namespace } = this.#options;
    let failures = 0;
    let version: string | undefined;
    while (!signal.aborted) {
      try {
        version ??= await this.#list(signal);
        failures = 0;
        version = await this.#watch(version, signal);
      } catch (error) {
        if (signal.aborted) return;
        const old = error instanceof TooOld || (error instanceof KubernetesApiError && error.status === 410);
        if (old || error instanceof z.ZodError) version = undefined;
        failures += 1;
        // The first 410 is a matter of course; everything else, and a second one in a row, waits.
        const pauseMs = old && failures === 1 ? 0 : fullJitter(failures, RETRY, world.random);
        if (!old) {
          world.log.warning(
            `Watching ${resource} in ${namespace ?? 'all namespaces'}: ${messageOf(error)}; trying again`,
          );
        }
        await world.clock.sleep(pauseMs, signal).catch(() => undefined);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { kubernetes, resource, namespace, labelSelector, read } = this.#options;
    const found = new Map<string, T>();
    let continueAt: string | undefined;
    let version = '';
    do {
      const page = await listPage(kubernetes, resource, namespace, { labelSelector, limit: PAGE, continueAt }, signal);
      for (const item of page.items) {
        const fact = read(item);
        if (fact !== undefined) found.set(fact.uid, fact);
      }
      version = page.resourceVersion;
      continueAt = page.next;
    } while (continueAt !== undefined);
    for (const [uid, fact] of this.#known) if (!found.has(uid)) this.#delete(fact);
    for (const fact of found.values()) this.#set(fact);
    this.#syncedAt = this.#options.world.clock.now();
    return version;
  }

  /** Follows changes until the watch ends; resolves with the version to go on from. */
  async #watch(from: string, signal: AbortSignal): Promise<string> {
    const { kubernetes, resource, namespace, labelSelector, read, world } = this.#options;
    const quiet = new AbortController();
    const timer = setTimeout(() => quiet.abort(), this.#options.quietMs ?? QUIET_MS);
    timer.unref();
    const either = AbortSignal.any([signal, quiet.signal]);
    let version = from;
    try {
      const answer = await kubernetes.open({
        method: 'GET',
        path: pathOf(resource, namespace),
        query: {
          watch: 'true',
          allowWatchBookmarks: 'true',
          resourceVersion: from,
          timeoutSeconds: String(WATCH_SECONDS),
          labelSelector,
        },
        signal: either,
      });
      try {
        for await (const line of jsonLines(answer.body)) {
          timer.refresh();
          this.#syncedAt = world.clock.now();
          const { type, object } = Event.parse(line);
          if (type === 'ERROR') throw new TooOld();
          version = Versioned.parse(object).metadata.resourceVersion;
          if (type === 'BOOKMARK') continue;
          const fact = read(object);
          if (fact === undefined) continue;
          if (type === 'DELETED') this.#delete(fact);
          else this.#set(fact);
        }
      } finally {
        answer.end();
      }
    } catch (error) {
      if (!quiet.signal.aborted || signal.aborted) throw error;
    } finally {
      clearTimeout(timer);
    }
    return version;
  }

  #set(fact: T): void {
    this.#known.set(fact.uid, fact);
    this.#options.onChange({ kind: 'set', fact });
  }

  #delete(fact: T): void {
    this.#known.delete(fact.uid);
    this.#options.onChange({ kind: 'deleted', fact });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
