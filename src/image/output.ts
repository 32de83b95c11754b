/** Cuts what a process writes into lines as they become whole, and keeps the last of them. */
export class OutputLines {
  readonly #keep: number;
  readonly #onLine: (line: string) => void;
  readonly #kept: string[] = [];
  readonly #partial = { stdout: '', stderr: '' };

  /** @param keep how many of the last lines to keep. */
  constructor(keep: number, onLine: (line: string) => void) {
    this.#keep = keep;
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

  /** The last lines, oldest first. */
  get last(): readonly string[] {
    return this.#kept;
  }

  #add(line: string): void {
    const text = line.replace(/\r$/, '');
    this.#kept.push(text);
    if (this.#kept.length > this.#keep) this.#kept.shift();
    this.#onLine(text);
  }
}
