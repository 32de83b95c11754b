import type { Plan, PlannedDeployment, PlannedWorkPool } from '../deploy/model.ts';
import { automationItems, slaItem } from './automation-items.ts';
import type { Redact } from './difference.ts';
import { changeDetail, type Detail, fieldDetail, type Item } from './item.ts';
import { newScheduleDetail, scheduleDetails } from './schedule-details.ts';

/** All objects of a plan: pools, deployments, automations, SLAs, each kind in the order of prefect.yaml. */
export function planItems(plan: Plan, redact: Redact): Item[] {
  return [
    ...plan.workPools.map((planned) => workPoolItem(planned, redact)),
    ...plan.deployments.map((planned) => deploymentItem(planned, redact)),
    ...plan.automations.flatMap((planned) => automationItems(planned, redact)),
    ...plan.slas.map((planned) => slaItem(planned, redact)),
  ];
}

function workPoolItem(planned: PlannedWorkPool, redact: Redact): Item {
  const { name, action, where } = planned;
  return {
    kind: 'work pool',
    name: redact(name),
    label: `work pool ${redact(name)}`,
    action,
    where,
    ...(action === 'create' ? { note: `type ${planned.type}` } : { object: { kind: 'work-pool', name } }),
    details: action === 'change' ? planned.changes.map((change) => changeDetail(change, redact)) : [],
  };
}

function deploymentItem(planned: PlannedDeployment, redact: Redact): Item {
  const { desired, action } = planned;
  return {
    kind: 'deployment',
    name: redact(desired.name),
    label: `deployment ${redact(desired.name)}`,
    action,
    where: desired.where,
    deployment: desired.name,
    ...(action === 'create' ? {} : { object: { kind: 'deployment', id: planned.actual.id } }),
    details: deploymentDetails(planned, redact),
  };
}

function deploymentDetails(planned: PlannedDeployment, redact: Redact): Detail[] {
  switch (planned.action) {
    case 'create': {
      const { fields, schedules = [] } = planned.desired;
      return [
        ...SHOWN.flatMap((field) => fieldDetail(field, fields[field], redact)),
        ...schedules.map((schedule) => newScheduleDetail(schedule, redact)),
      ];
    }
    case 'change':
      return [
        ...planned.changes.map((change) => changeDetail(change, redact)),
        ...scheduleDetails(planned.schedules, redact),
      ];
    case 'unchanged':
      return [];
  }
}

/** What is said of a new deployment. */
const SHOWN = [
  'entrypoint',
  'work_pool_name',
  'work_queue_name',
  'version',
  'tags',
  'parameters',
  'job_variables',
] as const;
