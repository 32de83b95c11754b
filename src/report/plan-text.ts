import { type Json, SpelledNumber } from '@slipway/prefect/json';
import type { Change, Plan, PlannedDeployment, PlannedWorkPool } from '../deploy/model.ts';
import { automationLines, slaLine } from './automation-lines.ts';
import { newScheduleLine, scheduleLines } from './schedule-lines.ts';

const LONGEST_VALUE = 120;

/** The plan for a person: one line an object, one line a field that changes. */
export function planLines(plan: Plan): string[] {
  const lines = [
    ...plan.workPools.flatMap(workPoolLines),
    ...plan.deployments.flatMap(deploymentLines),
    ...plan.automations.flatMap(automationLines),
    ...plan.slas.map(slaLine),
  ];
  const { create, change, remove, unchanged } = countActions(plan);
  const removed = remove === 0 ? '' : ` ${remove} to remove,`;
  return [...lines, `Plan: ${create} to create, ${change} to change,${removed} ${unchanged} unchanged.`];
}

/** How many objects a plan creates, changes, removes and leaves alone, as far as it knows. */
export function countActions(plan: Plan): Record<'create' | 'change' | 'remove' | 'unchanged', number> {
  const counts = { create: 0, change: 0, remove: 0, unchanged: 0 };
  const automations = plan.automations.flatMap((one) => one.automations);
  for (const { action } of [...plan.workPools, ...plan.deployments, ...automations]) {
    if (action !== 'remove-if-owned') counts[action] += 1;
  }
  return counts;
}

/** What a line of a plan begins with. */
export const SIGN = { create: '+', change: '~', remove: '-', unchanged: ' ' } as const;

function workPoolLines(planned: PlannedWorkPool): string[] {
  const title = `${SIGN[planned.action]} work pool ${planned.name}`;
  switch (planned.action) {
    case 'unchanged':
      return [`${title} (unchanged)`];
    case 'create':
      return [`${title} (create, type ${planned.type})`];
    case 'change':
      return [`${title} (change)`, ...planned.changes.map(changeLine)];
  }
}

function deploymentLines(planned: PlannedDeployment): string[] {
  const title = `${SIGN[planned.action]} deployment ${planned.desired.name}`;
  switch (planned.action) {
    case 'unchanged':
      return [`${title} (unchanged)`];
    case 'create':
      return [
        `${title} (create)`,
        ...shownFields(planned.desired.fields).map(([field, value]) => `    ${field}: ${valueText(value)}`),
        ...(planned.desired.schedules ?? []).map(newScheduleLine),
      ];
    case 'change':
      return [`${title} (change)`, ...planned.changes.map(changeLine), ...scheduleLines(planned.schedules)];
  }
}

const SHOWN = [
  'entrypoint',
  'work_pool_name',
  'work_queue_name',
  'version',
  'tags',
  'parameters',
  'job_variables',
] as const;

function shownFields(fields: Readonly<Partial<Record<(typeof SHOWN)[number], unknown>>>): [string, Json][] {
  return SHOWN.map((field): [string, Json] => [field, (fields[field] ?? null) as Json]).filter(
    ([, value]) => !isEmpty(value),
  );
}

function isEmpty(value: Json): boolean {
  return (
    value === null ||
    (typeof value === 'object' && !(value instanceof SpelledNumber) && Object.keys(value).length === 0)
  );
}

/** One field that changes, on one line. */
export function changeLine(change: Change): string {
  return `    ${change.field}: ${valueText(change.before)} → ${valueText(change.after)}`;
}

/** A value on one line, cut where it is long. */
export function valueText(value: Json | undefined): string {
  if (value === undefined) return '(none)';
  const text = JSON.stringify(value);
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}…`;
}
