import type { JsonObject } from '@slipway/prefect/json';
import type { Change } from '../deploy/model.ts';
import { timesText } from '../deploy/schedules/compare.ts';
import type { DesiredSchedule, SchedulePlan, ScheduleWrite } from '../deploy/schedules/model.ts';
import { type Redact, valueText } from './difference.ts';
import { changeDetail, type Detail } from './item.ts';

/** What happens to a deployment's schedules, for a person. */
export function scheduleDetails(plan: SchedulePlan | undefined, redact: Redact): Detail[] {
  return (plan?.writes ?? []).flatMap((write) => detailsOf(write, redact));
}

function detailsOf(write: ScheduleWrite, redact: Redact): Detail[] {
  switch (write.action) {
    case 'create':
      return [newScheduleDetail(write.desired, redact)];
    case 'change':
      return write.changes.map((change) =>
        changeDetail({ ...change, field: `schedule ${write.name}: ${change.field}` }, redact),
      );
    case 'remove': {
      const times = write.actual.slug ? `: ${timesText(write.actual.schedule)}` : '';
      return [{ kind: 'removed', text: redact(`schedule ${write.name}${times}`) }];
    }
  }
}

/** A schedule that comes into being: its slug, when it runs, and what else was written. */
export function newScheduleDetail({ slug, times, active, parameters }: DesiredSchedule, redact: Redact): Detail {
  const parts = [
    redact(slug === undefined ? timesText(times) : `${slug}: ${timesText(times)}`),
    ...('anchor_date' in times ? [`from ${times.anchor_date}`] : []),
    ...('day_or' in times && times.day_or !== true ? ['day_or false'] : []),
    ...(active === undefined || active === true ? [] : [active === false ? 'inactive' : `active ${active}`]),
    ...(Object.keys(parameters).length === 0 ? [] : [`parameters ${valueText(parameters, redact)}`]),
  ];
  return { kind: 'added', text: `schedule ${parts.join(', ')}` };
}

/** The same for programs: fields beneath the schedule's name, a whole schedule where it comes or goes. */
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
