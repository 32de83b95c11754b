import { isJsonObject, type JsonObject, parseJson } from '@slipway/prefect/json';
import * as z from 'zod';
import { ExecTimeout } from '../world.ts';
import { findPython } from './find-python.ts';
import { foreseenOutputs } from './foreseen-outputs.ts';
import type { StepFunction, StepResult, StepRun } from './model.ts';
import { packageOf, pythonRemedy } from './python-alternatives.ts';
import { PYTHON_PROGRAM } from './python-program.ts';
import { checkDirectory, runStreaming } from './run-process.ts';
import { lastLines } from './run-shell-script.ts';
import { stepProblem } from './step-problem.ts';

/** A step that takes longer hangs; copying a project takes minutes. */
const DEADLINE_MS = 60 * 60_000;

const Failure = {
  type: z.string(),
  text: z.string(),
  /** Python's version and the path it was started from. */
  python: z.string(),
  executable: z.string(),
};

/** What the program leaves behind (src/steps/python-program.ts). */
const Outcome = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('returned'),
    /** null: what it returned is no mapping. */
    outputs: z.custom<JsonObject>(isJsonObject).nullable(),
    directory: z.string().nullable(),
  }),
  /** `pip`: the exit code of installing what the step requires, when that was tried. */
  z.object({ kind: z.literal('not-imported'), ...Failure, pip: z.number().optional() }),
  z.object({ kind: z.literal('raised'), ...Failure }),
]);
type Outcome = z.infer<typeof Outcome>;

/**
 * Any function that Slipway does not know by itself, run by the Python on the PATH with the project on its path
 * (design.md, difference 10; contracts/deploy.md §2.1, §2.9): push_to_s3, a team's own `module.function`, a coroutine.
 * Each step is a process of its own; a change of the working directory goes on to the later steps, as in Prefect, other
 * changes to the process do not. Values that JSON does not know become their `str()`, as they do in Prefect's texts.
 * In plan mode nothing runs, and its outputs are known at deploy.
 */
export const pythonStep: StepFunction = {
  inputs: 'any',
  required: [],
  async run(step) {
    if (step.context.mode === 'plan') {
      step.context.world.log.info('Not run in plan mode, as it could write: its outputs are known at deploy.');
      return { outputs: foreseenOutputs(step) };
    }
    return resultOf(step, await runPython(step));
  },
};

async function runPython(step: StepRun): Promise<Outcome> {
  const { files } = step.context.world;
  const python = await findPython(step.env, files.exists);
  if (python === undefined) throw stepProblem(step, 'needs Python, which is not on the PATH', pythonRemedy(step.step));
  await checkDirectory(step, step.directory);
  const folder = await files.makeTemporaryDirectory('slipway-step-');
  try {
    await files.writeNew(`${folder}/step.py`, PYTHON_PROGRAM);
    const { exitCode } = await runStreaming(step, [python, '-u', `${folder}/step.py`], {
      directory: step.directory,
      env: { ...step.env, ...step.context.programEnv },
      isSilent: false,
      whenMissing: pythonRemedy(step.step),
      timeoutMs: DEADLINE_MS,
      stdin: JSON.stringify({
        function: step.step.function,
        requires: step.step.requires,
        inputs: step.inputs,
        project: step.context.project.directory,
      }),
    });
    if (exitCode === 0) return Outcome.parse(parseJson(await files.readText(`${folder}/outcome.json`)));
    throw stepProblem(
      step,
      `ended Python with exit code ${exitCode}`,
      `Its output stands in the log. Slipway's part needs Python 3.8 or newer; ${python} is the first on the PATH.`,
    );
  } catch (error) {
    if (!(error instanceof ExecTimeout)) throw error;
    throw stepProblem(step, 'has not ended within an hour', 'See in the log where it hangs.', error);
  } finally {
    await files.remove(folder);
  }
}

function resultOf(step: StepRun, outcome: Outcome): StepResult {
  switch (outcome.kind) {
    case 'returned': {
      const { outputs, directory } = outcome;
      return { outputs: outputs ?? {}, hasNone: outputs === null, ...(directory === null ? {} : { directory }) };
    }
    case 'not-imported':
      throw notImported(step, outcome);
    case 'raised':
      throw stepProblem(
        step,
        `failed with ${outcome.type}: ${lastLines(outcome.text)}`,
        'Its traceback stands in the log; nothing has been deployed.',
      );
  }
}

function notImported(step: StepRun, outcome: Extract<Outcome, { kind: 'not-imported' }>) {
  const { type, text, python, executable, pip } = outcome;
  const why = type === 'ModuleNotFoundError' ? text : `${type}: ${lastLines(text)}`;
  const installed = pip === undefined || pip === 0 ? '' : `; installing what it requires failed with exit code ${pip}`;
  const required = step.step.requires.length > 0 ? '' : ` Or let the step say \`requires: ${packageOf(step.step)}\`.`;
  return stepProblem(
    step,
    `is ${step.step.function}, which Python ${python} (${executable}) cannot import: ${why}${installed}`,
    `${pythonRemedy(step.step)}${required}`,
  );
}
