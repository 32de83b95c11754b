import { type Problem, problemsOf } from '../../src/problem.ts';

/** What became of one mutated file. */
export type Outcome =
  | {
      readonly kind: 'result' | 'problems';
      /** How far it came, or what was wrong. */
      readonly words: string;
      /** Of a prefect.yaml: the value that was read, as JSON text; undefined when its YAML was refused. */
      readonly yaml?: string | undefined;
    }
  /** A crash, a hang, or a problem without a place: a bug. */
  | { readonly kind: 'defect'; readonly words: string };

/**
 * The outcome of an error: problems, each with a place in one of the files, something to read and something to do.
 * Anything else is a defect.
 *
 * @param files path → text of all files that a place may be in.
 */
export function outcomeOf(error: unknown, files: Readonly<Record<string, string>>): Outcome {
  const problems = problemsOf(error);
  if (problems === undefined) {
    return { kind: 'defect', words: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  const wrong = problems.flatMap((problem) => misplaced(problem, files) ?? []);
  if (wrong.length > 0) return { kind: 'defect', words: wrong.join('\n') };
  return { kind: 'problems', words: problems.map((problem) => problem.message).join('\n') };
}

function misplaced({ message, remedy, where }: Problem, files: Readonly<Record<string, string>>): string | undefined {
  if (message === '' || remedy === '') return `a problem without words: ${message}`;
  if (where === undefined) return `a problem without a place: ${message}`;
  const text = files[where.file];
  if (text === undefined) return `a problem in ${where.file}, which is none of the files: ${message}`;
  const lines = text.split(/\r\n?|\n/);
  const line = lines[where.line - 1];
  if (line !== undefined && where.column >= 1 && where.column <= line.length + 1) return undefined;
  return `a problem at ${where.line}:${where.column}, where the file has nothing: ${message}`;
}
