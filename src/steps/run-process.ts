import { OutputLines } from '../image/output.ts';
import { ExecNotStarted, type ExecResult } from '../world.ts';
import type { StepRun } from './model.ts';
import { stepProblem } from './step-problem.ts';

export interface ProcessOptions {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  /** Keep the output out of the log. */
  readonly isSilent: boolean;
  /** The remedy when there is no such program. */
  readonly whenMissing: string;
  /** What it reads on its standard input; nothing when left out. */
  readonly stdin?: string;
  /** After this it is ended, and ExecTimeout thrown; undefined: it may take as long as the job. */
  readonly timeoutMs?: number;
}

/**
 * Runs one program of a step with its output in the log.
 *
 * @returns its whole output and exit code.
 * @throws Problem when it cannot be started; the reason of the abort when the job is cancelled; ExecTimeout.
 */
export async function runStreaming(
  step: StepRun,
  argv: readonly [string, ...string[]],
  options: ProcessOptions,
): Promise<ExecResult> {
  const { world } = step.context;
  const [program, ...rest] = argv;
  const lines = new OutputLines((line) => world.log.info(line));
  try {
    return await world.exec(program, rest, {
      cwd: options.directory,
      env: options.env,
      signal: world.signal,
      ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
      onOutput: (text, stream) => {
        if (!options.isSilent) lines.take(text, stream);
      },
    });
  } catch (error) {
    if (!(error instanceof ExecNotStarted)) throw error;
    const reason = error.code === 'ENOENT' ? 'there is no such program' : error.code;
    throw stepProblem(step, `cannot run ${program}: ${reason}`, options.whenMissing, error);
  } finally {
    lines.end();
  }
}

/**
 * Makes sure that a directory is there, as a missing one and a missing program give the same error when a program is
 * started.
 *
 * @throws Problem when it is missing or no directory.
 */
export async function checkDirectory(step: StepRun, directory: string): Promise<void> {
  try {
    await step.context.world.files.list(directory);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const reason = code === 'ENOENT' ? 'does not exist' : code === 'ENOTDIR' ? 'is no directory' : `is shut: ${code}`;
    throw stepProblem(
      step,
      `cannot work in ${directory}, which ${reason}`,
      'Correct the directory; it is relative to the project, or to where a set_working_directory step changed to.',
      error,
    );
  }
}
