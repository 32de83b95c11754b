import * as core from '@actions/core';
import type { Job } from '../job.ts';
import { outputsOf } from '../outputs.ts';
import { Problem, throwIfAny } from '../problem.ts';
import { explainFailedRuns } from '../runs/explain.ts';
import { type Report, summaryMarkdown } from './summary.ts';

/**
 * Tells what came of the run. Outputs and summary come first, so that they are there also when the step then fails.
 *
 * @throws Problem | Problems for what was not written and for runs that did not complete.
 */
export async function publish(result: Report, job: Job): Promise<void> {
  const { log } = job.world;
  const { values, warnings } = outputsOf(result);
  for (const [name, value] of Object.entries(values)) core.setOutput(name, log.redact(value));
  for (const warning of warnings) log.warning(warning);
  if (job.world.env.GITHUB_STEP_SUMMARY) {
    await core.summary.addRaw(log.redact(summaryMarkdown(result, log.redact))).write();
  }
  throwIfAny([
    ...result.applied.failures.map(
      ({ what, reason, where }) =>
        new Problem(`${what} was not written: ${reason}`, {
          remedy: 'Everything else was applied; mend this and run the job again.',
          ...(where === undefined ? {} : { where }),
        }),
    ),
    ...explainFailedRuns(result.runs, result.plan, job.inputs.runTimeoutMs),
  ]);
}
