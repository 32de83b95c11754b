/** How long buildx may write nothing, in milliseconds. */
export interface IdleLimits {
  /** A long compilation says nothing for long. */
  readonly buildMs: number;
  /** BuildKit says nothing while it sends layers, and waits for ever when a credential dies meanwhile (rig-action.md §G). */
  readonly pushMs: number;
}

export const IDLE_LIMITS: IdleLimits = { buildMs: 30 * 60_000, pushMs: 15 * 60_000 };

/** Watches what buildx writes, and aborts its signal when nothing has come for too long. `close` it at the end. */
export class IdleWatch {
  readonly #limits: IdleLimits;
  readonly #stalled = new AbortController();
  #isPushing = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: IdleLimits) {
    this.#limits = limits;
    this.#arm();
  }

  get signal(): AbortSignal {
    return this.#stalled.signal;
  }

  /** What stood still, and the milliseconds it was given; undefined: nothing did. */
  get stalled(): { readonly phase: 'build' | 'push'; readonly ms: number } | undefined {
    if (!this.#stalled.signal.aborted) return undefined;
    const { buildMs, pushMs } = this.#limits;
    return this.#isPushing ? { phase: 'push', ms: pushMs } : { phase: 'build', ms: buildMs };
  }

  /** Takes a line of buildx's plain progress. */
  take(line: string): void {
    if (/^#\d+ pushing /.test(line)) this.#isPushing = true;
    this.#arm();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const { buildMs, pushMs } = this.#limits;
    this.#timer = setTimeout(() => this.#stalled.abort(), this.#isPushing ? pushMs : buildMs);
  }
}
