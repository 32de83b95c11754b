import { validateParameters } from '@slipway/prefect/workpool';
import type { Position } from '../../project/model.ts';
import { placeOf } from '../../project/place.ts';
import { isUnknown } from '../../steps/foresight.ts';
import type { DesiredDeployment, Plan } from '../model.ts';
import { known } from '../parameters.ts';
import type { DesiredSchedule } from './model.ts';
import { readRecurrence } from './rrule.ts';

interface Warning {
  readonly message: string;
  readonly where: Position;
}

/** What Prefect takes of the schedules to be written, though their runs will fail or never come. */
export function scheduleWarnings(plan: Plan): Warning[] {
  return plan.deployments.flatMap((planned) => {
    if (planned.action === 'unchanged') return [];
    const { desired } = planned;
    return (desired.schedules ?? []).flatMap((schedule, index) => [
      ...ruleWarnings(desired, schedule, pathOf(desired, schedule, index)),
      ...parameterWarnings(desired, schedule, index),
    ]);
  });
}

/** Where an item stands: in the list, or as the one under the old singular key. */
function pathOf({ positions }: DesiredDeployment, { where }: DesiredSchedule, index: number): string {
  const single = positions.get('schedule');
  return single !== undefined && single.line === where.line && single.column === where.column
    ? 'schedule'
    : `schedules.${index}`;
}

function ruleWarnings(desired: DesiredDeployment, { times, slug }: DesiredSchedule, path: string): Warning[] {
  if (!('rrule' in times) || isUnknown(times.rrule) || !readRecurrence(times.rrule).neverRuns) return [];
  const message =
    `deployment ${desired.name}: Prefect takes its rrule, but will not find a date to run on: ` +
    'UNTIL is in UTC, so a DTSTART in UTC has to stand before the rule; or write UNTIL without the Z';
  return [
    {
      message: slug === undefined ? message : `${message} (schedule ${slug})`,
      where: placeOf(desired, `${path}.rrule`),
    },
  ];
}

/**
 * Parameters that do not fit the flow's schema, laid over the deployment's own as a scheduled run has them. No refusal:
 * Prefect checks them only when a run begins, where it also turns `"5"` into a number.
 */
function parameterWarnings(desired: DesiredDeployment, schedule: DesiredSchedule, index: number): Warning[] {
  if (Object.keys(schedule.parameters).length === 0) return [];
  const { parameters, parameter_openapi_schema: schema } = desired.fields;
  const name = schedule.slug ?? `number ${index + 1}`;
  return validateParameters(schema, known({ ...parameters, ...schedule.parameters }), 'update')
    .filter(({ path }) => (path.split(/[.[]/)[0] ?? '') in schedule.parameters)
    .map(({ path, message }) => ({
      message: `deployment ${desired.name}: parameter ${path} of the schedule ${name} ${message}; its runs may fail`,
      where: placeOf(desired, `${pathOf(desired, schedule, index)}.parameters.${path.replaceAll(/\[(\d+)\]/g, '.$1')}`),
    }));
}
