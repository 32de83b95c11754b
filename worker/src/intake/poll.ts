/**
 * What a poll asks, what its answer means, and when the next one comes: pure decisions.
 *
 * A poll looks as far ahead as the next one may come, and only what has to start now is taken from its answer. A run that
 * has to start later is not kept: its moment is, and there is a poll at that moment. So a run starts when it should and
 * not half an interval later, and the server alone decides what may start, from what holds then: paused pools and queues,
 * their limits (which a claim does not look at), priorities, and runs that were cancelled or moved meanwhile.
 */
import type { ScheduledRun } from '@slipway/prefect/client';
import type { DueRun } from '../claim/model.ts';
import { flowRunId, scheduledStateId } from '../ids.ts';

/** Most that the server gives for one poll. */
const MOST = 200;
/** Least time between two polls: runs whose moments are nearer than this come with one poll. */
const GAP_MS = 500;
/**
 * More that is due is asked for when half the places are free, or after this long when some are: each poll has its reads of
 * pool and deployments, which a slow server would be asked for every single run.
 */
const MORE_MS = 2_000;
/** Jitter of the interval, around one: replicas do not poll in step. */
const JITTER = { least: 0.75, most: 1.25 };
/** How much further than the next poll a poll looks, for what that one may be late. */
const MARGIN_MS = 1_000;

/** What one poll asks; moments in milliseconds. */
export interface Question {
  readonly askedAt: number;
  /** What is due until then is started now. */
  readonly startUntil: number;
  /** What is due until then is asked for: what is not started tells when to poll next. */
  readonly lookUntil: number;
  /** Runs that there is room for. */
  readonly free: number;
  /** Runs asked for, 0 to 200. */
  readonly limit: number;
}

export interface Room {
  /** Runs that may be taken. */
  readonly free: number;
  /** Runs that are taken, and come with the answer as long as they are not claimed. */
  readonly inHand: number;
}

/**
 * @param lookAhead false where looking ahead could hide what is due: the server fills the places that are left with the
 *   queue of the highest priority first, also with its runs of later.
 */
export function askFor(
  now: number,
  { free, inHand }: Room,
  { prefetchMs, pollIntervalMs, lookAhead }: { prefetchMs: number; pollIntervalMs: number; lookAhead: boolean },
): Question {
  const startUntil = now + prefetchMs;
  return {
    askedAt: now,
    startUntil,
    lookUntil: startUntil + (lookAhead ? JITTER.most * pollIntervalMs + MARGIN_MS : 0),
    free,
    // Nothing can be taken: asked all the same, because a queue that nobody polls for a minute is shown as not ready.
    limit: free === 0 ? 0 : Math.min(MOST, free + inHand),
  };
}

export interface Reading {
  /** What to start, in the server's order: priority of the queue, then time. */
  readonly start: readonly DueRun[];
  /** When the next run has to start that was seen. */
  readonly nextStart: number | undefined;
  /**
   * Whether there may be more to start: `hidden` behind runs of later, to be asked for without looking ahead, or
   * `more` than there was room for.
   */
  readonly rest: 'none' | 'more' | 'hidden';
}

/** @param isInHand whether a run of this id is taken already. */
export function readAnswer(
  question: Question,
  found: readonly ScheduledRun[],
  isInHand: (flowRunId: string) => boolean,
): Reading {
  const { askedAt, startUntil, lookUntil, free, limit } = question;
  const due: DueRun[] = [];
  let nextDue = Number.POSITIVE_INFINITY;
  for (const { flow_run: run } of found) {
    // The server gives no run without a time; one whose time cannot be read is as good as due.
    const dueAt = Date.parse(run.next_scheduled_start_time ?? '');
    if (dueAt > startUntil) nextDue = Math.min(nextDue, dueAt);
    // Every run the server gives has a state; its id is what the name of the Job is derived from.
    else {
      const scheduledState = scheduledStateId(run.state_id ?? run.id);
      due.push({ id: flowRunId(run.id), scheduledState, run, polledAt: askedAt });
    }
  }
  const fresh = due.filter(({ id }) => !isInHand(id));
  const seenLater = nextDue < Number.POSITIVE_INFINITY;
  const full = found.length >= limit;
  const more = limit === 0 || fresh.length > free || (full && fresh.length > 0);
  return {
    start: fresh.slice(0, free),
    nextStart: seenLater ? askedAt + (nextDue - startUntil) : undefined,
    rest: full && seenLater && lookUntil > startUntil ? 'hidden' : more ? 'more' : 'none',
  };
}

/** What is known between two polls; moments in milliseconds. */
export interface Standing extends Room {
  readonly lastPollAt: number;
  readonly intervalMs: number;
  /** When the next run has to start. */
  readonly nextStart: number | undefined;
  /** When to poll for what was heard of. */
  readonly hintedAt: number | undefined;
  /** There may be more to start as soon as there is room. */
  readonly more: boolean;
}

/** When to poll next. */
export function nextPollAt(standing: Standing): number {
  const { lastPollAt, intervalMs, nextStart, hintedAt, more, free, inHand } = standing;
  const regular = lastPollAt + intervalMs;
  if (free === 0) return regular;
  const soonest = Math.min(lastPollAt + GAP_MS, regular);
  return Math.min(
    regular,
    nextStart === undefined ? regular : Math.max(nextStart, soonest),
    hintedAt ?? regular,
    more ? (free >= inHand ? lastPollAt : lastPollAt + MORE_MS) : regular,
  );
}

/** @param random uniform in [0, 1). */
export function jittered(intervalMs: number, random: number): number {
  return intervalMs * (JITTER.least + (JITTER.most - JITTER.least) * random);
}
