import type { AutomationRecord } from '@slipway/prefect/client';
import { isJsonObject, type Json, type JsonObject } from '@slipway/prefect/json';
import type { Position } from '../project/model.ts';
import type { Change, DeploymentName } from './model.ts';
import type { TriggerSpec } from './trigger-spec.ts';

/** One item of `triggers`, as the automation it asks for. */
export interface DesiredAutomation {
  readonly spec: TriggerSpec;
  /** Keys of the spec that only a deploy can know, `trigger` for all it watches; empty but in a plan. */
  readonly unknown: readonly string[];
  readonly where: Position;
}

/** What `triggers` of one deployment ask for; none is a wish as well. */
export interface DesiredAutomations {
  readonly deployment: DeploymentName;
  /** What names the automations of triggers without a name: `<defaultName>__automation_<n>`. */
  readonly defaultName: string;
  readonly workPoolName: string;
  readonly where: Position;
  readonly automations: readonly DesiredAutomation[];
}

export type PlannedAutomation =
  | { readonly action: 'create'; readonly name: string; readonly desired: DesiredAutomation }
  | {
      readonly action: 'change';
      readonly name: string;
      readonly desired: DesiredAutomation;
      readonly actual: AutomationRecord;
      readonly changes: readonly Change[];
    }
  | {
      readonly action: 'unchanged';
      readonly name: string;
      readonly desired: DesiredAutomation;
      readonly actual: AutomationRecord;
    }
  | { readonly action: 'remove'; readonly name: string; readonly actual: AutomationRecord }
  /** Removed when `triggers` made it; somebody's own automation otherwise. Only the server can tell, while deleting. */
  | { readonly action: 'remove-if-owned'; readonly name: string; readonly actual: AutomationRecord };

export interface PlannedAutomations {
  readonly deployment: DeploymentName;
  readonly where: Position;
  readonly automations: readonly PlannedAutomation[];
}

/** The resource that owns the automations of a deployment's `triggers`. */
export function ownerOf(deploymentId: string): string {
  return `prefect.deployment.${deploymentId}`;
}

/** What the automation of a trigger is called (prefect/events/schemas/automations.py `as_automation`). */
export function automationName(name: string | null, deploymentId: string): string {
  return name || `Automation for deployment ${deploymentId}`;
}

/** The automation of a trigger as `POST /automations/` takes it (contracts/deploy.md §4.7). */
export function automationBody(spec: TriggerSpec, deploymentId: string): JsonObject {
  return {
    name: automationName(spec.name, deploymentId),
    description: spec.description,
    enabled: spec.enabled,
    tags: [],
    trigger: spec.trigger,
    actions: [
      {
        type: 'run-deployment',
        source: 'selected',
        deployment_id: deploymentId,
        parameters: spec.parameters,
        job_variables: spec.job_variables,
        schedule_after: spec.schedule_after,
      },
    ],
    actions_on_trigger: [],
    actions_on_resolve: [],
    owner_resource: ownerOf(deploymentId),
  };
}

/** What an automation's trigger is made of; what else a server adds, such as ids, is its own. */
const TRIGGER_KEYS: Readonly<Record<string, readonly string[]>> = {
  event: ['match', 'match_related', 'after', 'expect', 'for_each', 'posture', 'threshold', 'within'],
  metric: ['match', 'match_related', 'posture', 'metric'],
  compound: ['triggers', 'require', 'within'],
  sequence: ['triggers', 'within'],
};
/** The server keeps these as sets: their order means nothing. */
const SETS = ['after', 'expect', 'for_each'];

/** A change of an automation: all of it but its owner, which stays. */
export function updateBody(spec: TriggerSpec, deploymentId: string): JsonObject {
  const { owner_resource: _owner, ...body } = automationBody(spec, deploymentId);
  return body;
}

/** An automation in the form in which two can be compared: without ids, sets in order. */
export function comparable(automation: JsonObject): JsonObject {
  const { trigger, ...rest } = automation;
  return { ...rest, trigger: comparableTrigger(trigger ?? null) };
}

function comparableTrigger(trigger: Json): Json {
  if (!isJsonObject(trigger)) return trigger;
  const keys = TRIGGER_KEYS[String(trigger.type)] ?? Object.keys(trigger);
  const entries = keys.map((key): [string, Json] => [key, comparableField(key, trigger[key] ?? null)]);
  return Object.fromEntries([['type', trigger.type ?? null], ...entries]);
}

function comparableField(key: string, value: Json): Json {
  if (!Array.isArray(value)) return value;
  if (SETS.includes(key)) return [...value].sort();
  return key === 'triggers' ? value.map(comparableTrigger) : value;
}
