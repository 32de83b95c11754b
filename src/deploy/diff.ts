import type { DeploymentRecord } from '@slipway/prefect/client';
import { type Json, type JsonObject, sameJson } from '@slipway/prefect/json';
import { type Problem, problemsOf, throwIfAny } from '../problem.ts';
import { planAutomations } from './automations-diff.ts';
import type { Actual, Change, Desired, DesiredDeployment, Plan, PlannedDeployment } from './model.ts';
import { planSchedules } from './schedules/plan-schedules.ts';
import { planWorkPool } from './work-pool.ts';

/** The queue a deployment is in when it names none; the server writes this name. */
const DEFAULT_QUEUE = 'default';

/**
 * What has to be written to bring the server to the desired state: created, changed (field by field), unchanged.
 * An unchanged deployment is never written, since a PATCH makes Prefect drop and recreate its scheduled runs
 * (design.md, difference 3).
 *
 * @throws Problem or Problems: a pool's template cannot be made as prefect.yaml asks, schedules cannot be brought there.
 */
export function diff(desired: Desired, actual: Actual): Plan {
  const problems: Problem[] = [];
  const collect = <T>(plan: () => T): T[] => {
    try {
      return [plan()];
    } catch (error) {
      const found = problemsOf(error);
      if (found === undefined) throw error;
      problems.push(...found);
      return [];
    }
  };
  const plan = {
    workPools: desired.workPools.flatMap((pool) => collect(() => planWorkPool(pool, actual))),
    deployments: desired.deployments.flatMap((deployment) =>
      collect(() => planDeployment(deployment, actual.deployments.get(deployment.name))),
    ),
    // A server without automations gets none, as from Prefect's CLI (contracts/deploy.md §4.1, 7).
    automations: (actual.automations === undefined ? [] : desired.automations)
      .map((one) => planAutomations(one, actual.deployments.get(one.deployment)?.id, actual.automations ?? []))
      .filter((one) => one.automations.length > 0),
    slas: desired.slas,
  };
  throwIfAny(problems);
  return plan;
}

function planDeployment(desired: DesiredDeployment, actual: DeploymentRecord | undefined): PlannedDeployment {
  if (actual === undefined) return { action: 'create', desired };
  const found = deploymentChanges(desired, actual);
  const schedules = planSchedules(desired.schedules, actual.schedules);
  if (found.length === 0 && schedules === undefined) return { action: 'unchanged', desired, actual };
  return { action: 'change', desired, actual, changes: found, schedules };
}

/** The fields of a deployment that are not as wanted; maps are compared key by key so that a plan can be read. */
export function deploymentChanges(desired: DesiredDeployment, actual: DeploymentRecord): Change[] {
  const { fields } = desired;
  const compared: Change[] = [
    compare('version', actual.version ?? null, fields.version),
    compare('description', actual.description || null, fields.description || null),
    compare('tags', actual.tags, [...fields.tags]),
    compare('entrypoint', actual.entrypoint ?? null, fields.entrypoint),
    ...compareMaps('parameters', actual.parameters, fields.parameters),
    compare('parameter_openapi_schema', actual.parameter_openapi_schema ?? {}, fields.parameter_openapi_schema),
    ...compareMaps('job_variables', actual.job_variables ?? {}, fields.job_variables),
    compare('pull_steps', actual.pull_steps ?? [], [...fields.pull_steps]),
    compare('work_pool_name', actual.work_pool_name ?? null, fields.work_pool_name),
    compare('work_queue_name', actual.work_queue_name ?? DEFAULT_QUEUE, fields.work_queue_name ?? DEFAULT_QUEUE),
  ];
  if (fields.enforce_parameter_schema !== undefined) {
    compared.push(
      compare('enforce_parameter_schema', actual.enforce_parameter_schema, fields.enforce_parameter_schema),
    );
  }
  if (fields.paused !== undefined) compared.push(compare('paused', actual.paused, fields.paused));
  if (fields.concurrency_limit !== undefined) {
    compared.push(
      compare('concurrency_limit', actual.global_concurrency_limit?.limit ?? null, fields.concurrency_limit),
      compare('concurrency_options', options(actual.concurrency_options), options(fields.concurrency_options)),
    );
  }
  return compared.filter((change) => !sameJson(change.before, change.after));
}

/** Options without keys that are null, so that a short form equals its long one. */
function options(value: JsonObject | null | undefined): Json {
  if (value === null || value === undefined) return null;
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null));
}

function compare(field: string, before: Json | undefined, after: Json | undefined): Change {
  return { field, before, after };
}

function compareMaps(field: string, before: JsonObject, after: JsonObject): Change[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].map((key) => compare(`${field}.${key}`, before[key], after[key]));
}
