/** Wakes whoever waits for a change. What is waited for is looked at anew after each waking: nothing is carried over. */
export class Wakeup {
  #waiting = new Set<() => void>();

  /** Wakes all that wait now. */
  wake(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const each of waiting) each();
  }

  /** Resolves at the next `wake`, or when the signal is aborted; never rejects, and leaves nothing on the signal. */
  async next(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
