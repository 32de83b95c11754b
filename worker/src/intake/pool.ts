/**
 * The work pool as the worker sees it: looked up, created, filled with a template, kept fresh, told that we live.
 *
 * Failure model. The server may be down when the worker starts: it is waited for. The pool may be missing, changed or
 * deleted at any time: the last known one stays in use until another is read. A refusal (401, 403) is said once, clearly,
 * and asked again slowly. While a worker channel is healthy it brings the pool's changes and takes the heartbeats, and
 * nothing is asked here; what is read and what is told may cross on the way, so the pool that the server changed last
 * counts, not the one that came last.
 */
import {
  createWorkPool,
  type PrefectApi,
  PrefectApiError,
  readWorkPool,
  readWorkQueues,
  sendWorkerHeartbeat,
  updateWorkPool,
  type WorkPoolRecord,
} from '@slipway/prefect/client';
import { defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import { fullJitter } from '../backoff.ts';
import type { WorkerConfig } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';
import { WORKER_METADATA } from '../version.ts';
import type { World } from '../world.ts';
import { defaultNamespaceOf } from './default-namespace.ts';
import { isServed } from './served-queues.ts';

/** The part of the worker channel that decides whether REST is needed. */
export interface ChannelView {
  readonly healthy: boolean;
  /** Resolves when it is known, for the first time, whether there is a channel. */
  readonly tried: Promise<void>;
}

const RETRY = { firstMs: 1_000, mostMs: 30_000 };
const REFUSED_MS = 60_000;

export class WorkPool {
  readonly #config: WorkerConfig;
  readonly #api: PrefectApi;
  readonly #world: World;
  #current: WorkPoolRecord | undefined;
  #syncedAt = 0;
  #syncing: Promise<void> | undefined;
  #warnedOf: string | undefined;
  #introduced = false;

  constructor(config: WorkerConfig, api: PrefectApi, world: World) {
    this.#config = config;
    this.#api = api;
    this.#world = world;
  }

  /** The pool as last read. @throws Error before `found` has resolved. */
  get current(): WorkPoolRecord {
    if (this.#current === undefined) throw new Error('the work pool has not been read yet');
    return this.#current;
  }

  /** Takes the pool as the worker channel tells it. */
  told(pool: WorkPoolRecord): void {
    this.#take(pool);
  }

  /** The namespace that Jobs get when nobody says otherwise. */
  get defaultNamespace(): string {
    return defaultNamespaceOf(this.current.base_job_template);
  }

  /**
   * The pool as it was after `since`: a run must be made with the template that was deployed before it, not with the one
   * of the last heartbeat. Runs of one poll share one read; when it fails the last known pool serves.
   *
   * A healthy channel does not spare this read. A snapshot comes 50 ms after the change at the earliest, because the
   * server gathers changes for so long, and with no bound: a busy server sends it later, and of several servers behind
   * one address only that which made the change sends it before the next heartbeat. A run that was started right after a
   * deploy changed the template would be polled before the snapshot has come.
   */
  async asOf(since: number, signal: AbortSignal): Promise<WorkPoolRecord> {
    // A read that was under way already may have been asked too early: then once more.
    for (let reads = 0; reads < 2 && this.#syncedAt < since; reads += 1) {
      this.#syncing ??= this.#sync(signal)
        .catch((error: unknown) => {
          signal.throwIfAborted();
          this.#world.log.warning(
            `Reading work pool ${this.#config.pool.name}: ${String(error)}; the last known one is used`,
          );
        })
        .finally(() => {
          this.#syncing = undefined;
        });
      await this.#syncing;
    }
    return this.current;
  }

  /**
   * Resolves once the pool has been read; rejects with the signal's reason when aborted before.
   *
   * @throws ConfigError when a pool of that name can never be.
   */
  async found(signal: AbortSignal): Promise<void> {
    for (let failures = 0; this.#current === undefined; ) {
      try {
        await this.#sync(signal);
        failures = 0;
        if (this.#current === undefined)
          await this.#world.clock.sleep(this.#config.heartbeatIntervalSeconds * 1000, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ConfigError) throw error;
        failures += 1;
        await this.#world.clock.sleep(this.#pauseAfter(error, failures), signal);
      }
    }
  }

  /** Says so when no run can come because every queue it would come from is paused. Never rejects. */
  async tellOfPausedQueues(signal: AbortSignal): Promise<void> {
    const { pool, queueNames } = this.#config;
    try {
      const queues = await readWorkQueues(this.#api, pool.name, signal);
      const served = queues.filter(({ name }) => isServed(queueNames, name));
      if (served.length === 0 || served.some((queue) => !queue.is_paused)) return;
      const names = served.map(({ name }) => name).join(', ');
      this.#world.log.info(`Paused: every work queue that is served (${names}). Their runs wait until one is resumed.`);
    } catch {
      // A notice is not worth a word about why it cannot be given; the poll tells what is wrong.
    }
  }

  /** Heartbeats and refreshes the pool until the signal is aborted, whenever the channel does not. */
  async run(channel: ChannelView, signal: AbortSignal): Promise<void> {
    let failures = 0;
    await channel.tried;
    while (!signal.aborted) {
      try {
        if (!channel.healthy) await this.#heartbeat(signal);
        failures = 0;
        await this.#world.clock.sleep(this.#config.heartbeatIntervalSeconds * 1000, signal);
        if (!channel.healthy) await this.#sync(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ConfigError) throw error;
        failures += 1;
        await this.#world.clock.sleep(this.#pauseAfter(error, failures), signal).catch(() => undefined);
      }
    }
  }

  async #heartbeat(signal: AbortSignal): Promise<void> {
    const { prefect, pool, workerName: name, heartbeatIntervalSeconds } = this.#config;
    const introduction = prefect.cloud && !this.#introduced ? { metadata: WORKER_METADATA } : {};
    await sendWorkerHeartbeat(this.#api, pool.name, { name, heartbeatIntervalSeconds, ...introduction }, signal);
    this.#introduced = true;
  }

  async #sync(signal: AbortSignal): Promise<void> {
    const { name } = this.#config.pool;
    const askedAt = this.#world.clock.now();
    const found = (await readWorkPool(this.#api, name, signal)) ?? (await this.#create(signal));
    if (found === undefined) return;
    this.#take(found);
    if (isEmpty(found)) await updateWorkPool(this.#api, name, { base_job_template: defaultKubernetesTemplate }, signal);
    this.#syncedAt = askedAt;
  }

  /** @throws ConfigError when the worker starts with a pool that is not for it. */
  #take(found: WorkPoolRecord): void {
    if (this.#current !== undefined && isOlder(found, this.#current)) return;
    const { name } = this.#config.pool;
    if (found.type !== 'kubernetes') {
      // Prefect's worker would take its type from the pool; this one has only one.
      if (!this.#config.pool.anyType && this.#current === undefined) {
        throw new ConfigError(
          `Work pool ${name} is of type ${found.type}, and this worker runs Kubernetes work pools only.`,
          'Choose another --pool, or insist with --type kubernetes.',
        );
      }
      this.#warnOnce(
        `Work pool ${name} is of type ${found.type}; this worker makes Kubernetes Jobs of its runs all the same.`,
      );
    }
    if (found.is_paused !== (this.#current?.is_paused ?? false)) {
      const notice = found.is_paused ? 'is paused: its runs wait until it is resumed' : 'is resumed';
      this.#world.log.info(`Work pool ${name} ${notice}.`);
    }
    this.#current = isEmpty(found) ? { ...found, base_job_template: defaultKubernetesTemplate } : found;
  }

  async #create(signal: AbortSignal): Promise<WorkPoolRecord | undefined> {
    const { name, createIfNotFound, baseJobTemplate } = this.#config.pool;
    if (!createIfNotFound) {
      this.#warnOnce(
        `There is no work pool ${name}, and --no-create-pool-if-not-found is given: waiting until there is one.`,
      );
      return undefined;
    }
    try {
      const base_job_template = baseJobTemplate ?? defaultKubernetesTemplate;
      const created = await createWorkPool(this.#api, { name, type: 'kubernetes', base_job_template }, signal);
      this.#world.log.info(`Created work pool ${name}.`);
      return created;
    } catch (error) {
      // Another replica was first.
      if (error instanceof PrefectApiError && error.status === 409) return await readWorkPool(this.#api, name, signal);
      // The server keeps names that begin with "prefect" for itself (contracts/worker.md §2.2).
      if (error instanceof PrefectApiError && error.status === 403 && /^prefect/i.test(name)) {
        throw new ConfigError(
          `The Prefect server does not let a work pool be called ${name}: names that begin with "prefect" are its own.`,
          'Choose another --pool.',
        );
      }
      throw error;
    }
  }

  #pauseAfter(error: unknown, failures: number): number {
    const status = error instanceof PrefectApiError ? error.status : undefined;
    const message = error instanceof Error ? error.message : String(error);
    if (status === 401 || status === 403) {
      this.#warnOnce(
        `The Prefect API refuses the worker: ${message}. Check PREFECT_API_KEY or PREFECT_API_AUTH_STRING. It is asked again every minute.`,
      );
      return REFUSED_MS;
    }
    this.#world.log.warning(`Reading work pool ${this.#config.pool.name}: ${message}; trying again`);
    return fullJitter(failures, RETRY, this.#world.random);
  }

  #warnOnce(text: string): void {
    if (this.#warnedOf === text) return;
    this.#warnedOf = text;
    this.#world.log.error(text);
  }
}

/** Without a template: it gets the worker's own (by the server, where a channel opens). */
function isEmpty({ base_job_template }: WorkPoolRecord): boolean {
  return Object.keys(base_job_template).length === 0;
}

/** True when the server changed `found` before what is known; a pool made anew under the name is never older. */
function isOlder(found: WorkPoolRecord, known: WorkPoolRecord): boolean {
  if (found.id !== known.id || !found.updated || !known.updated) return false;
  const [a, b] = [microseconds(found.updated), microseconds(known.updated)];
  return a < b;
}

/** A timestamp of the server in microseconds: Date knows thousandths alone, and two changes may come in one. */
function microseconds(timestamp: string): number {
  const fraction = /\.(\d+)/.exec(timestamp)?.[1]?.padEnd(6, '0') ?? '000000';
  return Math.floor(Date.parse(timestamp) / 1000) * 1_000_000 + Number(fraction.slice(0, 6));
}
