/** Cuts what a process writes into lines as they become whole. */
export class OutputLines {
  readonly #onLine: (line: string) => void;
  readonly #partial = { stdout: '', stderr: '' };

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** Takes a piece of one stream, cut anywhere. */
  take(text: string, stream: 'stdout' | 'stderr'): void {
    const lines = (this.#partial[stream] + text).split('\n');
    this.#partial[stream] = lines.pop() ?? '';
    for (const line of lines) this.#add(line);
  }

  /** Takes the unfinished lines too; call it when the process has ended. */
  end(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.#partial[stream] !== '') this.#add(this.#partial[stream]);
      this.#partial[stream] = '';
    }
  }

  #add(line: string): void {
    this.#onLine(line.replace(/\r$/, ''));
  }
}
