import type { JsonObject } from '@slipway/prefect/json';
import type { Change } from '../deploy/model.ts';
import { timesText } from '../deploy/schedules/compare.ts';
import type { DesiredSchedule, SchedulePlan, ScheduleWrite } from '../deploy/schedules/model.ts';
import { SIGN, valueText } from './plan-text.ts';

/** What happens to a deployment's schedules, for a person: one line each, fields that change on one line. */
export function scheduleLines(plan: SchedulePlan | undefined): string[] {
  return (plan?.writes ?? []).map(lineOf);
}

function lineOf(write: ScheduleWrite): string {
  const title = `    ${SIGN[write.action]} schedule ${write.name}`;
  switch (write.action) {
    case 'create':
      return newScheduleLine(write.desired);
    case 'change': {
      const fields = write.changes.map(
        ({ field, before, after }) => `${field} ${valueText(before)} → ${valueText(after)}`,
      );
      return `${title}: ${fields.join(', ')}`;
    }
    case 'remove':
      return write.actual.slug ? `${title}: ${timesText(write.actual.schedule)}` : title;
  }
}

/** A schedule that comes into being: its slug, when it runs, and what else was written. */
export function newScheduleLine(desired: DesiredSchedule): string {
  const { slug, times, active, parameters } = desired;
  const extra = [
    ...('anchor_date' in times ? [`from ${times.anchor_date}`] : []),
    ...('day_or' in times && times.day_or !== true ? ['day_or false'] : []),
    ...(active === undefined || active === true ? [] : [active === false ? 'inactive' : `active ${active}`]),
    ...(Object.keys(parameters).length === 0 ? [] : [`parameters ${valueText(parameters)}`]),
  ];
  return `    ${SIGN.create} schedule ${[slug === undefined ? timesText(times) : `${slug}: ${timesText(times)}`, ...extra].join(', ')}`;
}

/** The same for programs and tables: fields beneath the schedule's name, a whole schedule where it comes or goes. */
export function scheduleChanges(plan: SchedulePlan | undefined): Change[] {
  return (plan?.writes ?? []).flatMap(changesOf);
}

function changesOf(write: ScheduleWrite): Change[] {
  const field = `schedules.${write.name}`;
  switch (write.action) {
    case 'create':
      return [{ field, before: undefined, after: written(write.desired) }];
    case 'change':
      return write.changes.map((change) => ({ ...change, field: `${field}.${change.field}` }));
    case 'remove':
      return [{ field, before: write.actual.schedule, after: undefined }];
  }
}

function written({ times, active, parameters }: DesiredSchedule): JsonObject {
  return {
    ...times,
    ...(active === undefined ? {} : { active }),
    ...(Object.keys(parameters).length === 0 ? {} : { parameters }),
  };
}
