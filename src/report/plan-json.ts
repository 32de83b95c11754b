import type { Json, JsonObject } from '@slipway/prefect/json';
import { type Change, changes, type Plan } from '../deploy/model.ts';
import { automationsJson, slasJson } from './automation-lines.ts';
import { scheduleChanges } from './schedule-lines.ts';

/** The plan for a program: the output `plan`. Field names are the API's own. */
export function planJson(plan: Plan): JsonObject {
  return {
    changed: changes(plan),
    work_pools: plan.workPools.map((planned) => ({
      name: planned.name,
      action: planned.action,
      ...(planned.action === 'change' ? { changes: planned.changes.map(changeJson) } : {}),
    })),
    deployments: plan.deployments.map((planned) => ({
      name: planned.desired.name,
      action: planned.action,
      ...(planned.action === 'change'
        ? { changes: [...planned.changes, ...scheduleChanges(planned.schedules)].map(changeJson) }
        : {}),
    })),
    automations: automationsJson(plan.automations),
    slas: slasJson(plan.slas),
  };
}

/** A field that changes; what is absent has no key. */
export function changeJson(change: Change): JsonObject {
  const ends: [string, Json | undefined][] = [
    ['before', change.before],
    ['after', change.after],
  ];
  return Object.fromEntries([
    ['field', change.field],
    ...ends.filter(([, value]) => value !== undefined),
  ]) as JsonObject;
}
