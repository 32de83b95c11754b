import type { Position } from './project/model.ts';

export interface ProblemOptions {
  /** What the person who reads it should do. */
  remedy: string;
  /** Where in the user's files the cause stands, when there is such a place. */
  where?: Position;
  /** The error underneath, for the debug log; its text is not shown. */
  cause?: unknown;
}

/**
 * Something a user can mend: what is wrong, where, and what to do. Everything the action refuses is a Problem;
 * any other error that reaches the top is a defect of the action and is reported as one.
 */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly remedy: string;
  readonly where: Position | undefined;

  /**
   * @param message what is wrong, in one sentence without a final remedy; never holds a secret.
   */
  constructor(message: string, options: ProblemOptions) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.remedy = options.remedy;
    this.where = options.where;
  }
}

/** Several Problems found in one pass, reported all at once (design.md, difference 2). */
export class Problems extends Error {
  override readonly name = 'Problems';
  readonly problems: readonly [Problem, ...Problem[]];

  constructor(problems: readonly [Problem, ...Problem[]]) {
    super(problems.map((problem) => problem.message).join('\n'));
    this.problems = problems;
  }
}

/** Throws what was found: nothing, the one Problem, or all of them together. */
export function throwIfAny(problems: readonly Problem[]): void {
  const [first, ...rest] = problems;
  if (first === undefined) return;
  if (rest.length === 0) throw first;
  throw new Problems([first, ...rest]);
}

/** The Problems inside an error, or undefined when it is not one a user can mend. */
export function problemsOf(error: unknown): readonly Problem[] | undefined {
  if (error instanceof Problems) return error.problems;
  if (error instanceof Problem) return [error];
  return undefined;
}
