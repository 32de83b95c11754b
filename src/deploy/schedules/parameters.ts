import { validateParameters } from '@slipway/prefect/workpool';
import type { Position } from '../../project/model.ts';
import { placeOf } from '../configuration.ts';
import type { Plan } from '../model.ts';
import { known } from '../parameters.ts';

/**
 * Parameters of schedules that do not fit the flow's schema, laid over the deployment's own as a scheduled run has them.
 * A warning, no refusal: Prefect checks them only when a run begins, where it also turns `"5"` into a number.
 */
export function scheduleWarnings(plan: Plan): { message: string; where: Position }[] {
  return plan.deployments.flatMap((planned) => {
    if (planned.action === 'unchanged') return [];
    const { desired } = planned;
    const { parameters, parameter_openapi_schema: schema } = desired.fields;
    return (desired.schedules ?? []).flatMap((schedule, index) => {
      if (Object.keys(schedule.parameters).length === 0) return [];
      const merged = known({ ...parameters, ...schedule.parameters });
      const name = schedule.slug ?? `number ${index + 1}`;
      return validateParameters(schema, merged, 'update')
        .filter(({ path }) => (path.split(/[.[]/)[0] ?? '') in schedule.parameters)
        .map(({ path, message }) => ({
          message: `deployment ${desired.name}: parameter ${path} of the schedule ${name} ${message}; its runs may fail`,
          where: placeOf(desired, `schedules.${index}.parameters.${path.replaceAll(/\[(\d+)\]/g, '.$1')}`),
        }));
    });
  });
}
