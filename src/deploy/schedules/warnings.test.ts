import type { JsonObject } from '@slipway/prefect/json';
import { expect, it } from 'vitest';
import { desiredDeployment } from '../testing-desired.ts';
import type { ScheduleTimes } from './model.ts';
import { scheduleWarnings } from './warnings.ts';

const SCHEMA: JsonObject = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };

const DAILY: ScheduleTimes = { cron: '@daily', timezone: null, day_or: true };

function warnings(parameters: JsonObject, times = DAILY) {
  const desired = desiredDeployment({ parameters: { n: 'x' }, parameter_openapi_schema: SCHEMA });
  const { where, positions } = desired;
  const place = { file: 'prefect.yaml', line: 20, column: 7 };
  return scheduleWarnings({
    workPools: [],
    deployments: [
      {
        action: 'create',
        desired: {
          ...desired,
          schedules: [{ times, parameters, slug: 's', where }],
          positions: new Map([...positions, ['schedules.0.parameters.n', place]]),
        },
      },
    ],
    automations: [],
    slas: [],
  });
}

it('parameters of a schedule that do not fit the flow’s schema are warned of at their place', () => {
  expect(warnings({ n: 'many' })).toEqual([
    {
      message:
        'deployment hello/d: parameter n of the schedule s is a string, but must be an integer; its runs may fail',
      where: { file: 'prefect.yaml', line: 20, column: 7 },
    },
  ]);
});

it.each<[string, JsonObject]>([
  ['fit', { n: 1 }],
  ['are unknown to the schema', { other: 1 }],
  ['are known at deploy only', { n: '(known at deploy)' }],
  ['are none, whatever the deployment’s own are', {}],
])('parameters of a schedule that %s are not warned of', (_name, parameters) => {
  expect(warnings(parameters)).toEqual([]);
});

it('a rule that a server takes and then stumbles over is warned of', () => {
  const [warning] = warnings({}, { rrule: 'FREQ=DAILY;UNTIL=20301231T000000Z', timezone: 'UTC' });
  expect(warning?.message).toContain('Prefect takes its rrule, but will not find a date to run on');
  expect(
    warnings({}, { rrule: 'DTSTART:20240101T000000Z\nRRULE:FREQ=DAILY;UNTIL=20301231T000000Z', timezone: 'UTC' }),
  ).toEqual([]);
  expect(warnings({}, { rrule: 'FREQ=DAILY;UNTIL=20301231T000000', timezone: 'UTC' })).toEqual([]);
});

it('of the old singular key they point into it', () => {
  const desired = desiredDeployment({ parameters: { n: 1 }, parameter_openapi_schema: SCHEMA });
  const at = (line: number) => ({ file: 'prefect.yaml', line, column: 3 });
  const positions = new Map([
    ['schedule', at(30)],
    ['schedule.rrule', at(31)],
    ['schedule.parameters.n', at(32)],
  ]);
  const times: ScheduleTimes = { rrule: 'FREQ=DAILY;UNTIL=20301231T000000Z', timezone: 'UTC' };
  const schedules = [{ times, parameters: { n: 'many' }, where: at(30) }];
  const deployments = [{ action: 'create' as const, desired: { ...desired, positions, schedules } }];
  const found = scheduleWarnings({ workPools: [], deployments, automations: [], slas: [] });
  expect(found.map(({ where }) => where.line)).toEqual([31, 32]);
});
