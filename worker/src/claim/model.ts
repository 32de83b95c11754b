import type { DeploymentRecord, FlowRecord, FlowRunRecord } from '@slipway/prefect/client';
import type { FlowRunId, ScheduledStateId } from '../ids.ts';

/** A run that is due, as the poll gave it. */
export interface DueRun {
  readonly id: FlowRunId;
  /** The Scheduled state it is due under; the Job's name is derived from it. */
  readonly scheduledState: ScheduledStateId;
  readonly run: FlowRunRecord;
  /** When the poll was sent, in milliseconds: what is read later is newer than the run. */
  readonly polledAt: number;
  /** Set when a submission that was interrupted is taken up again: since when, in milliseconds, the run is claimed. */
  readonly interrupted?: { readonly since: number };
}

/** A run that is this worker's to start: Pending on the server, no Job yet. */
export interface Claim extends DueRun {
  readonly won: true;
  readonly flow: FlowRecord;
  /** Undefined for a run without deployment. */
  readonly deployment: DeploymentRecord | undefined;
}

/** A due run that this worker does not start. */
export interface NotClaimed {
  readonly won: false;
  readonly why: 'lost' | 'deployment-missing' | 'run-gone' | 'unavailable' | 'stopping';
  readonly reason: string;
}
