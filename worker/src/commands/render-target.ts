import {
  type DeploymentRecord,
  type FlowRecord,
  FlowRunRecord,
  type PrefectApi,
  readDeploymentByName,
  readDeployments,
  readFlowRun,
  readFlowRunStates,
  readFlowsById,
  unlessMissing,
} from '@slipway/prefect/client';
import { lastClaim } from '../claim/present-claim.ts';
import { type ClaimId, claimId } from '../ids.ts';
import { CommandError } from './command.ts';

/** What a Job is to be rendered for. */
export interface RenderTarget {
  readonly run: FlowRunRecord;
  /** False when the run is made up, to show what a run of the deployment would get. */
  readonly runExists: boolean;
  readonly flow: FlowRecord;
  readonly deployment: DeploymentRecord | undefined;
  /** The name of the run's work pool. */
  readonly pool: string;
  readonly claim: ClaimId;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const NONE = '00000000-0000-0000-0000-000000000000';

/**
 * Finds what a person means by a run's id, a deployment's id, `flow/deployment`, or a deployment's name alone.
 *
 * @throws CommandError when it is nothing, several things, or in no work pool.
 */
export async function findTarget(api: PrefectApi, text: string, signal: AbortSignal): Promise<RenderTarget> {
  if (UUID.test(text)) {
    const run = await unlessMissing(readFlowRun(api, text, signal));
    if (run !== undefined) return await ofRun(api, run, signal);
  }
  const deployment = await findDeployment(api, text, signal);
  const run = FlowRunRecord.parse({
    id: NONE,
    name: 'example-run',
    flow_id: deployment.flow_id,
    deployment_id: deployment.id,
    parameters: deployment.parameters,
    tags: deployment.tags,
  });
  return {
    run,
    runExists: false,
    flow: await flowOf(api, run, signal),
    deployment,
    pool: poolOf(deployment, `deployment ${deployment.name}`),
    claim: claimId(NONE),
  };
}

async function ofRun(api: PrefectApi, run: FlowRunRecord, signal: AbortSignal): Promise<RenderTarget> {
  const id = run.deployment_id;
  const [deployment] = id ? await readDeployments(api, { ids: [id] }, signal) : [];
  // The Job's name hangs on the claim of the run; before it is claimed nobody knows it.
  const states = await readFlowRunStates(api, run.id, signal);
  return {
    run,
    runExists: true,
    flow: await flowOf(api, run, signal),
    deployment,
    pool: poolOf(run.work_pool_name ? run : (deployment ?? run), `run ${run.name}`),
    claim: lastClaim(states)?.claimId ?? claimId(NONE),
  };
}

async function findDeployment(api: PrefectApi, text: string, signal: AbortSignal): Promise<DeploymentRecord> {
  const slash = text.indexOf('/');
  if (slash > 0) {
    const found = await readDeploymentByName(api, text.slice(0, slash), text.slice(slash + 1), signal);
    if (found !== undefined) return found;
    throw new CommandError(`There is no deployment ${text}.`);
  }
  const found = await readDeployments(api, UUID.test(text) ? { ids: [text] } : { names: [text] }, signal);
  const [only, ...others] = found;
  if (only === undefined) throw new CommandError(`There is no run and no deployment ${text}.`);
  if (others.length === 0) return only;
  const flows = await readFlowsById(api, [...new Set(found.map(({ flow_id }) => flow_id))], signal);
  const names = flows.map((flow) => `${flow.name}/${text}`).sort();
  throw new CommandError(`Several flows have a deployment ${text}. Say which one: ${names.join(', ')}.`);
}

async function flowOf(api: PrefectApi, run: FlowRunRecord, signal: AbortSignal): Promise<FlowRecord> {
  const [flow] = await readFlowsById(api, [run.flow_id], signal);
  if (flow === undefined) throw new CommandError(`The flow ${run.flow_id} does not exist any more.`);
  return flow;
}

function poolOf({ work_pool_name: pool }: { readonly work_pool_name?: string | null | undefined }, of: string): string {
  if (pool) return pool;
  throw new CommandError(`The ${of} is in no work pool, so that no worker makes a Job for it.`);
}
