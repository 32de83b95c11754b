import type { Plan } from '../deploy/model.ts';
import { Problem } from '../problem.ts';
import { failed, type Run } from './model.ts';

/** Why the step fails on account of runs that were waited for, and where to look. */
export function explainFailedRuns(runs: readonly Run[], plan: Plan, timeoutMs: number): Problem[] {
  return runs.filter(failed).map((run) => {
    if (run.outcome === 'timed out') return timedOut(run, poolOf(run, plan), timeoutMs);
    const state = run.outcome === 'finished' ? run.state : undefined;
    const message = state?.message === undefined ? '' : `: ${state.message}`;
    return new Problem(`run ${run.name} of ${run.deployment} ended ${state?.name ?? 'unknown'}${message}`, {
      remedy: `Its logs are above and at ${run.url}.`,
    });
  });
}

function timedOut(run: Extract<Run, { outcome: 'timed out' }>, pool: string | undefined, timeoutMs: number): Problem {
  const waited = `run ${run.name} of ${run.deployment} did not finish within ${timeoutMs / 1000} s (it is ${run.state.name})`;
  const after = run.cancelled ? ' The run was cancelled.' : '';
  const never = run.state.type === 'SCHEDULED' || run.state.type === 'PENDING';
  const remedy = never
    ? `No worker has started it: see that one runs for work pool ${pool ?? 'of the deployment'}, and that neither pool nor queue is paused or full.`
    : 'Raise run-timeout, or look at what the run is doing.';
  return new Problem(waited, { remedy: `${remedy}${after} ${run.url}` });
}

function poolOf(run: Run, plan: Plan): string | undefined {
  return plan.deployments.find((planned) => planned.desired.name === run.deployment)?.desired.fields.work_pool_name;
}
