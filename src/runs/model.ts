import type { StateType } from '@slipway/prefect/states';
import type { DeploymentName } from '../deploy/model.ts';

/** A run that this job started. */
export interface StartedRun {
  readonly id: string;
  readonly name: string;
  readonly deployment: DeploymentName;
  readonly url: string;
}

/** What became of it: followed to its end, given up on, or not waited for. */
export type Run = StartedRun &
  (
    | { readonly outcome: 'started' }
    | { readonly outcome: 'finished'; readonly state: RunState; readonly seconds: number }
    | { readonly outcome: 'timed out'; readonly state: RunState; readonly cancelled: boolean }
  );

export interface RunState {
  readonly type: StateType;
  readonly name: string;
  readonly message: string | undefined;
}

/** True for a run that was waited for and did not complete. */
export function failed(run: Run): boolean {
  return run.outcome === 'timed out' || (run.outcome === 'finished' && run.state.type !== 'COMPLETED');
}
