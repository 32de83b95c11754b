import { Wakeup } from '../wakeup.ts';

/** Runs in the worker's hands, by id: derived from what is really going on, so that there is no count to leak. */
export class Slots {
  readonly #inHand = new Map<string, Promise<void>>();
  readonly #limit: number;
  readonly #room: () => number;
  readonly #wakeup = new Wakeup();

  /**
   * @param limit runs in hand at one time.
   * @param room runs that may be in hand for another reason, now: what the servers can take, what the cluster may hold.
   */
  constructor(limit: number, room: () => number) {
    this.#limit = limit;
    this.#room = room;
  }

  get inHand(): number {
    return this.#inHand.size;
  }

  /** How many runs may be taken now. */
  get free(): number {
    return Math.max(0, Math.min(this.#limit - this.inHand, this.#room() - this.inHand));
  }

  has(flowRunId: string): boolean {
    return this.#inHand.has(flowRunId);
  }

  /** Takes a run in hand until the work on it has ended; `work` must not reject. */
  take(flowRunId: string, work: Promise<void>): void {
    const ended = work.finally(() => {
      this.#inHand.delete(flowRunId);
      this.changed();
    });
    this.#inHand.set(flowRunId, ended);
  }

  /** Wakes whoever waits for room. */
  changed(): void {
    this.#wakeup.wake();
  }

  /** Resolves at the next change of room; never rejects. */
  async change(signal: AbortSignal): Promise<void> {
    await this.#wakeup.next(signal);
  }

  /** Resolves when nothing is in hand. */
  async idle(): Promise<void> {
    while (this.#inHand.size > 0) await Promise.allSettled([...this.#inHand.values()]);
  }
}
