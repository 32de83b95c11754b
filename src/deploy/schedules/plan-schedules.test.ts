import { ScheduleRecord } from '@slipway/prefect/client';
import type { JsonObject } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import { problemsOf } from '../../problem.ts';
import type { DesiredSchedule, ScheduleTimes } from './model.ts';
import { planSchedules } from './plan-schedules.ts';

const where = { file: 'prefect.yaml', line: 9, column: 5 };

function cron(text: string, more: Partial<DesiredSchedule> = {}): DesiredSchedule {
  return { times: { cron: text, timezone: null, day_or: true }, parameters: {}, where, ...more };
}

function times(value: ScheduleTimes, more: Partial<DesiredSchedule> = {}): DesiredSchedule {
  return { times: value, parameters: {}, where, ...more };
}

let serial = 0;
/** A schedule as the server answers it, with all it fills in. */
function stored(schedule: JsonObject, more: JsonObject = {}): ScheduleRecord {
  serial += 1;
  const filled = 'cron' in schedule ? { timezone: null, day_or: true, ...schedule } : { timezone: 'UTC', ...schedule };
  return ScheduleRecord.parse({
    id: `id-${more.slug ?? serial}`,
    schedule: filled,
    active: true,
    max_scheduled_runs: null,
    parameters: {},
    slug: null,
    ...more,
  });
}

/** `+ nightly`, `~ nightly cron`, `- cron 0 0 * * *` for each write, and how they are written. */
function planned(desired: DesiredSchedule[], actual: ScheduleRecord[]): [string | undefined, ...string[]] {
  const plan = planSchedules(desired, actual);
  const lines = (plan?.writes ?? []).map((write) => {
    if (write.action === 'change') return `~ ${write.name} ${write.changes.map((one) => one.field).join(' ')}`;
    return `${write.action === 'create' ? '+' : '-'} ${write.name}`;
  });
  return [plan?.how, ...lines];
}

function refusal(desired: DesiredSchedule[], actual: ScheduleRecord[]): string[] {
  try {
    planSchedules(desired, actual);
  } catch (error) {
    return problemsOf(error)?.map((problem) => problem.message) ?? [];
  }
  return [];
}

describe('schedules that prefect.yaml does not mention', () => {
  const there = [stored({ cron: '0 0 * * *' })];

  it.each([
    ['no key', undefined],
    ['an empty list', []],
  ])('stay as they are with %s', (_name, desired) => {
    expect(planSchedules(desired, there)).toBeUndefined();
  });
});

describe('a schedule that is as wanted', () => {
  it.each<[string, DesiredSchedule, ScheduleRecord]>([
    ['cron with all defaults', cron('0 0 * * *'), stored({ cron: '0 0 * * *' })],
    [
      'cron of a server that leaves nulls out',
      cron('0 0 * * *'),
      ScheduleRecord.parse({ id: '1', schedule: { cron: '0 0 * * *' } }),
    ],
    [
      'an interval whose anchor the server chose',
      times({ interval: 3600, timezone: 'UTC' }),
      stored({ interval: 3600, anchor_date: '2026-01-02T03:04:05.678901Z' }),
    ],
    [
      'an anchor at the same instant',
      times({ interval: 60, anchor_date: '2024-01-01T00:00:00+02:00', timezone: 'UTC' }),
      stored({ interval: 60, anchor_date: '2023-12-31T22:00:00Z' }),
    ],
    [
      'a rule that the server gave its start',
      times({ rrule: 'FREQ=DAILY', timezone: 'UTC' }),
      stored({ rrule: 'DTSTART:20200101T000000\nFREQ=DAILY' }),
    ],
    [
      'a rule of minutes that started lately',
      times({ rrule: 'FREQ=MINUTELY;INTERVAL=7', timezone: 'UTC' }),
      stored({ rrule: 'DTSTART:20260102T115800\nFREQ=MINUTELY;INTERVAL=7' }),
    ],
    ['paused in the UI where the file does not say', cron('@daily'), stored({ cron: '@daily' }, { active: false })],
    ['a limit that prefect.yaml cannot set', cron('@daily'), stored({ cron: '@daily' }, { max_scheduled_runs: 3 })],
    [
      'parameters in another order',
      cron('@daily', { parameters: { a: 1, b: [2] } }),
      stored({ cron: '@daily' }, { parameters: { b: [2], a: 1 } }),
    ],
  ])('is not written: %s', (_name, desired, actual) => {
    expect(planSchedules([desired], [actual])).toBeUndefined();
    const slug = { slug: 's' };
    expect(planSchedules([{ ...desired, ...slug }], [{ ...actual, ...slug }])).toBeUndefined();
  });
});

describe('where all schedules on the server have slugs', () => {
  const nightly = () => stored({ cron: '0 0 * * *' }, { slug: 'nightly' });
  const hourly = () => stored({ interval: 3600, anchor_date: '2026-01-02T03:04:05Z' }, { slug: 'hourly' });

  it.each<[string, DesiredSchedule[], ScheduleRecord[], [string | undefined, ...string[]]]>([
    [
      'one changes in place and others stay',
      [cron('0 1 * * *', { slug: 'nightly', active: false, parameters: { a: 1 } })],
      [nightly(), hourly()],
      ['together', '~ nightly cron active parameters.a'],
    ],
    ['a new one is added', [cron('@weekly', { slug: 'weekly' })], [nightly()], ['together', '+ weekly']],
    [
      'one changes its kind',
      [times({ rrule: 'FREQ=DAILY', timezone: 'UTC' }, { slug: 'hourly' })],
      [hourly()],
      ['together', '~ hourly interval anchor_date rrule'],
    ],
    [
      'parameters that left the file are reset',
      [cron('0 0 * * *', { slug: 'nightly' })],
      [stored({ cron: '0 0 * * *' }, { slug: 'nightly', parameters: { a: 1 } })],
      ['together', '~ nightly parameters.a'],
    ],
    [
      'one is renamed',
      [cron('0 0 * * *', { slug: 'daily', replaces: 'nightly' })],
      [nightly(), hourly()],
      ['together', '~ daily slug'],
    ],
    [
      'one that was renamed before is let be',
      [cron('0 0 * * *', { slug: 'nightly', replaces: 'old' })],
      [nightly()],
      [undefined],
    ],
    [
      'one that replaces what was never there is created',
      [cron('@weekly', { slug: 'weekly', replaces: 'gone' })],
      [nightly()],
      ['together', '+ weekly'],
    ],
    [
      'a chain of names moves on',
      [cron('0 0 * * *', { slug: 'b', replaces: 'a' }), cron('0 1 * * *', { slug: 'c', replaces: 'b' })],
      [stored({ cron: '0 0 * * *' }, { slug: 'a' }), stored({ cron: '0 1 * * *' }, { slug: 'b' })],
      ['together', '~ b slug', '~ c slug'],
    ],
    [
      'two exchange their names',
      [cron('0 0 * * *', { slug: 'b', replaces: 'a' }), cron('0 1 * * *', { slug: 'a', replaces: 'b' })],
      [stored({ cron: '0 0 * * *' }, { slug: 'a' }), stored({ cron: '0 1 * * *' }, { slug: 'b' })],
      ['together', '~ b slug', '~ a slug'],
    ],
    [
      'two that have exchanged their names are let be',
      [cron('0 0 * * *', { slug: 'b', replaces: 'a' }), cron('0 1 * * *', { slug: 'a', replaces: 'b' })],
      [stored({ cron: '0 1 * * *' }, { slug: 'a' }), stored({ cron: '0 0 * * *' }, { slug: 'b' })],
      [undefined],
    ],
  ])('%s', (_name, desired, actual, expected) => {
    expect(planned(desired, actual)).toEqual(expected);
  });

  it('an interval keeps its anchor when something else of it changes', () => {
    const plan = planSchedules([times({ interval: 7200, timezone: 'UTC' }, { slug: 'hourly' })], [hourly()]);
    expect(plan?.how === 'together' && plan.list).toEqual([
      {
        schedule: { interval: 7200, anchor_date: '2026-01-02T03:04:05Z', timezone: 'UTC' },
        parameters: {},
        slug: 'hourly',
      },
    ]);
  });

  it('a renaming names the old slug once, and not when it was done before', () => {
    const list = (actual: ScheduleRecord[]) => {
      const plan = planSchedules([cron('0 5 * * *', { slug: 'daily', replaces: 'nightly' })], actual);
      return plan?.how === 'together' && plan.list;
    };
    expect(list([nightly()])).toMatchObject([{ slug: 'daily', replaces: 'nightly' }]);
    expect(list([stored({ cron: '0 0 * * *' }, { slug: 'daily' })])).toEqual([
      { schedule: { cron: '0 5 * * *', timezone: null, day_or: true }, parameters: {}, slug: 'daily' },
    ]);
  });

  it.each<[string, DesiredSchedule[], string]>([
    ['a schedule without a slug', [cron('@daily')], 'a schedule has no slug'],
    [
      'two that replace the same',
      [cron('@daily', { slug: 'a', replaces: 'nightly' }), cron('@daily', { slug: 'b', replaces: 'nightly' })],
      'two schedules replace nightly',
    ],
    ['a name that is taken', [cron('@daily', { slug: 'hourly', replaces: 'nightly' })], 'cannot be renamed to hourly'],
    [
      'an old name used again at once',
      [cron('@daily', { slug: 'a', replaces: 'nightly' }), cron('@daily', { slug: 'nightly' })],
      'the schedule nightly is renamed to a by another item',
    ],
  ])('refuses %s', (_name, desired, message) => {
    expect(refusal(desired, [nightly(), hourly()]).join()).toContain(message);
  });
});

describe('where a schedule on the server has no slug', () => {
  const daily = () => stored({ cron: '0 0 * * *' });
  const weekly = () => stored({ cron: '0 0 * * 0' });

  it.each<[string, DesiredSchedule[], ScheduleRecord[], [string | undefined, ...string[]]]>([
    ['there is nothing yet', [cron('@daily')], [], ['together', '+ cron @daily']],
    ['one left the file', [cron('0 0 * * *')], [weekly(), daily()], ['singly', '- cron 0 0 * * 0']],
    [
      'one changes and the other stays',
      [cron('0 0 * * *'), cron('0 6 * * 0')],
      [daily(), weekly()],
      ['singly', '~ cron 0 6 * * 0 cron'],
    ],
    [
      'only its parameters change',
      [cron('0 0 * * *', { parameters: { a: 1 } }), cron('0 0 * * 0')],
      [weekly(), daily()],
      ['singly', '~ cron 0 0 * * * parameters.a'],
    ],
    [
      'it is not clear which became which',
      [cron('1 0 * * *'), cron('2 0 * * *')],
      [daily(), weekly()],
      ['together', '+ cron 1 0 * * *', '+ cron 2 0 * * *', '- cron 0 0 * * *', '- cron 0 0 * * 0'],
    ],
    [
      'it becomes another kind',
      [times({ interval: 60, timezone: 'UTC' })],
      [daily()],
      ['together', '+ every 60 s', '- cron 0 0 * * *'],
    ],
    ['it gets a slug', [cron('0 0 * * *', { slug: 'nightly' })], [daily()], ['singly', '~ nightly slug']],
    [
      'a slug leaves the file',
      [cron('0 0 * * *'), cron('0 0 * * 0')],
      [stored({ cron: '0 0 * * *' }, { slug: 'nightly' }), weekly()],
      ['together', '+ cron 0 0 * * *', '- nightly'],
    ],
    [
      'slugs beside none are matched by slug',
      [cron('0 1 * * *', { slug: 'nightly' }), cron('0 0 * * 0')],
      [stored({ cron: '0 0 * * *' }, { slug: 'nightly' }), weekly()],
      ['singly', '~ nightly cron'],
    ],
    ['two are the same', [cron('0 0 * * *'), cron('0 0 * * *')], [daily(), daily()], [undefined]],
    ['one of the same too many', [cron('0 0 * * *')], [daily(), daily()], ['singly', '- cron 0 0 * * *']],
  ])('and %s', (_name, desired, actual, expected) => {
    expect(planned(desired, actual)).toEqual(expected);
  });

  it('those that the server makes anew keep their anchor, and stay inactive', () => {
    const anchor = '2026-01-02T03:04:05Z';
    const plan = planSchedules(
      [times({ interval: 60, timezone: 'UTC' }), cron('@daily')],
      [stored({ interval: 60, anchor_date: anchor }, { active: false })],
    );
    expect(plan?.how === 'together' && plan.list).toEqual([
      { schedule: { interval: 60, anchor_date: anchor, timezone: 'UTC' }, parameters: {}, active: false },
      { schedule: { cron: '@daily', timezone: null, day_or: true }, parameters: {} },
    ]);
  });
});
