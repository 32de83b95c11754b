import type { AutomationRecord, DeploymentRecord, WorkPoolRecord, WorkQueueRecord } from '@slipway/prefect/client';
import type { Json, JsonObject } from '@slipway/prefect/json';
import type { Position, WorkPoolEntry } from '../project/model.ts';
import type { DesiredAutomations, PlannedAutomations } from './automation.ts';
import type { DesiredSchedule, SchedulePlan } from './schedules/model.ts';
import type { PlannedSlas } from './slas.ts';

/** `flow/deployment`, the name a deployment is known by. */
export type DeploymentName = string & { readonly brand: 'flow/deployment' };

export function deploymentName(flow: string, deployment: string): DeploymentName {
  return `${flow}/${deployment}` as DeploymentName;
}

/** A work pool as prefect.yaml wants it; what its template becomes depends on the one the server has. */
export interface DesiredWorkPool {
  readonly name: string;
  readonly entry: WorkPoolEntry;
  /** Template written in prefect.yaml or beside it; undefined: the server's own, or the default for a new pool. */
  readonly template: JsonObject | undefined;
}

/**
 * A deployment as prefect.yaml wants it, in the API's own field names. Keys that are absent are left as they are on
 * the server (design.md, difference 6).
 */
export interface DesiredDeployment {
  readonly name: DeploymentName;
  readonly flowName: string;
  readonly deploymentName: string;
  readonly fields: DeploymentFields;
  /** Absent or empty: prefect.yaml does not manage schedules (contracts/deploy.md §4.6). */
  readonly schedules?: readonly DesiredSchedule[] | undefined;
  readonly where: Position;
  readonly positions: ReadonlyMap<string, Position>;
}

export interface DeploymentFields {
  readonly version: string | null;
  readonly version_info?: JsonObject;
  readonly description: string | null;
  readonly tags: readonly string[];
  readonly entrypoint: string;
  readonly parameters: JsonObject;
  readonly parameter_openapi_schema: JsonObject;
  readonly job_variables: JsonObject;
  readonly pull_steps: readonly Json[];
  readonly work_pool_name: string;
  readonly work_queue_name: string | null;
  readonly enforce_parameter_schema?: boolean;
  readonly paused?: boolean;
  readonly concurrency_limit?: number | null;
  readonly concurrency_options?: JsonObject | null;
}

export interface Desired {
  readonly workPools: readonly DesiredWorkPool[];
  readonly deployments: readonly DesiredDeployment[];
  readonly automations: readonly DesiredAutomations[];
  readonly slas: readonly PlannedSlas[];
}

/** The work pools that the server has, read before any step runs: an unknown pool must not cost a build. */
export interface ActualWorkPools {
  readonly workPools: ReadonlyMap<string, ActualWorkPool>;
  /** Default base job template for each type of pool that is to be created or filled. */
  readonly defaultTemplates: ReadonlyMap<string, JsonObject>;
}

/** What the server has of all that Desired names. */
export interface Actual extends ActualWorkPools {
  readonly deployments: ReadonlyMap<DeploymentName, DeploymentRecord>;
  /** All of the workspace; undefined when this server has no automations. */
  readonly automations: readonly AutomationRecord[] | undefined;
}

export interface ActualWorkPool {
  readonly pool: WorkPoolRecord;
  /** Only read when prefect.yaml manages queues of this pool. */
  readonly queues: readonly WorkQueueRecord[];
}

/** One field that is not as wanted; undefined means absent. */
export interface Change {
  readonly field: string;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

export type PlannedWorkPool =
  | {
      readonly action: 'create';
      readonly name: string;
      readonly where: Position;
      readonly type: string;
      readonly body: JsonObject;
      readonly queues: readonly QueueWrite[];
    }
  | {
      readonly action: 'change';
      readonly name: string;
      readonly where: Position;
      readonly body: JsonObject;
      readonly queues: readonly QueueWrite[];
      readonly changes: readonly Change[];
    }
  | { readonly action: 'unchanged'; readonly name: string; readonly where: Position };

export interface QueueWrite {
  readonly name: string;
  readonly action: 'create' | 'change';
  readonly body: JsonObject;
  readonly changes: readonly Change[];
}

export type PlannedDeployment =
  | { readonly action: 'create'; readonly desired: DesiredDeployment }
  | {
      readonly action: 'change';
      readonly desired: DesiredDeployment;
      readonly actual: DeploymentRecord;
      /** Of the fields alone. */
      readonly changes: readonly Change[];
      readonly schedules?: SchedulePlan | undefined;
    }
  | { readonly action: 'unchanged'; readonly desired: DesiredDeployment; readonly actual: DeploymentRecord };

export interface Plan {
  readonly workPools: readonly PlannedWorkPool[];
  readonly deployments: readonly PlannedDeployment[];
  /** Of each deployment that has some or is to have some. */
  readonly automations: readonly PlannedAutomations[];
  readonly slas: readonly PlannedSlas[];
}

/** What was done: ids of the deployments there are now, and the writes that failed at last. */
export interface Applied {
  readonly deployments: readonly AppliedDeployment[];
  readonly workPools: readonly { readonly name: string; readonly action: PlannedWorkPool['action'] }[];
  readonly failures: readonly {
    readonly what: string;
    readonly reason: string;
    readonly where: Position | undefined;
  }[];
}

export interface AppliedDeployment {
  readonly name: DeploymentName;
  readonly id: string;
  readonly action: 'create' | 'change' | 'unchanged';
}

/** What a plan that is only shown comes to. */
export function nothingApplied(): Applied {
  return { deployments: [], workPools: [], failures: [] };
}

/** True when something would be, or was, changed; what the server cannot be asked about (SLAs) does not count. */
export function changes(plan: Plan): boolean {
  const automations = plan.automations.flatMap((one) => one.automations);
  return [...plan.workPools, ...plan.deployments, ...automations].some(
    ({ action }) => action !== 'unchanged' && action !== 'remove-if-owned',
  );
}
