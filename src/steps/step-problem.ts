import type { z } from 'zod';
import { Problem } from '../problem.ts';
import type { StepSpec } from '../project/model.ts';
import type { StepRun } from './model.ts';

/** `run_shell_script (id get-commit-hash)` */
export function stepLabel(step: StepSpec): string {
  const name = step.function.split('.').at(-1) ?? step.function;
  return step.id === undefined ? name : `${name} (id ${step.id})`;
}

/**
 * The one error a failed step gives: which step, where it stands in prefect.yaml, why, what to do.
 *
 * @param reason ends the sentence "the step … "; secrets in it are masked here.
 */
export function stepProblem(run: StepRun, reason: string, remedy: string, cause?: unknown): Problem {
  const message = run.context.world.log.redact(`the step ${stepLabel(run.step)} ${reason}`);
  return new Problem(message, { remedy, where: run.step.where, cause });
}

/**
 * Reads a step's inputs after templating.
 *
 * @throws Problem naming the input that is missing or of the wrong kind.
 */
export function readInputs<T>(run: StepRun, schema: z.ZodType<T>): T {
  const result = schema.safeParse(run.inputs);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path.join('.') ?? '';
  const isMissing = issue?.path.length === 1 && run.inputs[path] === undefined;
  const isTemplated = isMissing && run.step.inputs[path] !== undefined;
  if (isTemplated) {
    throw stepProblem(
      run,
      `has no ${path}: what it refers to has no value`,
      `Check that ${JSON.stringify(run.step.inputs[path])} names an output of a step before this one, or a variable.`,
    );
  }
  throw stepProblem(
    run,
    isMissing ? `has no ${path}` : `cannot take its input ${path}: ${issue?.message ?? 'it is wrong'}`,
    isMissing ? `Add the input ${path}.` : 'Correct it; placeholders take the type of the value they name.',
  );
}
