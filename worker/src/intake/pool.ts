/**
 * The work pool as the worker sees it: looked up, created, filled with a template, kept fresh, told that we live.
 *
 * Failure model. The server may be down when the worker starts: it is waited for. The pool may be missing, changed or
 * deleted at any time: the last known one stays in use until another is read. A refusal (401, 403) is said once, clearly,
 * and asked again slowly.
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
import type { World } from '../world.ts';
import { defaultNamespaceOf } from './default-namespace.ts';

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

  /** The namespace that Jobs get when nobody says otherwise. */
  get defaultNamespace(): string {
    return defaultNamespaceOf(this.current.base_job_template);
  }

  /**
   * The pool as it was after `since`: a run must be made with the template that was deployed before it, not with the one
   * of the last heartbeat. Runs of one poll share one read; when it fails the last known pool serves.
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
      const served = queues.filter(({ name }) => queueNames.length === 0 || queueNames.includes(name));
      if (served.length === 0 || served.some((queue) => !queue.is_paused)) return;
      const names = served.map(({ name }) => name).join(', ');
      this.#world.log.info(`Paused: every work queue that is served (${names}). Their runs wait until one is resumed.`);
    } catch {
      // A notice is not worth a word about why it cannot be given; the poll tells what is wrong.
    }
  }

  /** Heartbeats and refreshes the pool until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        await this.#heartbeat(signal);
        failures = 0;
        await this.#world.clock.sleep(this.#config.heartbeatIntervalSeconds * 1000, signal);
        await this.#sync(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ConfigError) throw error;
        failures += 1;
        await this.#world.clock.sleep(this.#pauseAfter(error, failures), signal).catch(() => undefined);
      }
    }
  }

  async #heartbeat(signal: AbortSignal): Promise<void> {
    const { workerName, heartbeatIntervalSeconds } = this.#config;
    await sendWorkerHeartbeat(
      this.#api,
      this.#config.pool.name,
      { name: workerName, heartbeatIntervalSeconds },
      signal,
    );
  }

  async #sync(signal: AbortSignal): Promise<void> {
    const { name } = this.#config.pool;
    const askedAt = this.#world.clock.now();
    const found = (await readWorkPool(this.#api, name, signal)) ?? (await this.#create(signal));
    if (found === undefined) return;
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
    this.#current = await this.#withTemplate(found, signal);
    this.#syncedAt = askedAt;
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

  async #withTemplate(pool: WorkPoolRecord, signal: AbortSignal): Promise<WorkPoolRecord> {
    if (Object.keys(pool.base_job_template).length > 0) return pool;
    await updateWorkPool(this.#api, pool.name, { base_job_template: defaultKubernetesTemplate }, signal);
    return { ...pool, base_job_template: defaultKubernetesTemplate };
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
