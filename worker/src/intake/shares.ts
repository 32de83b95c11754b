/**
 * Keeps one queue's flood from starving the others of its pool.
 *
 * The server gives due runs by the priority of their queue, then by time, and no two queues of a pool have the same
 * priority: it moves the others on. So while a queue has more due runs than the worker has room for, nothing of the
 * queues behind it would ever start. Of the room that this worker rations, one place of eight therefore goes to queues
 * that it would start nothing of; the other seven go by priority. What the server rations (limits of pool and queue,
 * pauses) stays its own affair: no more runs are started than its own answer would have let start, and those of another
 * queue are asked for by the queue's name, so that its limit counts.
 *
 * Failure model. Nothing here is needed to start a run: when the queues cannot be read, or asking by name fails (a queue
 * that was deleted meanwhile), the answer stays as it was and the next poll tries again. A worker that knows one queue
 * only asks for nothing more.
 */
import type { ScheduledRun, WorkQueueRecord } from '@slipway/prefect/client';
import type { Clock } from '../world.ts';
import type { Question } from './poll.ts';

type Queue = Pick<WorkQueueRecord, 'id' | 'name'>;

export interface SharesOptions {
  /** Whether runs of a queue of this name are taken. */
  readonly serves: (name: string) => boolean;
  readonly readQueues: (signal: AbortSignal) => Promise<readonly Queue[]>;
  readonly clock: Pick<Clock, 'now'>;
}

/** Of the places that are given out, the part that goes to queues behind the flood. */
const SHARE = 1 / 8;
/** Places that can be saved up, so that a queue that was empty long does not come with a flood of its own. */
const MOST_SAVED = 8;
const MOST_ASKED = 200;
const QUEUES_LIVE_MS = 60_000;

export class QueueShares {
  readonly #options: SharesOptions;
  #saved = 0;
  /** Queues that had their turn since all of them were last seen to. */
  readonly #hadTurn = new Set<string>();
  #queues: { readonly all: readonly Queue[]; readonly readAt: number } | undefined;

  constructor(options: SharesOptions) {
    this.#options = options;
  }

  /**
   * @param found the answer to a poll, in the server's order.
   * @param ask polls some queues, by name, for what has to start now.
   * @returns the answer with runs of other queues in some places of those that can start, when it is their turn.
   */
  async complete(
    found: readonly ScheduledRun[],
    question: Question,
    isInHand: (flowRunId: string) => boolean,
    ask: (queueNames: readonly string[], limit: number) => Promise<readonly ScheduledRun[]>,
    signal: AbortSignal,
  ): Promise<readonly ScheduledRun[]> {
    const { free, limit } = question;
    const canStart = (run: ScheduledRun) => isDue(run, question.startUntil) && !isInHand(run.flow_run.id);
    const fresh = found.filter(canStart);
    const isFlood = free > 0 && (fresh.length > free || (fresh.length === free && found.length >= limit));
    if (!isFlood) {
      this.#saved = 0;
      this.#hadTurn.clear();
      return found;
    }
    const start = fresh.slice(0, free);
    this.#saved = Math.min(MOST_SAVED, this.#saved + start.length * SHARE);
    const share = Math.floor(this.#saved);
    if (share === 0) return found;
    try {
      const behind = await this.#queuesBehind(start, signal);
      if (behind.length === 0) return found;
      const wanted = Math.min(MOST_ASKED, share + limit - free);
      const answer = await ask(
        behind.map(({ name }) => name),
        wanted,
      );
      const others = answer.filter(canStart).slice(0, share);
      for (const { work_queue_id } of others) this.#hadTurn.add(work_queue_id);
      if (answer.length < wanted) this.#hadTurn.clear();
      this.#saved = others.length === 0 ? 0 : this.#saved - others.length;
      return putIn(found, start.slice(0, free - others.length), others);
    } catch {
      signal.throwIfAborted();
      this.#queues = undefined;
      return found;
    }
  }

  /** Served queues that nothing would be started of, those first that had no turn yet. */
  async #queuesBehind(start: readonly ScheduledRun[], signal: AbortSignal): Promise<readonly Queue[]> {
    const now = this.#options.clock.now();
    if (this.#queues === undefined || now - this.#queues.readAt > QUEUES_LIVE_MS) {
      const { serves, readQueues } = this.#options;
      const all = (await readQueues(signal)).filter(({ name }) => serves(name));
      this.#queues = { all, readAt: now };
    }
    const started = new Set(start.map((run) => run.work_queue_id));
    const behind = this.#queues.all.filter(({ id }) => !started.has(id));
    const waiting = behind.filter(({ id }) => !this.#hadTurn.has(id));
    if (waiting.length > 0) return waiting;
    this.#hadTurn.clear();
    return behind;
  }
}

/** The server gives no run without a time; one whose time cannot be read is as good as due. */
function isDue({ flow_run: run }: ScheduledRun, until: number): boolean {
  return !(Date.parse(run.next_scheduled_start_time ?? '') > until);
}

/** The answer with other runs behind the ones that are to start; what they push out comes with a later poll. */
function putIn(
  found: readonly ScheduledRun[],
  first: readonly ScheduledRun[],
  others: readonly ScheduledRun[],
): readonly ScheduledRun[] {
  const ahead = new Set([...first, ...others].map((run) => run.flow_run.id));
  return [...first, ...others, ...found.filter((run) => !ahead.has(run.flow_run.id))];
}
