import {
  createDeployment,
  createFlow,
  createWorkPool,
  createWorkQueue,
  deleteDeploymentSchedule,
  type PrefectApi,
  PrefectApiError,
  updateDeployment,
  updateDeploymentSchedule,
  updateWorkPool,
  updateWorkQueue,
} from '@slipway/prefect/client';
import pLimit from 'p-limit';
import type { Log } from '../world.ts';
import type { Attempt } from './attempt.ts';
import { type AutomationContext, applyAutomations } from './automations-apply.ts';
import { rootField } from './leaf-changes.ts';
import type {
  Applied,
  AppliedDeployment,
  Change,
  DeploymentFields,
  DeploymentName,
  Plan,
  PlannedDeployment,
  PlannedWorkPool,
} from './model.ts';
import type { SchedulePlan } from './schedules/model.ts';
import { bodyOf } from './schedules/plan-schedules.ts';
import { writeSlas } from './slas.ts';

/**
 * Writers that meet on SQLite get 503 and wait for seconds, and no server tells which database it has; Prefect Cloud
 * takes several, and each has a longer way (docs/decisions/writes.md).
 */
const WRITES_AT_A_TIME = { cloud: 4, ownServer: 1 };

type Failure = Applied['failures'][number];

/**
 * Writes what the plan says and nothing else: work pools first, then flows, deployments, automations, SLAs. A write that fails at
 * last does not stop the others (design.md, difference 13); a second run converges, since every write is an upsert.
 *
 * @returns what was done and what failed; rejects only when the job is cancelled.
 */
export async function apply(plan: Plan, api: PrefectApi, log: Log, signal: AbortSignal): Promise<Applied> {
  const failures: Failure[] = [];
  const attempt: Attempt = async (what, where, write) => {
    try {
      return await write();
    } catch (error) {
      if (signal.aborted) throw error;
      failures.push({
        what,
        where,
        reason:
          error instanceof PrefectApiError
            ? error.detail || error.message
            : String(error instanceof Error ? error.message : error),
      });
      return undefined;
    }
  };
  const limit = pLimit(api.settings.cloud ? WRITES_AT_A_TIME.cloud : WRITES_AT_A_TIME.ownServer);

  await Promise.all(
    plan.workPools.map((pool) =>
      limit(() =>
        attempt(`work pool ${pool.name}`, pool.where, async () => {
          await writeWorkPool(pool, api, signal);
          if (pool.action !== 'unchanged')
            log.info(`${pool.action === 'create' ? 'created' : 'changed'} work pool ${pool.name}`);
        }),
      ),
    ),
  );

  const flowIds = new Map<string, string>();
  const missingFlows = new Set(
    plan.deployments.filter((one) => one.action === 'create').map((one) => one.desired.flowName),
  );
  await Promise.all(
    [...missingFlows].map((name) =>
      limit(async () => {
        const flow = await attempt(`flow ${name}`, undefined, () => createFlow(api, name, signal));
        if (flow !== undefined) flowIds.set(name, flow.id);
      }),
    ),
  );

  const deployments = await Promise.all(
    plan.deployments.map((planned) =>
      limit(() =>
        attempt(`deployment ${planned.desired.name}`, planned.desired.where, async () => {
          const done = await writeDeployment(planned, flowIds, api, signal);
          if (done !== undefined && done.action !== 'unchanged')
            log.info(`${done.action === 'create' ? 'created' : 'changed'} ${done.name}`);
          return done;
        }),
      ),
    ),
  );
  const done = deployments.filter((one): one is AppliedDeployment => one !== undefined);
  const ids = new Map(done.map((one) => [one.name, one.id]));
  // What belongs to a deployment that could not be written waits for the next run; that failure is in the list already.
  const ofWritten = <One extends { readonly deployment: DeploymentName }>(
    planned: readonly One[],
    write: (one: One, id: string, context: AutomationContext) => Promise<void>,
  ) =>
    Promise.all(
      planned.map((one) => {
        const id = ids.get(one.deployment);
        return id === undefined ? undefined : limit(() => write(one, id, { api, attempt, log, signal }));
      }),
    );
  await ofWritten(plan.automations, applyAutomations);
  await ofWritten(plan.slas, writeSlas);
  return {
    deployments: done,
    workPools: plan.workPools.map(({ name, action }) => ({ name, action })),
    failures,
  };
}

async function writeWorkPool(planned: PlannedWorkPool, api: PrefectApi, signal: AbortSignal): Promise<void> {
  if (planned.action === 'unchanged') return;
  if (planned.action === 'create') {
    await createOrUpdateWorkPool(planned, api, signal);
  } else if (Object.keys(planned.body).length > 0) {
    await updateWorkPool(api, planned.name, planned.body, signal);
  }
  for (const queue of planned.queues) {
    if (queue.action === 'create')
      await createWorkQueue(api, planned.name, { ...queue.body, name: queue.name }, signal);
    else await updateWorkQueue(api, planned.name, queue.name, queue.body, signal);
  }
}

/** A worker that starts creates its pool as well: when it was first, its pool becomes what was planned. */
async function createOrUpdateWorkPool(
  planned: Extract<PlannedWorkPool, { action: 'create' }>,
  api: PrefectApi,
  signal: AbortSignal,
): Promise<void> {
  try {
    await createWorkPool(api, { ...planned.body, name: planned.name, type: planned.type }, signal);
  } catch (error) {
    if (!(error instanceof PrefectApiError) || error.status !== 409) throw error;
    const { name: _name, type: _type, ...changeable } = planned.body;
    await updateWorkPool(api, planned.name, changeable, signal);
  }
}

async function writeDeployment(
  planned: PlannedDeployment,
  flowIds: ReadonlyMap<string, string>,
  api: PrefectApi,
  signal: AbortSignal,
): Promise<AppliedDeployment | undefined> {
  const { desired } = planned;
  if (planned.action === 'unchanged') return { name: desired.name, id: planned.actual.id, action: 'unchanged' };
  if (planned.action === 'change') {
    const { schedules, actual } = planned;
    const body = {
      ...updateBody(desired.fields, planned.changes),
      ...(schedules?.how === 'together' ? { schedules: schedules.list } : {}),
    };
    if (Object.keys(body).length > 0) await updateDeployment(api, actual.id, body, signal);
    if (schedules?.how === 'singly') await writeSchedules(actual.id, schedules, api, signal);
    return { name: desired.name, id: planned.actual.id, action: 'change' };
  }
  const flowId = flowIds.get(desired.flowName);
  // Its flow could not be registered; that failure is in the list already.
  if (flowId === undefined) return undefined;
  const record = await createDeployment(
    api,
    {
      enforce_parameter_schema: true,
      schedules: (desired.schedules ?? []).map((schedule) => bodyOf(schedule)),
      ...desired.fields,
      name: desired.deploymentName,
      flow_id: flowId,
    },
    signal,
  );
  return { name: desired.name, id: record.id, action: 'create' };
}

/** One after another: each write makes the server drop the runs it had scheduled. */
async function writeSchedules(
  deploymentId: string,
  plan: Extract<SchedulePlan, { how: 'singly' }>,
  api: PrefectApi,
  signal: AbortSignal,
): Promise<void> {
  for (const write of plan.writes) {
    if (write.action === 'change') await updateDeploymentSchedule(api, deploymentId, write.id, write.body, signal);
    else await deleteDeploymentSchedule(api, deploymentId, write.actual.id, signal);
  }
}

/**
 * The changed fields, whole (the server replaces a field, it does not merge), and the pool's name beside job
 * variables: without it the server would not check them (contracts/deploy.md §4.5).
 */
function updateBody(fields: DeploymentFields, changes: readonly Change[]): Partial<DeploymentFields> {
  const changed = new Set(changes.map((change) => rootField(change.field)));
  if (changed.has('job_variables')) changed.add('work_pool_name').add('work_queue_name');
  if (changed.has('work_pool_name') || changed.has('work_queue_name'))
    changed.add('work_pool_name').add('work_queue_name');
  if (changed.has('version') && fields.version_info !== undefined) changed.add('version_info');
  if (changed.has('concurrency_limit') || changed.has('concurrency_options'))
    changed.add('concurrency_limit').add('concurrency_options');
  return Object.fromEntries(Object.entries(fields).filter(([key]) => changed.has(key)));
}
