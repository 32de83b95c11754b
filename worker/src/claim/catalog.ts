/**
 * Deployments and flows of the runs in hand, read in batches.
 *
 * Failure model. A run must be made with its deployment as it is now, not as it was for the run before: an answer is
 * good for a run only if the question was asked after that run was polled. Runs of one poll therefore share one request,
 * and nothing older serves a later poll.
 */
import type { DeploymentRecord, FlowRecord } from '@slipway/prefect/client';
import { batched } from '../batched.ts';

export interface Catalog {
  /** The deployment as it was after `since` (milliseconds), or undefined when it is gone. */
  deployment(id: string, since: number): Promise<DeploymentRecord | undefined>;
  /** The flow; its name never changes. */
  flow(id: string): Promise<FlowRecord | undefined>;
}

/** How the catalog reads; ids are at most 200, which is the server's largest page. */
export interface CatalogReaders {
  readonly readDeployments: (ids: readonly string[]) => Promise<readonly DeploymentRecord[]>;
  readonly readFlows: (ids: readonly string[]) => Promise<readonly FlowRecord[]>;
  readonly clock: { now(): number };
}

const BATCH = 200;
/** Flows kept at most; a pool with more of them asks again now and then. */
const FLOWS_KEPT = 2000;

export function openCatalog({ readDeployments, readFlows, clock }: CatalogReaders): Catalog {
  const deployments = batched(readDeployments, { clock, batch: BATCH, kept: BATCH });
  const flows = batched(readFlows, { clock, batch: BATCH, kept: FLOWS_KEPT });
  return { deployment: deployments, flow: (id) => flows(id, 0) };
}
