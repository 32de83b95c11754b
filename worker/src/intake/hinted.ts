import { Wakeup } from '../wakeup.ts';

/** How long after a hint its poll comes: spread, so that the replicas that heard it do not all poll at once. */
const DELAY = { leastMs: 20, mostMs: 200 };
/** A run that a poll did not find so soon after it was heard of may not have been there yet: it is asked for once more. */
const SETTLED_MS = 250;
/** Least time between polls for hints; it doubles while they find nothing that was heard of. */
const GAP = { leastMs: 500, mostMs: 2_000 };
/** Runs remembered at most; a poll finds the others too. */
const MOST = 1_000;

/**
 * Runs that were heard of and that no poll has answered for: what makes the next poll come sooner. A hint carries
 * nothing into a run: what is not heard of, or heard in vain, costs time or a poll and nothing else.
 */
export class Hinted {
  readonly #clock: { now(): number };
  readonly #random: () => number;
  /** By run, when it was heard of. */
  readonly #heard = new Map<string, number>();
  /** When it was last possible that a run became ready unheard. */
  #deafAt: number | undefined;
  /** When the poll for the first of all that should come. */
  #wantedAt = 0;
  #inVain = 0;
  readonly #wakeup = new Wakeup();

  /** @param effects the clock (milliseconds) and chance, uniform in [0, 1). */
  constructor({ clock, random }: { readonly clock: { now(): number }; readonly random: () => number }) {
    this.#clock = clock;
    this.#random = random;
  }

  /** A run has become ready to be started. */
  ready(flowRunId: string): void {
    if (this.#heard.size >= MOST) return;
    this.#want();
    this.#heard.set(flowRunId, this.#clock.now());
    this.#wakeup.wake();
  }

  /** Runs are heard of from now on; one that has become ready before may not have been. */
  listening(): void {
    this.#want();
    this.#deafAt = this.#clock.now();
    this.#wakeup.wake();
  }

  /** A run is somebody's, or over: nobody has to poll for it. */
  taken(flowRunId: string): void {
    this.#heard.delete(flowRunId);
  }

  /** A poll that was sent at a moment has been answered with these runs. */
  answered(askedAt: number, found: ReadonlySet<string>): void {
    if (this.#deafAt !== undefined && this.#deafAt < askedAt) this.#deafAt = undefined;
    const before = [...this.#heard].filter(([id, heardAt]) => heardAt < askedAt || found.has(id));
    if (before.length === 0) return;
    this.#inVain = before.some(([id]) => found.has(id)) ? 0 : this.#inVain + 1;
    for (const [id, heardAt] of before) {
      if (found.has(id) || heardAt + SETTLED_MS <= askedAt) this.#heard.delete(id);
    }
  }

  /** When to poll for what was heard of, or undefined when there is nothing. */
  pollAt(lastPollAt: number): number | undefined {
    if (this.#nothing) return undefined;
    const gap = Math.min(GAP.mostMs, GAP.leastMs * 2 ** this.#inVain);
    return Math.max(this.#wantedAt, lastPollAt + gap);
  }

  get #nothing(): boolean {
    return this.#heard.size === 0 && this.#deafAt === undefined;
  }

  /** Sets when the poll should come, unless one is to come already. */
  #want(): void {
    if (!this.#nothing) return;
    this.#wantedAt = this.#clock.now() + DELAY.leastMs + (DELAY.mostMs - DELAY.leastMs) * this.#random();
  }

  /** Resolves when a run is heard of, or when the signal is aborted; never rejects. */
  async change(signal: AbortSignal): Promise<void> {
    await this.#wakeup.next(signal);
  }
}
