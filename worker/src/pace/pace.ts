/**
 * Follows what one server can take: a lane that lets its requests go a few at a time, and a window that its answers open
 * and close (window.ts). There are two, one for claims towards Prefect and one for creating Jobs in the worker's own
 * cluster; runs are taken in hand at the pace of the slower one.
 *
 * Failure model. A pace decides only when something is sent: it drops nothing, fails nothing, asks nobody. Its sensor is
 * the answers themselves. When none come, the deadlines of the requests end them, and each counts as unanswered; when
 * nothing is sent any more, the window is open again after two minutes. An answer that takes long gives up its place in
 * the lane after a while, so that one request that hangs does not stop the others. A Retry-After stops this lane alone:
 * polls, heartbeats, logs and the other server go on. The window is never below one, so there is always something that
 * can find out that the server is well again. Replicas do not know of each other: each follows the answers it gets.
 */
import type { Clock } from '../world.ts';
import { inTurn } from './in-turn.ts';
import type { Heard } from './verdict.ts';
import { follow, OPEN_WINDOW, sizeAt, type Verdict, type Window } from './window.ts';

export interface PaceOptions {
  /** Requests under way at one time, by the size of the window. */
  readonly places: (window: number) => number;
  /** How long an unanswered request keeps its place, in milliseconds. */
  readonly patienceMs: number;
  /** What an error says of the server; undefined when it says nothing of it, because it is our own. */
  readonly heard: (error: unknown) => Heard | undefined;
  /** How much is under way of what the window bounds. */
  readonly used: () => number;
  /** Told each time the window is cut. */
  readonly onCut: (verdict: Verdict, window: number) => void;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Aborted when no more may be sent. */
  readonly signal: AbortSignal;
}

/** What is waited beyond a Retry-After at most, as a part of it: replicas that were stopped together start apart. */
const SPREAD = 0.2;

export class Pace {
  readonly #options: PaceOptions;
  readonly #turn: ReturnType<typeof inTurn>;
  #window: Window = OPEN_WINDOW;

  constructor(options: PaceOptions) {
    this.#options = options;
    const { patienceMs, clock, signal } = options;
    const places = () => Math.max(1, Math.floor(options.places(this.window)));
    this.#turn = inTurn({ places, pausedUntil: () => this.#window.pausedUntil, patienceMs, clock, signal });
  }

  /** How much may be under way now: a whole number, at least one. */
  get window(): number {
    return Math.max(1, Math.floor(sizeAt(this.#window, this.#options.clock.now())));
  }

  /**
   * Sends when there is a place and no pause; settles as `send` does, or rejects with the signal's reason unsent.
   *
   * @param things how many things the request does one after the other, asked when it is answered.
   */
  pass<T>(send: () => Promise<T>, things: () => number = () => 1): Promise<T> {
    return this.#turn(async () => {
      const sentAt = this.#options.clock.now();
      try {
        const answer = await send();
        this.#note(sentAt, things(), { verdict: 'good', retryAfterMs: 0 });
        return answer;
      } catch (error) {
        const heard = this.#options.heard(error);
        if (heard !== undefined) this.#note(sentAt, things(), heard);
        throw error;
      }
    });
  }

  #note(sentAt: number, things: number, { verdict, retryAfterMs }: Heard): void {
    const { clock, random, used, onCut } = this.#options;
    const answeredAt = clock.now();
    const pauseMs = retryAfterMs * (1 + SPREAD * random());
    const after = follow(this.#window, { verdict, sentAt, answeredAt, things, retryAfterMs: pauseMs, used: used() });
    this.#window = after.window;
    if (after.cut !== undefined) onCut(after.cut, this.window);
  }
}
