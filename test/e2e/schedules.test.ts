import { type DeploymentRecord, type PrefectApi, readDeploymentByName } from '@slipway/prefect/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type GitProject, makeGitProject } from '../journey/git-project.ts';
import { runStep, type StepResult } from '../journey/runner.ts';
import { openRigPrefect, soon } from './prefect.ts';

const FLOW = 'scheduled';

/** A project without an image, so that a deploy is nothing but reading and writing. */
function prefectYaml(name: string, schedules: string): string {
  return `
work_pools:
- {name: schedules, type: kubernetes}
pull:
- prefect.deployments.steps.set_working_directory: {directory: /opt/prefect/hello}
deployments:
- name: ${name}
  version: '1'
  entrypoint: flows/hello.py:hello
  work_pool: {name: schedules}
${schedules}`;
}

/** Schedules from the first deploy to the last, told in order: each test goes on where the one before it ended. */
describe('schedules of prefect.yaml', () => {
  const rig = inject('rig');
  let api: PrefectApi;
  let project: GitProject;
  let name = 'with-slugs';
  let serial = 0;

  beforeAll(async () => {
    api = openRigPrefect(rig.prefectApiUrl);
    project = await makeGitProject('hello');
    const source = (await project.read('flows/hello.py')).replace('@flow(', `@flow(name="${FLOW}", `);
    await project.commit('Begin', { 'flows/hello.py': source });
  });
  afterAll(async () => {
    await project.remove();
    await api.close();
  });

  async function step(schedules: string): Promise<StepResult> {
    serial += 1;
    const commit = await project.commit(`Deploy ${serial}`, {
      'prefect.yaml': prefectYaml(name, schedules),
      'note.txt': String(serial),
    });
    return await runStep({
      workspace: project.directory,
      sha: commit.sha,
      inputs: { 'prefect-api-url': rig.prefectApiUrl },
      env: rig.env,
    });
  }

  /** Deploys, and tells what the plan said of schedules. */
  async function deploy(...lines: string[]): Promise<string[]> {
    const result = await step(lines.map((line) => `  ${line}\n`).join(''));
    expect(result.exitCode, result.log).toBe(0);
    const plan = JSON.parse(result.outputs.plan ?? '') as { deployments: { changes?: { field: string }[] }[] };
    return (plan.deployments[0]?.changes ?? [])
      .map((change) => change.field)
      .filter((field) => field.startsWith('schedules.'));
  }

  async function deployment(): Promise<DeploymentRecord> {
    const found = await readDeploymentByName(api, FLOW, name, soon());
    if (found === undefined) throw new Error('there is no deployment');
    return found;
  }

  /** The schedules by slug, each with its id. */
  async function stored() {
    return new Map((await deployment()).schedules.map((schedule) => [schedule.slug, schedule]));
  }

  const first = [
    'schedules:',
    '- {cron: 0 0 * * *, timezone: America/New_York, slug: nightly, active: false, parameters: {name: Zaphod}}',
    '- {interval: PT1H, slug: hourly}',
    '- {rrule: FREQ=MINUTELY;INTERVAL=7;BYHOUR=9, slug: rule}',
  ];

  it('are created with the deployment', async () => {
    await deploy(...first);
    const schedules = await stored();
    expect([...schedules.keys()].sort()).toEqual(['hourly', 'nightly', 'rule']);
    expect(schedules.get('nightly')).toMatchObject({
      schedule: { cron: '0 0 * * *', timezone: 'America/New_York', day_or: true },
      active: false,
      parameters: { name: 'Zaphod' },
    });
    expect(Number(schedules.get('hourly')?.schedule.interval)).toBe(3600);
    expect(schedules.get('rule')?.schedule.rrule).toMatch(/^DTSTART:\d{8}T\d{6}\nFREQ=MINUTELY;INTERVAL=7;BYHOUR=9$/);
  });

  it('are not written when the file says the same', async () => {
    const before = await deployment();
    expect(await deploy(...first)).toEqual([]);
    expect((await deployment()).schedules).toEqual(before.schedules);
  });

  it('change one by one: the others, their ids and the anchor stay', async () => {
    const before = await stored();
    const changes = await deploy('schedules:', '- {interval: 7200, slug: hourly}', '- {cron: "@weekly", slug: new}');
    expect(changes).toEqual(['schedules.hourly.interval', 'schedules.new']);
    const after = await stored();
    expect(after.get('nightly')).toEqual(before.get('nightly'));
    expect(after.get('rule')).toEqual(before.get('rule'));
    expect(after.get('hourly')).toMatchObject({
      id: before.get('hourly')?.id,
      schedule: { anchor_date: before.get('hourly')?.schedule.anchor_date },
    });
    expect(after.get('new')).toMatchObject({ active: true, schedule: { cron: '@weekly' } });
  });

  it('take the place of others in a chain of names, and only once', async () => {
    const before = await stored();
    const renamed = [
      'schedules:',
      '- {interval: 7200, slug: new, replaces: hourly}',
      '- {cron: "@weekly", slug: weekly, replaces: new}',
    ];
    expect(await deploy(...renamed)).toEqual(['schedules.new.slug', 'schedules.weekly.slug']);
    const after = await stored();
    expect(after.get('new')?.id).toBe(before.get('hourly')?.id);
    expect(after.get('weekly')?.id).toBe(before.get('new')?.id);
    expect(await deploy(...renamed)).toEqual([]);
    expect(await stored()).toEqual(after);
  });

  it.each([
    ['the key is gone', []],
    ['the list is empty', ['schedules: []']],
  ])('stay when %s, as with Prefect’s CLI', async (_name, lines) => {
    const before = await stored();
    expect(await deploy(...lines)).toEqual([]);
    expect(await stored()).toEqual(before);
  });

  it('cannot lose their slugs', async () => {
    const before = await deployment();
    const result = await step('  schedules:\n  - {cron: "@daily"}\n');
    expect(result.exitCode).toBe(1);
    expect(result.annotations.filter((one) => one.level === 'error')).toMatchObject([
      { message: expect.stringContaining('schedule has no slug'), properties: { file: 'prefect.yaml', line: '12' } },
    ]);
    expect(await deployment()).toEqual(before);
  });

  it('that are wrong are refused at their place before anything is written', async () => {
    const before = await deployment();
    const result = await step('  version_type: prefect:simple\n  schedules:\n  - {cron: 0 24 * * *, timezone: utc}\n');
    expect(result.exitCode).toBe(1);
    expect(result.annotations.filter((one) => one.level === 'error')).toMatchObject([
      { properties: { file: 'prefect.yaml', line: '13', col: '6' } },
      { properties: { file: 'prefect.yaml', line: '13', col: '24' } },
    ]);
    expect(await deployment()).toEqual(before);
  });

  describe('without slugs', () => {
    beforeAll(() => {
      name = 'without-slugs';
    });

    it('are created, and then not written when the file says the same', async () => {
      const list = ['schedules:', '- cron: 0 0 * * *', '- interval: 60', '- rrule: FREQ=DAILY;BYHOUR=9'];
      await deploy(...list);
      const before = await deployment();
      expect(before.schedules).toHaveLength(3);
      expect(await deploy(...list)).toEqual([]);
      expect((await deployment()).schedules).toEqual(before.schedules);
    });

    it('change and go one by one: what stays keeps its id', async () => {
      const id = async (kind: string) => (await deployment()).schedules.find((one) => kind in one.schedule)?.id;
      const before = { cron: await id('cron'), interval: await id('interval') };
      expect(await deploy('schedules:', '- cron: 0 6 * * *', '- interval: 60')).toEqual([
        'schedules.cron 0 6 * * *.cron',
        'schedules.rrule DTSTART:20200101T000000 FREQ=DAILY;BYHOUR=9',
      ]);
      expect({ cron: await id('cron'), interval: await id('interval') }).toEqual(before);
      expect((await deployment()).schedules).toHaveLength(2);
    });

    it('are replaced by another list, and an anchor that is not written stays', async () => {
      const anchor = async () => (await deployment()).schedules.find((one) => 'interval' in one.schedule)?.schedule;
      const before = await anchor();
      await deploy('schedules:', '- {cron: "@daily", slug: daily}', '- interval: 60', '- rrule: FREQ=WEEKLY');
      expect(await anchor()).toEqual(before);
      expect((await stored()).get('daily')?.schedule).toMatchObject({ cron: '@daily' });
      expect((await deployment()).schedules).toHaveLength(3);
    });
  });
});
