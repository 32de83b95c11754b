import type { AutomationRecord } from '@slipway/prefect/client';
import { isJsonObject, type Json, type JsonObject } from '@slipway/prefect/json';
import { KNOWN_AT_DEPLOY } from '../steps/foresight.ts';
import {
  automationName,
  comparable,
  type DesiredAutomation,
  type DesiredAutomations,
  type PlannedAutomation,
  type PlannedAutomations,
  updateBody,
} from './automation.ts';
import { leafChanges } from './leaf-changes.ts';
import type { Change } from './model.ts';

/** Ends the name of an automation that stands in for another while that one is replaced. */
export const STAND_IN = ' (stands in while triggers are replaced)';

/**
 * A deploy makes all automations of a deployment at one go, Prefect's and ours: what was made much earlier or later
 * than those we know to be its own is somebody's own.
 */
const ONE_GO_MS = 5 * 60_000;

/**
 * What has to be written so that a deployment's automations are those of its `triggers`.
 *
 * The server does not tell which automations belong to a deployment (contracts/deploy.md, "Seen on 3.8.8" 10), only
 * which run it. Ours for certain are those that bear a name of one of its triggers or a default name. Another one that
 * looks as a trigger makes them, and was made along with those, may be ours: its trigger may have left the file.
 *
 * @param id of the deployment; undefined when it is yet to be created.
 * @param existing all automations of the workspace.
 */
export function planAutomations(
  desired: DesiredAutomations,
  id: string | undefined,
  existing: readonly AutomationRecord[],
): PlannedAutomations {
  const { deployment, where } = desired;
  if (id === undefined) {
    const created = desired.automations.map((one) => create(one, automationName(one.spec.name, '(new)')));
    return { deployment, where, automations: created };
  }
  const left = new Set(existing.filter((automation) => runs(automation, id)));
  const planned = desired.automations.map((one): PlannedAutomation => {
    const name = automationName(one.spec.name, id);
    const namesakes = [...left].filter((automation) => automation.name === name);
    const actual = namesakes.find((each) => automationChanges(one, each, id).length === 0) ?? namesakes[0];
    if (actual === undefined) return create(one, name);
    left.delete(actual);
    const changes = automationChanges(one, actual, id);
    return changes.length === 0
      ? { action: 'unchanged', name, desired: one, actual }
      : { action: 'change', name, desired: one, actual, changes };
  });
  const ours = [...left].filter(({ name }) => isOurName(name, desired.defaultName, id));
  const known = [...planned.flatMap((one) => ('actual' in one ? [one.actual] : [])), ...ours];
  const perhaps = [...left].filter(
    (automation) => !ours.includes(automation) && isOfTrigger(automation) && madeWith(automation, known),
  );
  return {
    deployment,
    where,
    automations: [
      ...planned,
      ...ours.map((actual): PlannedAutomation => ({ action: 'remove', name: actual.name, actual })),
      ...perhaps.map((actual): PlannedAutomation => ({ action: 'remove-if-owned', name: actual.name, actual })),
    ],
  };
}

function create(desired: DesiredAutomation, name: string): PlannedAutomation {
  return { action: 'create', name, desired };
}

function runs(automation: AutomationRecord, id: string): boolean {
  return automation.actions.some(
    ({ type, source, deployment_id }) => type === 'run-deployment' && source === 'selected' && deployment_id === id,
  );
}

function isOurName(name: string, defaultName: string, id: string): boolean {
  if (name.endsWith(STAND_IN) || name === automationName(null, id)) return true;
  const prefix = `${defaultName}__automation_`;
  return name.startsWith(prefix) && /^[1-9]\d*$/.test(name.slice(prefix.length));
}

/** True for the form that every trigger's automation has: it runs the deployment and does nothing else. */
function isOfTrigger({ actions, actions_on_trigger, actions_on_resolve, tags }: AutomationRecord): boolean {
  return actions.length === 1 && [actions_on_trigger, actions_on_resolve, tags].every((list) => list.length === 0);
}

function madeWith(automation: AutomationRecord, known: readonly AutomationRecord[]): boolean {
  const made = (one: AutomationRecord) => Date.parse(one.created ?? '');
  return known.length === 0 || known.some((one) => !(Math.abs(made(one) - made(automation)) > ONE_GO_MS));
}

/** The fields of an automation that are not as wanted, by the keys that prefect.yaml has for them. */
export function automationChanges(desired: DesiredAutomation, actual: AutomationRecord, id: string): Change[] {
  const { id: _id, created: _created, ...kept } = actual;
  const before = flattened(kept);
  const after = flattened(updateBody(desired.spec, id));
  const fields = new Set([...Object.keys(after), ...Object.keys(before)]);
  const compared = [...fields].filter((field) => !isOpen(desired, field));
  return [
    ...compared.flatMap((field) => leafChanges(field, before[field], after[field])),
    ...desired.unknown.map((field) => ({ field, before: before[field], after: KNOWN_AT_DEPLOY })),
  ];
}

/** In a plan: what a step's output decides, and all of the trigger when it decides what kind it is. */
function isOpen({ unknown }: DesiredAutomation, field: string): boolean {
  return unknown.includes(field) || (unknown.includes('trigger') && !NOT_OF_TRIGGER.includes(field));
}

const NOT_OF_TRIGGER = ['description', 'enabled', 'tags', 'parameters', 'job_variables', 'schedule_after'];

/** One level of fields: those of the trigger and of the one action beside the automation's own. */
function flattened(automation: JsonObject): Record<string, Json> {
  const { description, enabled, tags, trigger, actions, actions_on_trigger, actions_on_resolve } =
    comparable(automation);
  const [action, ...others] = Array.isArray(actions) ? actions : [];
  const { type, source, deployment_id, ...ofAction } = isJsonObject(action) ? action : {};
  return {
    description: description ?? '',
    enabled: enabled ?? true,
    tags: tags ?? [],
    ...(isJsonObject(trigger) ? trigger : {}),
    ...ofAction,
    actions: [{ type, source, deployment_id } as JsonObject, ...others],
    actions_on_trigger: actions_on_trigger ?? [],
    actions_on_resolve: actions_on_resolve ?? [],
  };
}
