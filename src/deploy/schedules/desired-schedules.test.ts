import { describe, expect, it } from 'vitest';
import type { Entry } from '../../project/model.ts';
import { projectFrom } from '../../project/testing-project.ts';
import { desiredSchedules } from './desired-schedules.ts';

/** The only entry of a prefect.yaml whose `schedules` are these lines. */
async function entryWith(...lines: string[]): Promise<Entry> {
  const project = await projectFrom(['deployments:', '- name: d', ...lines.map((line) => `  ${line}`), ''].join('\n'));
  const [entry] = project.entries;
  if (entry === undefined) throw new Error('no entry');
  return entry;
}

async function desired(...lines: string[]) {
  const entry = await entryWith(...lines);
  return desiredSchedules(entry.settings, entry);
}

const one = (item: string) => desired('schedules:', `- ${item}`);

describe('an item of schedules', () => {
  it.each<[string, object]>([
    ['cron: 0 0 * * *', { times: { cron: '0 0 * * *', timezone: null, day_or: true }, parameters: {} }],
    [
      '{cron: 0 0 * * *, timezone: Europe/Berlin, day_or: "no", active: "off"}',
      { times: { cron: '0 0 * * *', timezone: 'Europe/Berlin', day_or: false }, active: false, parameters: {} },
    ],
    ['{cron: "@daily", timezone: ""}', { times: { cron: '@daily', timezone: '', day_or: true }, parameters: {} }],
    ['interval: 3600', { times: { interval: 3600, timezone: 'UTC' }, parameters: {} }],
    ['interval: 01:30:00', { times: { interval: 5400, timezone: 'UTC' }, parameters: {} }],
    ['interval: P1DT0.5S', { times: { interval: 86400.5, timezone: 'UTC' }, parameters: {} }],
    [
      '{interval: 60, anchor_date: 2024-01-31}',
      { times: { interval: 60, anchor_date: '2024-01-31T00:00:00Z', timezone: 'UTC' }, parameters: {} },
    ],
    [
      '{interval: 60, anchor_date: "2024-01-31 09:30+02:00", timezone: Asia/Tokyo, slug: s, replaces: r}',
      {
        times: { interval: 60, anchor_date: '2024-01-31T09:30:00+02:00', timezone: 'Asia/Tokyo' },
        parameters: {},
        slug: 's',
        replaces: 'r',
      },
    ],
    [
      '{rrule: FREQ=DAILY, parameters: {a: [1]}}',
      { times: { rrule: 'FREQ=DAILY', timezone: 'UTC' }, parameters: { a: [1] } },
    ],
    [
      `{rrule: '{"rrule": "FREQ=DAILY", "timezone": "Asia/Tokyo"}'}`,
      { times: { rrule: 'FREQ=DAILY', timezone: 'Asia/Tokyo' }, parameters: {} },
    ],
    [
      `{rrule: '{"rrule": "FREQ=DAILY", "timezone": "Asia/Tokyo"}', timezone: UTC}`,
      { times: { rrule: 'FREQ=DAILY', timezone: 'UTC' }, parameters: {} },
    ],
    [
      '{cron: "@daily", slug: "", replaces: ""}',
      { times: { cron: '@daily', timezone: null, day_or: true }, parameters: {} },
    ],
    [
      '{cron: "{{ x.stdout }}", timezone: "{{ x.stdout }}", active: "{{ x.stdout }}"}',
      {
        times: { cron: '{{ x.stdout }}', timezone: '{{ x.stdout }}', day_or: true },
        active: '(known at deploy)',
        parameters: {},
      },
    ],
  ])('%s is wanted as the API has it', async (item, expected) => {
    const { schedules, problems } = await one(item);
    expect(problems).toEqual([]);
    expect(schedules).toEqual([{ ...expected, where: { file: 'project/prefect.yaml', line: 4, column: 5 } }]);
  });

  it.each<[string, string, number]>([
    ['{cron: 0 24 * * *}', 'schedules[0].cron "0 24 * * *" has "24" for the hour', 6],
    ['{cron: 0 0 * * *, timezone: europe/berlin}', '"europe/berlin" is no time zone', 23],
    ['{cron: 0 0 * * *, active: maybe}', 'schedules[0].active must be true or false, not "maybe"', 23],
    ['{cron: 0 0 * * *, day_or: both}', 'schedules[0].day_or must be true or false', 23],
    ['{interval: 0}', 'schedules[0].interval must be longer than 0 seconds', 6],
    ['{interval: -5}', 'schedules[0].interval must be longer than 0 seconds', 6],
    ['{interval: 60, anchor_date: tomorrow}', 'schedules[0].anchor_date "tomorrow" is no date', 20],
    ['{rrule: FREQ=FORTNIGHTLY}', 'schedules[0].rrule has "FREQ=FORTNIGHTLY": it is one of', 6],
    ['{rrule: "5"}', 'schedules[0].rrule is JSON, but not', 6],
    [`{rrule: '{"rule": "FREQ=DAILY"}'}`, 'schedules[0].rrule is JSON, but not', 6],
    [`{rrule: '{"rrule": "FREQ=DAILY", "timezone": "Mars"}'}`, '"Mars" is no time zone', 6],
    ['{rrule: FREQ=DAILY, timezone: ""}', '"" is no time zone', 25],
    ['{cron: ""}', 'schedules[0] has neither cron nor interval nor rrule', 5],
  ])('%s is refused at its key', async (item, message, column) => {
    const { problems } = await one(item);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain(message);
    expect(problems[0]?.message).toContain('deployment d: ');
    expect(problems[0]?.where).toEqual({ file: 'project/prefect.yaml', line: 4, column });
  });

  it('that is wrong in two places is told of both', async () => {
    const { problems } = await one('{cron: x, timezone: y}');
    expect(problems).toHaveLength(2);
  });

  it('cannot share its slug', async () => {
    const { problems } = await desired('schedules:', '- {cron: "@daily", slug: a}', '- {cron: "@hourly", slug: a}');
    expect(problems.map(({ message, where }) => [message, where?.line])).toEqual([
      ['deployment d: two schedules have the slug a', 5],
    ]);
  });
});

describe('schedules of an entry', () => {
  it.each<[string, string[]]>([
    ['no key', []],
    ['a null', ['schedules:']],
    ['an empty list', ['schedules: []']],
    ['an empty schedule', ['schedule: {}']],
  ])('are not managed with %s', async (_name, lines) => {
    expect(await desired(...lines)).toEqual({ schedules: undefined, problems: [] });
  });

  it('may be one, under the old key', async () => {
    const { schedules } = await desired('schedule: {cron: 0 0 * * *}');
    expect(schedules).toHaveLength(1);
    const { problems } = await desired('schedule: {cron: 0 24 * * *}');
    expect(problems[0]?.message).toContain('deployment d: schedule.cron "0 24 * * *" has');
    expect(problems[0]?.where).toEqual({ file: 'project/prefect.yaml', line: 3, column: 14 });
  });
});
