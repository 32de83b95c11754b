import * as core from '@actions/core';
import { runAction } from './action.ts';
import { apiProblem } from './api-problem.ts';
import { type Problem, problemsOf } from './problem.ts';
import { summarizeRefusal } from './report/refusal.ts';
import { Cancelled, openRunnerWorld } from './runner-world.ts';
import { StateFile } from './state.ts';

/**
 * The main step. Every problem becomes one annotation with its cause and what to do, on the file and line where it
 * stands; the exit code tells the truth. An error that is no problem of the user's is a defect and says so.
 */
const world = openRunnerWorld();

function annotate(problem: Problem): void {
  world.error(`${capital(problem.message.replace(/\.$/, ''))}. ${problem.remedy}`, problem.where);
  for (let cause = problem.cause; cause instanceof Error; cause = cause.cause) {
    core.debug(world.log.redact(cause.stack ?? cause.message));
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

try {
  await runAction(world, new StateFile());
} catch (error) {
  process.exitCode = core.ExitCode.Failure;
  const apiUrl = world.env['INPUT_PREFECT-API-URL'] || world.env.PREFECT_API_URL;
  const known = apiProblem(error, apiUrl);
  const problems = known === undefined ? problemsOf(error) : [known];
  if (problems !== undefined) {
    problems.forEach(annotate);
    await summarizeRefusal(problems, world.env, world.log.redact);
  } else if (world.signal.aborted || error instanceof Cancelled) world.error('The job was cancelled.');
  else {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    world.error(`This is a defect of Slipway, please report it: ${text}`);
  }
} finally {
  world.close();
}
