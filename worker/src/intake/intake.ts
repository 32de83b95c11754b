/**
 * Due runs, in the server's order (queue priority, then time), never more than there is room for, each when its time has
 * come.
 *
 * Failure model. A poll reserves nothing, so a lost answer costs only time. A poll that fails in passing is repeated with
 * growing, jittered pauses; a refusal (401, 403) is said once and asked again slowly; an unknown queue or pool is a
 * warning. None of them ends the worker. Hints may fail to come: then the interval decides.
 */
import { type PrefectApi, PrefectApiError, readScheduledRuns, type ScheduledRun } from '@slipway/prefect/client';
import { fullJitter } from '../backoff.ts';
import type { DueRun } from '../claim/model.ts';
import type { WorkerConfig } from '../config/config.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { World } from '../world.ts';
import type { Hinted } from './hinted.ts';
import { askFor, jittered, nextPollAt, readAnswer } from './poll.ts';
import type { ServedQueues } from './served-queues.ts';
import type { QueueShares } from './shares.ts';
import type { Slots } from './slots.ts';

export interface IntakeOptions {
  readonly config: Pick<WorkerConfig, 'pool' | 'queueNames' | 'pollIntervalMs' | 'prefetchMs' | 'runOnce'>;
  readonly api: PrefectApi;
  readonly slots: Slots;
  /** Runs that were heard of. */
  readonly hinted: Hinted;
  readonly queues: ServedQueues;
  /** Keeps a flood in one queue from starving the others. */
  readonly shares: QueueShares;
  /** Whether the pool as a whole has a limit of runs at a time. */
  readonly poolIsLimited: () => boolean;
  readonly metrics: Pick<Metrics, 'polls'>;
  readonly world: World;
  /** Told after every poll that was answered. */
  readonly polled: () => void;
}

const RETRY = { firstMs: 1_000, mostMs: 30_000 };
const REFUSED_MS = 60_000;

/** Due runs until the signal is aborted. */
export async function* intake(options: IntakeOptions, signal: AbortSignal): AsyncGenerator<DueRun> {
  const { config, slots, queues, hinted, world } = options;
  const { clock } = world;
  let failures = 0;
  let exactly = config.runOnce;
  let nextStart: number | undefined;
  while (!signal.aborted) {
    if (config.runOnce && slots.free === 0) {
      await slots.change(signal);
      continue;
    }
    const lookAhead = !exactly && !options.poolIsLimited();
    const question = askFor(clock.now(), slots, { ...config, lookAhead });
    let found: readonly ScheduledRun[];
    try {
      const answer = await poll(options, await queues.toPoll(signal), question.lookUntil, question.limit, signal);
      const ask = (names: readonly string[], limit: number) => poll(options, names, question.startUntil, limit, signal);
      found = await options.shares.complete(answer, question, (id) => slots.has(id), ask, signal);
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      await clock.sleep(pauseAfter(error, failures, options), signal).catch(() => undefined);
      continue;
    }
    options.polled();
    const { start, rest, ...seen } = readAnswer(question, found, (id) => slots.has(id));
    hinted.answered(question.askedAt, new Set(found.map(({ flow_run: run }) => run.id)));
    for (const run of start) yield run;
    if (config.runOnce) return;
    // Asked without looking ahead, the answer knows nothing of later; what the one before has seen still holds.
    nextStart = exactly ? nextStart : seen.nextStart;
    exactly = rest === 'hidden';
    if (exactly) continue;
    const intervalMs = jittered(config.pollIntervalMs, world.random());
    const standing = () => {
      const { free, inHand } = slots;
      const { askedAt: lastPollAt } = question;
      return {
        lastPollAt,
        intervalMs,
        nextStart,
        hintedAt: hinted.pollAt(lastPollAt),
        more: rest === 'more',
        free,
        inHand,
      };
    };
    await untilItIsTime(() => nextPollAt(standing()), options, signal);
  }
}

/** Waits until the moment has come, which room that becomes free and hints may bring nearer. Never rejects. */
async function untilItIsTime(
  moment: () => number,
  { slots, hinted, world }: Pick<IntakeOptions, 'slots' | 'hinted' | 'world'>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const ms = moment() - world.clock.now();
    if (ms <= 0) return;
    const woken = new AbortController();
    const waiting = AbortSignal.any([signal, woken.signal]);
    const asleep = world.clock.sleep(ms, waiting).catch(() => undefined);
    await Promise.race([asleep, slots.change(waiting), hinted.change(waiting)]);
    woken.abort('woken');
  }
}

async function poll(
  { config, api, metrics }: IntakeOptions,
  queueNames: readonly string[] | 'nothing',
  until: number,
  limit: number,
  signal: AbortSignal,
): Promise<ScheduledRun[]> {
  // Asked without a name, the server would give runs of every queue.
  if (queueNames === 'nothing') return [];
  const wanted = { queueNames, scheduledBefore: new Date(until), limit };
  const found = await readScheduledRuns(api, config.pool.name, wanted, signal);
  metrics.polls.inc();
  return found;
}

function pauseAfter(error: unknown, failures: number, { world, config, queues: served }: IntakeOptions): number {
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
    // One that a pattern had found was deleted: the next poll goes without it.
    if (served.missing() && failures === 1) return RETRY.firstMs;
    const { pool, queueNames } = config;
    const queues = queueNames.length === 0 ? '' : `, or not every one of the queues ${queueNames.join(', ')}`;
    if (failures === 1)
      world.log.warning(`There is no work pool ${pool.name}${queues}: nothing can be polled until there is.`);
    return RETRY.mostMs;
  }
  world.log.warning(`Polling failed: ${message}; trying again`);
  return fullJitter(failures, RETRY, world.random);
}
