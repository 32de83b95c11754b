/**
 * The loops that run beside the work for as long as the worker does. One that ends by itself, well or badly, is a defect:
 * it is told through `failed`, so that the worker goes down loudly instead of living on without it.
 */
export class Loops {
  readonly #signal: AbortSignal;
  readonly #loops: Promise<void>[] = [];
  readonly #fail: (error: unknown) => void;
  /** Rejects when a loop ended that should not have; never resolves. */
  readonly failed: Promise<never>;

  /** @param signal ends the loops; when it is aborted they may end. */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
    const { promise, reject } = Promise.withResolvers<never>();
    this.failed = promise;
    this.#fail = reject;
    // Whoever waits for it gets it; that nobody waits at the moment is no error.
    this.failed.catch(() => undefined);
  }

  /** Watches over a loop that was just started. */
  add(name: string, loop: Promise<unknown>): void {
    this.#loops.push(
      loop.then(
        () => {
          if (!this.#signal.aborted) this.#fail(new Error(`the loop "${name}" has ended, which it never should`));
        },
        (error: unknown) => {
          if (!this.#signal.aborted) this.#fail(new Error(`the loop "${name}" has failed`, { cause: error }));
        },
      ),
    );
  }

  /** Resolves when all have ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#loops);
  }
}
