import type { Clock, Log } from '../world.ts';

/**
 * The log of builds that may run at the same time. A runner's log knows no group inside a group, and lines of two builds
 * among one another cannot be read: so a build that is alone is shown as it goes, in a group; of several each is kept
 * and shown as one group when it ends, and until then a line now and then says where each one is.
 */
export class BuildLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #kept = new Set<KeptBuild>();
  #announced = 0;
  #progress: NodeJS.Timeout | undefined;
  /** A word on where builds are waits for its turn: more of them would only be old by then. */
  #isToBeSaid = false;
  /** Who writes now; others wait for their turn. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @param everyMs how often it is said where builds are. */
  constructor(world: { readonly log: Log; readonly clock: Clock }, everyMs = 20_000) {
    this.#log = world.log;
    this.#clock = world.clock;
    this.#everyMs = everyMs;
  }

  /** Says that a build is to come; while there is more than one, none is shown as it goes. */
  async announced<T>(body: () => Promise<T>): Promise<T> {
    this.#announced += 1;
    try {
      return await body();
    } finally {
      this.#announced -= 1;
    }
  }

  /**
   * Shows one build.
   *
   * @param title of its group.
   * @param body runs it and hands on each line of what it writes.
   */
  async show<T>(title: string, body: (onLine: (line: string) => void) => Promise<T>): Promise<T> {
    if (this.#announced <= 1) {
      return await this.#inTurn(() => this.#log.group(title, () => body((line) => this.#log.info(line))));
    }
    const build: KeptBuild = { title, begun: this.#clock.now(), lines: [], step: '' };
    this.#begin(build);
    try {
      return await body((line) => {
        build.lines.push(line);
        build.step = stepIn(line) ?? build.step;
      });
    } finally {
      this.#end(build);
      await this.#inTurn(() =>
        this.#log.group(`${title} (${this.#secondsOf(build)} s)`, async () => {
          for (const line of build.lines) this.#log.info(line);
        }),
      );
    }
  }

  /** Writes lines together, outside any group. */
  async say(lines: readonly string[]): Promise<void> {
    await this.#inTurn(async () => {
      for (const line of lines) this.#log.info(line);
    });
  }

  async #inTurn<T>(body: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(body);
    this.#turn = mine.catch(() => undefined);
    return await mine;
  }

  #begin(build: KeptBuild): void {
    this.#log.info(`${build.title} …`);
    this.#kept.add(build);
    this.#progress ??= setInterval(() => void this.#sayWhere(), this.#everyMs);
  }

  #end(build: KeptBuild): void {
    this.#kept.delete(build);
    if (this.#kept.size > 0) return;
    clearInterval(this.#progress);
    this.#progress = undefined;
  }

  async #sayWhere(): Promise<void> {
    if (this.#isToBeSaid) return;
    this.#isToBeSaid = true;
    await this.#inTurn(async () => {
      this.#isToBeSaid = false;
      for (const build of this.#kept) {
        const step = build.step === '' ? '' : `, at ${build.step}`;
        this.#log.info(`${build.title}: ${this.#secondsOf(build)} s${step}`);
      }
    });
  }

  #secondsOf(build: KeptBuild): string {
    return ((this.#clock.now() - build.begun) / 1000).toFixed(0);
  }
}

interface KeptBuild {
  readonly title: string;
  /** Milliseconds since the epoch. */
  readonly begun: number;
  readonly lines: string[];
  step: string;
}

/** The step that a line of buildx's plain progress begins: `[2/4] RUN pip install …`. */
function stepIn(line: string): string | undefined {
  return /^#\d+ (\[[^\]]*\d+\/\d+\] .+|exporting to .+|pushing .+)$/.exec(line)?.[1]?.slice(0, 100);
}
