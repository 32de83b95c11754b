/**
 * Keeps a copy of all objects of one kind in one place: a list in pages, then a watch from where the list ended.
 *
 * Failure model (anchors/worker.md §3, §7). A watch may end cleanly, be reset, fall silent behind a load balancer, bring
 * an error as an event, or a line that is no JSON; its version may be too old (410). The watch is continued from the last
 * version seen, or everything is listed again, which also brings out what was deleted meanwhile. Failures in a row are
 * waited for with growing, jittered delays; an end within a second of the beginning counts as a failure. Nothing but the
 * signal ends this loop; an error that is no failure of the other side is a defect and goes up.
 */
import { fullJitter } from '../backoff.ts';
import { listPage, pathOf, type Resource } from '../k8s/api.ts';
import type { KubernetesConnection } from '../k8s/connection.ts';
import { KubernetesApiError, KubernetesUnreachableError } from '../k8s/errors.ts';
import type { World } from '../world.ts';
import { readWatch, type WatchEnd, type WatchEvent } from './watch.ts';

export interface ReflectorTarget {
  readonly resource: Resource;
  /** Undefined for the whole cluster. */
  readonly namespace: string | undefined;
  readonly labelSelector: string;
}

/** Who is told; both get objects as they came. */
export interface ReflectorSink {
  replace(objects: readonly unknown[]): void;
  apply(event: 'put' | 'remove', object: unknown): void;
}

/** What a reflector has come to, for health and metrics. */
export interface ReflectorState {
  readonly target: ReflectorTarget;
  /** The first list is complete. */
  synced: boolean;
  /** When a list, an event or a bookmark last came, in milliseconds since the epoch. */
  heardAt: number;
  restarts: number;
}

export interface ReflectorPolicy {
  readonly pageSize: number;
  /** The server ends a watch after this and a random part more. */
  readonly watchSeconds: readonly [least: number, more: number];
  /** A watch that brings nothing, not even a bookmark, for this long is taken for dead. */
  readonly idleMs: number;
  readonly backoff: { readonly firstMs: number; readonly mostMs: number };
  /** How often a missing permission is asked for again. */
  readonly forbiddenMs: number;
}

export const REFLECTOR_POLICY: ReflectorPolicy = {
  pageSize: 500,
  watchSeconds: [240, 60],
  idleMs: 90_000,
  backoff: { firstMs: 250, mostMs: 30_000 },
  forbiddenMs: 60_000,
};

export function newReflectorState(target: ReflectorTarget): ReflectorState {
  return { target, synced: false, heardAt: 0, restarts: 0 };
}

/** Runs until the signal is aborted, and then rejects with its reason. */
export async function reflect(
  state: ReflectorState,
  connection: KubernetesConnection,
  sink: ReflectorSink,
  world: World,
  signal: AbortSignal,
  policy: ReflectorPolicy = REFLECTOR_POLICY,
): Promise<never> {
  const { target } = state;
  const what = `${target.resource} of ${target.namespace === undefined ? 'the cluster' : `namespace ${target.namespace}`}`;
  let version: string | undefined;
  let failures = 0;
  let badLines = 0;
  let complained = false;
  for (;;) {
    signal.throwIfAborted();
    const begin = world.clock.now();
    let end: WatchEnd;
    try {
      if (version === undefined) {
        version = await listAll();
        state.synced = true;
        complained = false;
      }
      end = await watchFrom(version);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      end = endOf(error);
    }
    state.restarts += 1;
    const shortLived = world.clock.now() - begin < 1000;
    if (end.kind === 'expired') version = undefined;
    badLines = end.kind === 'malformed' ? badLines + 1 : 0;
    if (badLines >= 2) version = undefined;
    failures = end.kind === 'ended' && !shortLived ? 0 : end.kind === 'expired' && failures === 0 ? 1 : failures + 1;
    if (end.kind === 'forbidden' && !complained) {
      complained = true;
      world.log.error(`Kubernetes does not let this worker watch the ${what}: ${end.detail}`, { watch: what });
      world.log.error(
        `Give its service account the verbs get, list and watch on ${target.resource}, or name the namespaces it may ` +
          'watch in PREFECT_INTEGRATIONS_KUBERNETES_OBSERVER_NAMESPACES.',
      );
    } else if (failures > 0) {
      world.log.debug(`watch of the ${what} begins again: ${end.detail}`, { failures });
    }
    const floor = end.kind === 'forbidden' ? policy.forbiddenMs : end.retryAfterMs;
    if (failures > 0 || floor > 0) await world.clock.sleep(fullJitter(failures, policy.backoff, world.random, floor), signal);
  }

  async function listAll(): Promise<string> {
    const objects: unknown[] = [];
    for (let continueAt: string | undefined; ; ) {
      const page = await listPage(
        connection,
        target.resource,
        target.namespace,
        { labelSelector: target.labelSelector, limit: policy.pageSize, continueAt },
        signal,
      );
      objects.push(...page.items);
      state.heardAt = world.clock.now();
      if (page.next === undefined) {
        sink.replace(objects);
        return page.resourceVersion;
      }
      continueAt = page.next;
    }
  }

  async function watchFrom(from: string): Promise<WatchEnd> {
    const [least, more] = policy.watchSeconds;
    const answer = await connection.open({
      method: 'GET',
      path: pathOf(target.resource, target.namespace),
      query: {
        watch: 'true',
        resourceVersion: from,
        labelSelector: target.labelSelector,
        allowWatchBookmarks: 'true',
        timeoutSeconds: String(Math.round(least + more * world.random())),
      },
      signal,
    });
    const onEvent = (event: WatchEvent) => {
      state.heardAt = world.clock.now();
      failures = 0;
      version = event.resourceVersion;
      if (event.type === 'DELETED') sink.apply('remove', event.object);
      else if (event.type !== 'BOOKMARK') sink.apply('put', event.object);
    };
    return await readWatch(answer, onEvent, policy.idleMs, signal);
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
  throw error;
}
