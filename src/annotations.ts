import type { Position } from './project/model.ts';

/** One line of a file that GitHub shows something at. */
export interface Annotation {
  readonly level: 'error' | 'warning';
  readonly text: string;
  readonly where: Position | undefined;
}

/** Where annotations end up: as commands that the runner reads, or as lines of the log alone. */
export interface AnnotationSink {
  annotate(annotation: Annotation): void;
  log(line: string): void;
}

/** GitHub keeps the first ten of each kind a step gives, and drops the others without a word. */
const MOST_OF_A_KIND = 10;
/** The runner cuts a message there (actions/runner, ExecutionContext). */
const LONGEST_MESSAGE = 4096;

/**
 * The annotations of one step. The first nine of a kind go out as they come; what comes after is in the log only, and
 * `close` says how many those are, in the tenth. A message that the runner would cut is in the log whole.
 */
export class Annotations {
  readonly #sink: AnnotationSink;
  readonly #given = { error: 0, warning: 0 };
  readonly #held = { error: [] as Annotation[], warning: [] as Annotation[] };

  constructor(sink: AnnotationSink) {
    this.#sink = sink;
  }

  add(annotation: Annotation): void {
    const { level } = annotation;
    if (this.#given[level] < MOST_OF_A_KIND - 1) {
      this.#given[level] += 1;
      this.#give(annotation);
      return;
    }
    this.#held[level].push(annotation);
    this.#sink.log(lineOf(annotation));
  }

  /** To be called once, when nothing more comes. */
  close(): void {
    for (const level of ['warning', 'error'] as const) {
      const [first, ...others] = this.#held[level];
      if (first === undefined) continue;
      if (others.length === 0) this.#give(first);
      else {
        const text = `There are ${others.length + 1} more ${level}s: GitHub shows ten of a step. They are in the log of this step; its lines begin with “${title(level)}”.`;
        this.#sink.annotate({ level, text, where: undefined });
      }
    }
  }

  #give(annotation: Annotation): void {
    const { text } = annotation;
    if (text.length <= LONGEST_MESSAGE) {
      this.#sink.annotate(annotation);
      return;
    }
    this.#sink.log(lineOf(annotation));
    const note = '… (cut here; the log of this step has all of it)';
    this.#sink.annotate({ ...annotation, text: `${text.slice(0, LONGEST_MESSAGE - note.length)}${note}` });
  }
}

function lineOf({ level, text, where }: Annotation): string {
  const place = where === undefined ? '' : ` ${where.file}:${where.line}:${where.column}:`;
  return `${title(level)}:${place} ${text}`;
}

function title(level: Annotation['level']): string {
  return level === 'error' ? 'Error' : 'Warning';
}
