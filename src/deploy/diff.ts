import type { DeploymentRecord } from '@slipway/prefect/client';
import type { Json, JsonObject } from '@slipway/prefect/json';
import { Problem, problemsOf, throwIfAny } from '../problem.ts';
import type { DesiredAutomations } from './automation.ts';
import { planAutomations } from './automations-diff.ts';
import { leafChanges } from './leaf-changes.ts';
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
    automations: (actual.automations === undefined ? [] : desired.automations)
      .map((one) => planAutomations(one, actual.deployments.get(one.deployment)?.id, actual.automations ?? []))
      .filter((one) => one.automations.length > 0),
    slas: desired.slas,
  };
  if (actual.automations === undefined) problems.push(...desired.automations.flatMap(withoutAutomations));
  throwIfAny(problems);
  return plan;
}

/** Prefect's CLI leaves the triggers out without a word, and nothing ever starts (contracts/deploy.md §4.1, 7). */
function withoutAutomations({ deployment, automations, where }: DesiredAutomations): Problem[] {
  if (automations.length === 0) return [];
  return [
    new Problem(`deployment ${deployment}: \`triggers\` need automations, which this Prefect server does not have`, {
      where,
      remedy: 'Take `triggers` out, or deploy to a server with the events service (Prefect 3 has it from the start).',
    }),
  ];
}

function planDeployment(desired: DesiredDeployment, actual: DeploymentRecord | undefined): PlannedDeployment {
  if (actual === undefined) return { action: 'create', desired };
  const found = deploymentChanges(desired, actual);
  const schedules = planSchedules(desired.schedules, actual.schedules);
  if (found.length === 0 && schedules === undefined) return { action: 'unchanged', desired, actual };
  return { action: 'change', desired, actual, changes: found, schedules };
}

/** The fields of a deployment that are not as wanted; down to their leaves, so that a plan can be read. */
export function deploymentChanges(desired: DesiredDeployment, actual: DeploymentRecord): Change[] {
  const { fields } = desired;
  const compared: Change[][] = [
    leafChanges('version', actual.version ?? null, fields.version),
    leafChanges('description', actual.description || null, fields.description || null),
    leafChanges('tags', actual.tags, [...fields.tags]),
    leafChanges('entrypoint', actual.entrypoint ?? null, fields.entrypoint),
    leafChanges('parameters', actual.parameters, fields.parameters),
    leafChanges('parameter_openapi_schema', actual.parameter_openapi_schema ?? {}, fields.parameter_openapi_schema),
    leafChanges('job_variables', actual.job_variables ?? {}, fields.job_variables),
    leafChanges('pull_steps', actual.pull_steps ?? [], [...fields.pull_steps]),
    leafChanges('work_pool_name', actual.work_pool_name ?? null, fields.work_pool_name),
    leafChanges('work_queue_name', actual.work_queue_name ?? DEFAULT_QUEUE, fields.work_queue_name ?? DEFAULT_QUEUE),
  ];
  if (fields.enforce_parameter_schema !== undefined) {
    compared.push(
      leafChanges('enforce_parameter_schema', actual.enforce_parameter_schema, fields.enforce_parameter_schema),
    );
  }
  if (fields.paused !== undefined) compared.push(leafChanges('paused', actual.paused, fields.paused));
  if (fields.concurrency_limit !== undefined) {
    compared.push(
      leafChanges('concurrency_limit', actual.global_concurrency_limit?.limit ?? null, fields.concurrency_limit),
      leafChanges('concurrency_options', options(actual.concurrency_options), options(fields.concurrency_options)),
    );
  }
  return compared.flat();
}

/** Options without keys that are null, so that a short form equals its long one. */
function options(value: JsonObject | null | undefined): Json {
  if (value === null || value === undefined) return null;
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null));
}
