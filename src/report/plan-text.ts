import { type Json, SpelledNumber } from '@slipway/prefect/json';
import type { Change, Plan, PlannedDeployment, PlannedWorkPool } from '../deploy/model.ts';

const LONGEST_VALUE = 120;

/** The plan for a person: one line an object, one line a field that changes. */
export function planLines(plan: Plan): string[] {
  const lines = [...plan.workPools.flatMap(workPoolLines), ...plan.deployments.flatMap(deploymentLines)];
  const counts = countActions(plan);
  return [...lines, `Plan: ${counts.create} to create, ${counts.change} to change, ${counts.unchanged} unchanged.`];
}

/** How many objects a plan creates, changes and leaves alone. */
export function countActions(plan: Plan): Record<'create' | 'change' | 'unchanged', number> {
  const counts = { create: 0, change: 0, unchanged: 0 };
  for (const { action } of [...plan.workPools, ...plan.deployments]) counts[action] += 1;
  return counts;
}

const SIGN = { create: '+', change: '~', unchanged: ' ' } as const;

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
      ];
    case 'change':
      return [`${title} (change)`, ...planned.changes.map(changeLine)];
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

function changeLine(change: Change): string {
  return `    ${change.field}: ${valueText(change.before)} → ${valueText(change.after)}`;
}

/** A value on one line, cut where it is long. */
export function valueText(value: Json | undefined): string {
  if (value === undefined) return '(none)';
  const text = JSON.stringify(value);
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}…`;
}
