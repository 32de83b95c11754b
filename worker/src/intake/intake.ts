/**
 * Due runs, in the server's order (queue priority, then time), never more than there is room for.
 *
 * Failure model. A poll reserves nothing, so a lost answer costs only time. A poll that fails in passing is repeated with
 * growing, jittered pauses; a refusal (401, 403) is said once and asked again slowly; an unknown queue or pool is a
 * warning. None of them ends the worker.
 */
import { type PrefectApi, PrefectApiError, readScheduledRuns } from '@slipway/prefect/client';
import { fullJitter } from '../backoff.ts';
import type { DueRun } from '../claim/model.ts';
import type { WorkerConfig } from '../config/config.ts';
import { flowRunId, scheduledStateId } from '../ids.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { World } from '../world.ts';
import type { Slots } from './slots.ts';

export interface IntakeOptions {
  readonly config: Pick<WorkerConfig, 'pool' | 'queueNames' | 'pollIntervalMs' | 'prefetchMs' | 'runOnce'>;
  readonly api: PrefectApi;
  readonly slots: Slots;
  readonly metrics: Pick<Metrics, 'polls'>;
  readonly world: World;
  /** Told after every poll that was answered. */
  readonly polled: () => void;
}

/** Most that the server gives for one poll. */
const MOST = 200;
const RETRY = { firstMs: 1_000, mostMs: 30_000 };
const REFUSED_MS = 60_000;

/** Due runs until the signal is aborted. */
export async function* intake(options: IntakeOptions, signal: AbortSignal): AsyncGenerator<DueRun> {
  const { slots, world } = options;
  let failures = 0;
  while (!signal.aborted) {
    const limit = Math.min(MOST, slots.free);
    if (limit === 0) {
      await slots.change(signal);
      continue;
    }
    let due: DueRun[];
    try {
      due = await poll(options, limit, signal);
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      await world.clock.sleep(pauseAfter(error, failures, options), signal).catch(() => undefined);
      continue;
    }
    options.polled();
    const fresh = due.filter((run) => !slots.has(run.id));
    for (const run of fresh) yield run;
    if (options.config.runOnce) return;
    // A full answer means that more is due: ask again as soon as there is room.
    if (due.length === limit && fresh.length > 0) continue;
    await sleepUntilNextPoll(options, signal);
  }
}

async function poll(options: IntakeOptions, limit: number, signal: AbortSignal): Promise<DueRun[]> {
  const { config, api, world, metrics } = options;
  const polledAt = world.clock.now();
  const scheduledBefore = new Date(polledAt + config.prefetchMs);
  const wanted = { queueNames: config.queueNames, scheduledBefore, limit };
  const found = await readScheduledRuns(api, config.pool.name, wanted, signal);
  metrics.polls.inc();
  return found.map(({ flow_run: run }) => ({
    id: flowRunId(run.id),
    // Every run the server gives has a state; its id is what the name of the Job is derived from.
    scheduledState: scheduledStateId(run.state_id ?? run.id),
    run,
    polledAt,
  }));
}

function pauseAfter(error: unknown, failures: number, { world, config }: IntakeOptions): number {
  const message = error instanceof Error ? error.message : String(error);
  const status = error instanceof PrefectApiError ? error.status : undefined;
  if (status === 401 || status === 403) {
    if (failures === 1) {
      world.log.error(
        `The Prefect API refuses the worker (${status}): check PREFECT_API_KEY or PREFECT_API_AUTH_STRING. It is asked again every minute.`,
      );
    }
    return REFUSED_MS;
  }
  if (status === 404) {
    const { pool, queueNames } = config;
    const queues = queueNames.length === 0 ? '' : `, or not every one of the queues ${queueNames.join(', ')}`;
    // Prefect's agents once took prefixes and patterns; a worker's queues are named, one by one.
    const literal = queueNames.some((name) => /[*?%]/.test(name))
      ? ' A queue’s name is taken as it stands, not as a pattern.'
      : '';
    if (failures === 1)
      world.log.warning(`There is no work pool ${pool.name}${queues}: nothing can be polled until there is.${literal}`);
    return RETRY.mostMs;
  }
  world.log.warning(`Polling failed: ${message}; trying again`);
  return fullJitter(failures, RETRY, world.random);
}

/** The interval with Python's jitter around it, so that replicas do not poll in step; room that becomes free does not hurry it. */
async function sleepUntilNextPoll({ config, world }: IntakeOptions, signal: AbortSignal): Promise<void> {
  await world.clock.sleep(config.pollIntervalMs * (0.75 + 0.5 * world.random()), signal).catch(() => undefined);
}
