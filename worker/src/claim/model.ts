import type { DeploymentRecord, FlowRecord, FlowRunRecord } from '@slipway/prefect/client';
import type { ClaimId, FlowRunId, ScheduledStateId } from '../ids.ts';

/** A run that is due, as the poll gave it. */
export interface DueRun {
  readonly id: FlowRunId;
  /** The Scheduled state it is due under. */
  readonly scheduledState: ScheduledStateId;
  readonly run: FlowRunRecord;
  /** When the poll was sent, in milliseconds: what is read later is newer than the run. */
  readonly polledAt: number;
  /** Set when a submission that was interrupted is taken up again: by which claim, and since when in milliseconds. */
  readonly interrupted?: { readonly claimId: ClaimId; readonly since: number };
}

/** A run whose submission was interrupted. */
export type InterruptedRun = DueRun & Required<Pick<DueRun, 'interrupted'>>;

/** A run that is this worker's to start: Pending on the server, no Job yet. */
export interface Claim extends DueRun {
  readonly won: true;
  /** What the Job's name is derived from. */
  readonly claimId: ClaimId;
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
