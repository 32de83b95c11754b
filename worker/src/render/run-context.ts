import type { DeploymentRecord, FlowRecord, FlowRunRecord } from '@slipway/prefect/client';

/** Who and what a Job is for; everything in it comes from the server. */
export interface RunContext {
  readonly run: FlowRunRecord;
  readonly flow: Pick<FlowRecord, 'id' | 'name' | 'tags'>;
  /** Undefined for a run that has no deployment. */
  readonly deployment: Pick<DeploymentRecord, 'id' | 'name' | 'updated' | 'job_variables'> | undefined;
  readonly pool: { readonly id: string; readonly name: string };
  readonly workerName: string;
}
