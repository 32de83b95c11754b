import { DeploymentRecord, ScheduleRecord } from '@slipway/prefect/client';
import { describe, expect, it } from 'vitest';
import type { Plan } from '../deploy/model.ts';
import { desiredDeployment } from '../deploy/testing-desired.ts';
import { planItems } from './items.ts';
import { planJson } from './plan-json.ts';
import { planLines } from './plan-text.ts';
import { scheduleChanges } from './schedule-details.ts';

const where = { file: 'prefect.yaml', line: 1, column: 1 };
const times = { cron: '0 9 * * *', timezone: 'Europe/Berlin', day_or: false };
const nightly = { times, active: false, parameters: { a: 1 }, slug: 'nightly', where };
const everyMinute = {
  times: { interval: 60, anchor_date: '2024-01-01T00:00:00Z', timezone: 'UTC' },
  parameters: {},
  where,
};
const gone = ScheduleRecord.parse({ id: '3', slug: 'old', schedule: { rrule: 'FREQ=DAILY', timezone: 'UTC' } });
const cron = { field: 'cron', before: '0 8 * * *', after: '0 9 * * *' };

const plan: Plan = {
  workPools: [],
  deployments: [
    { action: 'create', desired: { ...desiredDeployment(), schedules: [nightly, everyMinute] } },
    {
      action: 'change',
      desired: desiredDeployment(),
      actual: DeploymentRecord.parse({ id: '1', name: 'd', flow_id: '2' }),
      changes: [],
      schedules: {
        how: 'together',
        list: [],
        writes: [
          { action: 'create', name: 'nightly', desired: nightly },
          { action: 'change', name: 'weekly', id: '2', body: {}, changes: [cron] },
          { action: 'remove', name: 'old', actual: gone },
        ],
      },
    },
  ],
  automations: [],
  slas: [],
};

describe('schedules in a plan', () => {
  it('are one line each', () => {
    const created = '    + schedule nightly: cron 0 9 * * * Europe/Berlin, day_or false, inactive, parameters {"a":1}';
    expect(planLines(planItems(plan, (text) => text)).filter((line) => line.includes('schedule'))).toEqual([
      created,
      '    + schedule every 60 s, from 2024-01-01T00:00:00Z',
      created,
      '    schedule weekly: cron: "0 8 * * *" → "0 9 * * *"',
      '    - schedule old: rrule FREQ=DAILY',
    ]);
  });

  it('are fields beneath their names for programs', () => {
    expect(planJson(plan).deployments).toMatchObject([
      { action: 'create' },
      {
        changes: [
          { field: 'schedules.nightly', after: { ...times, active: false, parameters: { a: 1 } } },
          { field: 'schedules.weekly.cron', before: '0 8 * * *', after: '0 9 * * *' },
          { field: 'schedules.old', before: { rrule: 'FREQ=DAILY', timezone: 'UTC' } },
        ],
      },
    ]);
  });

  it('are nothing where there is nothing to write', () => {
    expect(scheduleChanges(undefined)).toEqual([]);
  });
});
