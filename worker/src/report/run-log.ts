/**
 * What the worker says in a run's own log, which its owner reads in Prefect.
 *
 * Failure model. Logs never hold up or fail a run: they wait in a bounded queue (the oldest are dropped, and counted) and
 * are sent every two seconds while there are some; what the server does not take in passing is sent again with the next lot, what it refuses
 * is dropped. flush() sends what is left before the worker ends, within the time it is given.
 */
import { createLogs, type NewLog, type PrefectApi } from '@slipway/prefect/client';
import { isPassing } from '../claim/until-answered.ts';
import { Wakeup } from '../wakeup.ts';
import type { World } from '../world.ts';

export const LEVEL = { info: 20, warning: 30, error: 40 } as const;

/** Who says it, by the names that Prefect's own worker and observer use (contracts/worker.md §10.7). */
export type Speaker = 'prefect.flow_runs.worker' | 'prefect.flow_runs.observer';

const EVERY_MS = 2_000;
const MOST = 10_000;
const BATCH = 500;

export class RunLog {
  readonly #api: PrefectApi;
  readonly #world: World;
  #queue: NewLog[] = [];
  #dropped = 0;
  readonly #told = new Wakeup();

  constructor(api: PrefectApi, world: World) {
    this.#api = api;
    this.#world = world;
  }

  tell(flowRunId: string, level: number, message: string, speaker: Speaker = 'prefect.flow_runs.worker'): void {
    this.tellAll(flowRunId, level, [message], speaker);
  }

  /** Lines that stay in their order: the server sorts by time, so each is a microsecond after the one before. */
  tellAll(flowRunId: string, level: number, messages: readonly string[], speaker: Speaker): void {
    const now = this.#world.clock.now();
    for (const [index, message] of messages.entries()) {
      const milliseconds = new Date(now + Math.floor(index / 1_000)).toISOString().slice(0, -1);
      const timestamp = `${milliseconds}${String(index % 1_000).padStart(3, '0')}Z`;
      this.#keep({ name: speaker, level, message, timestamp, flow_run_id: flowRunId });
    }
  }

  #keep(line: NewLog): void {
    if (this.#queue.length >= MOST) {
      this.#queue.shift();
      this.#dropped += 1;
    }
    this.#queue.push(line);
    this.#told.wake();
  }

  /** Sends what is queued two seconds after the first line of it, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#queue.length === 0) await this.#told.next(signal);
      await this.#world.clock.sleep(EVERY_MS, signal).catch(() => undefined);
      if (!signal.aborted) await this.flush(signal);
    }
  }

  /** Sends everything that is queued now. */
  async flush(signal: AbortSignal): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.slice(0, BATCH);
      try {
        await createLogs(this.#api, batch, signal);
      } catch (error) {
        if (signal.aborted || isPassing(error)) return;
        this.#world.log.warning(
          `${batch.length} log lines were refused: ${error instanceof Error ? error.message : error}`,
        );
      }
      this.#queue = this.#queue.slice(batch.length);
    }
    if (this.#dropped > 0) {
      this.#world.log.warning(
        `${this.#dropped} log lines of runs were dropped: the Prefect API did not take them in time`,
      );
      this.#dropped = 0;
    }
  }
}
