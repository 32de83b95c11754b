import { readFileSync } from 'node:fs';
import { ScheduleRecord } from '@slipway/prefect/client';
import { type Json, type JsonObject, parseJson } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import { projectFrom } from '../../project/testing-project.ts';
import { desiredSchedules } from './desired-schedules.ts';
import { bodyOf, planSchedules } from './plan-schedules.ts';

const text = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');
const wire = parseJson(text('wire.json')) as Record<'created' | 'updated' | 'stored', JsonObject[]>;

async function wanted() {
  const [entry] = (await projectFrom(text('wire.prefect.yaml'))).entries;
  if (entry === undefined) throw new Error('no entry');
  return desiredSchedules(entry.settings, entry).schedules ?? [];
}

/** What a body comes to with the server's defaults; the start of a rule is its own doing. */
function withDefaults({ schedule, ...rest }: JsonObject): Json {
  const { cron, interval, rrule, ...times } = schedule as JsonObject;
  const kind =
    cron !== undefined
      ? { cron, day_or: true }
      : interval !== undefined
        ? { interval: Number(interval) }
        : { rrule: String(rrule).replace('DTSTART:20200101T000000\n', '') };
  const defaults = { active: true, parameters: {}, max_scheduled_runs: null, replaces: null };
  return { ...defaults, ...rest, schedule: { ...kind, ...times } };
}

describe('what Prefect’s CLI sends for the same file', () => {
  it('is what is sent to create', async () => {
    expect((await wanted()).map((one) => withDefaults(bodyOf(one)))).toEqual(wire.created.map(withDefaults));
  });

  it('is what is sent to update, when something changes', async () => {
    const [first, ...others] = wire.stored.map((record) => ScheduleRecord.parse(record));
    const changed = [
      ScheduleRecord.parse({ ...first, schedule: { rrule: 'FREQ=YEARLY', timezone: 'UTC' } }),
      ...others,
    ];
    const plan = planSchedules(await wanted(), changed);
    expect(plan?.how === 'together' && plan.list.map(withDefaults)).toEqual(wire.updated.map(withDefaults));
  });

  it('leaves what needs no change', async () => {
    const stored = wire.stored.map((record) => ScheduleRecord.parse(record));
    expect(planSchedules(await wanted(), stored)).toBeUndefined();
  });
});
