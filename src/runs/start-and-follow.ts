import type { Applied } from '../deploy/model.ts';
import type { Job } from '../job.ts';
import { followRuns } from './follow.ts';
import type { Run } from './model.ts';
import { startRuns } from './start.ts';

/** Starts the runs that the input `run` asks for and, when it should, follows them to their end. */
export async function startAndFollow(applied: Applied, job: Job): Promise<Run[]> {
  const { inputs, api, world, state } = job;
  const { log, signal } = world;
  // A run of what could not be deployed would be a run of the old code.
  if (inputs.run.length === 0 || applied.failures.length > 0) return [];
  const remember = inputs.wait && inputs.cancelRuns;
  const started = await startRuns(
    inputs.run,
    applied.deployments,
    api,
    log,
    (run) => {
      if (remember) state.rememberRun(run);
    },
    signal,
  );
  if (!inputs.wait) return started.map((run): Run => ({ ...run, outcome: 'started' }));
  const options = { timeoutMs: inputs.runTimeoutMs, cancel: inputs.cancelRuns };
  const runs = await followRuns(started, api, options, world);
  state.forgetRuns();
  return runs;
}
