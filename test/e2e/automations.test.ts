import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  type AutomationRecord,
  createAutomation,
  deleteAutomation,
  type PrefectApi,
  readAutomations,
  readDeploymentByName,
} from '@slipway/prefect/client';
import type { JsonObject } from '@slipway/prefect/json';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { comparable } from '../../src/deploy/automation.ts';
import { type GitProject, makeGitProject } from '../journey/git-project.ts';
import { openRecordingProxy, type RecordingProxy } from '../journey/recording-proxy.ts';
import { runStep, type StepResult } from '../journey/runner.ts';
import { openRigPrefect, soon } from './prefect.ts';

const EVENT = `
  - match: {prefect.resource.id: "prefect.flow-run.*"}
    match_related: {prefect.resource.name: ["x-{{ $TEAM }}", upstream], prefect.resource.role: flow}
    expect: [prefect.flow-run.Completed, prefect.flow-run.Failed]
    for_each: [prefect.resource.id]
    threshold: 2
    within: 60
    parameters: {name: "{{ event.resource.name }}"}
    schedule_after: PT1M`;
const COMPOUND = `
  - name: both
    description: both at once
    require: all
    within: 90
    triggers: [{expect: [a]}, {expect: [b], posture: Proactive, within: 30}]`;
const SEQUENCE = `
  - {enabled: false, triggers: [{expect: [first]}, {expect: [second]}]}`;

function prefectYaml(name: string, triggers: string): string {
  return `
work_pools:
- {name: automations, type: process}
pull:
- prefect.deployments.steps.set_working_directory: {directory: /opt/flows}
deployments:
- name: ${name}
  entrypoint: flows/automated.py:automated
  work_pool: {name: automations}
${triggers === '' ? '' : `  triggers:${triggers}`}
`;
}

/** What `triggers` come to on a real server, beside what the real `prefect deploy` makes of the same file. */
describe('triggers', () => {
  const rig = inject('rig');
  let api: PrefectApi;
  let project: GitProject;
  let proxy: RecordingProxy;
  let home: string;
  const sentSlas: unknown[] = [];

  beforeAll(async () => {
    api = openRigPrefect(rig.prefectApiUrl);
    // What Prefect Cloud has beyond a server of one's own; only a run that takes the proxy for Cloud asks for it.
    proxy = await openRecordingProxy(rig.prefectApiUrl, (_method, url, body) => {
      if (!url.startsWith('/api/slas/')) return undefined;
      const names = (JSON.parse(body) as { name: string }[]).map(({ name }) => ({ name }));
      sentSlas.push(JSON.parse(body));
      return { created: names, updated: [], deleted: [] };
    });
    project = await makeGitProject('hello');
    home = await mkdtemp(join(tmpdir(), 'prefect-home-'));
  });
  afterAll(async () => {
    await Promise.all([api.close(), proxy.close(), project.remove(), rm(home, { recursive: true, force: true })]);
  });

  async function write(name: string, triggers: string): Promise<string> {
    const source = 'from prefect import flow\n\n\n@flow\ndef automated(name="world"):\n    pass\n';
    const files = { 'prefect.yaml': prefectYaml(name, triggers), 'flows/automated.py': source };
    return (await project.commit('Next', { ...files, 'note.txt': String(Math.random()) })).sha;
  }

  /** Deploys by the action; the plan's automations as `action name`, and the requests that wrote. */
  async function deploy(triggers: string, more: Record<string, string> = {}) {
    proxy.taken();
    const result: StepResult = await runStep({
      workspace: project.directory,
      sha: await write('ours', triggers),
      env: { ...rig.env, TEAM: 'data' },
      inputs: { 'prefect-api-url': proxy.url, ...more },
    });
    expect(result.exitCode, result.log).toBe(0);
    const { automations } = JSON.parse(result.outputs.plan ?? '') as {
      automations: { action: string; name: string }[];
    };
    const writes = proxy.taken().filter((one) => !one.startsWith('GET ') && !one.endsWith('/filter'));
    const ofAutomations = writes.filter((one) => one.includes('/automations/'));
    return { planned: automations.map(({ action, name }) => `${action} ${name}`), ofAutomations, writes, result };
  }

  async function deployByPrefect(triggers: string): Promise<void> {
    await write('theirs', triggers);
    const bin = join(rig.prefectEnvironment, 'bin');
    await promisify(execFile)(join(bin, 'prefect'), ['--no-prompt', 'deploy', '--all'], {
      cwd: project.directory,
      env: {
        PATH: `${bin}:${process.env.PATH}`,
        HOME: home,
        PREFECT_HOME: home,
        TEAM: 'data',
        PREFECT_API_URL: rig.prefectApiUrl,
      },
      timeout: 120_000,
    });
  }

  async function idOf(name: string): Promise<string> {
    return (await readDeploymentByName(api, 'automated', name, soon()))?.id ?? '';
  }

  async function automationsOf(name: string): Promise<AutomationRecord[]> {
    const id = await idOf(name);
    const all = (await readAutomations(api, soon())) ?? [];
    return all.filter(({ actions }) => actions.some((action) => action.deployment_id === id));
  }

  /** Both sides' automations, without ids, under names that do not tell them apart. */
  async function sides(): Promise<[JsonObject[], JsonObject[]]> {
    const read = async (name: string) => {
      const id = await idOf(name);
      const found = (await automationsOf(name)).map(({ id: _id, created: _created, ...rest }) => comparable(rest));
      const text = JSON.stringify(found).replaceAll(id, 'DEPLOYMENT').replaceAll(`${name}__`, 'default__');
      return (JSON.parse(text) as JsonObject[]).sort((a, b) => String(a.name).localeCompare(String(b.name)));
    };
    return [await read('ours'), await read('theirs')];
  }

  it('become the automations that Prefect makes of them', async () => {
    const { planned, ofAutomations } = await deploy(EVENT + COMPOUND + SEQUENCE);
    expect(planned).toEqual(['create ours__automation_1', 'create both', 'create ours__automation_3']);
    expect(ofAutomations).toEqual(Array(3).fill('POST /api/automations/'));
    await deployByPrefect(EVENT + COMPOUND + SEQUENCE);
    const [ours, theirs] = await sides();
    expect(ours).toHaveLength(3);
    expect(ours).toEqual(theirs);
  });

  it('that have not changed are not written, nor in a plan', async () => {
    const { planned, ofAutomations } = await deploy(EVENT + COMPOUND + SEQUENCE);
    expect(planned).toEqual(['unchanged ours__automation_1', 'unchanged both', 'unchanged ours__automation_3']);
    expect(ofAutomations).toEqual([]);
    const { writes, result } = await deploy(EVENT, { mode: 'plan' });
    expect(writes).toEqual([]);
    expect(result.log).toContain('- automation ours__automation_3 of automated/ours (remove)');
  });

  it('are changed in their place', async () => {
    const changed = EVENT.replace('threshold: 2', 'threshold: 3') + COMPOUND + SEQUENCE.replace('enabled: false, ', '');
    const before = new Set((await automationsOf('ours')).map(({ id }) => id));
    const { planned, ofAutomations } = await deploy(changed);
    expect(planned).toEqual(['change ours__automation_1', 'unchanged both', 'change ours__automation_3']);
    expect(ofAutomations.map((one) => one.split(' ')[0])).toEqual(['PUT', 'PUT']);
    expect(new Set((await automationsOf('ours')).map(({ id }) => id))).toEqual(before);
    await deployByPrefect(changed);
    const [ours, theirs] = await sides();
    expect(ours).toEqual(theirs);
  });

  it('that are renamed or new take the place of the old ones before these go', async () => {
    const renamed = EVENT + COMPOUND.replace('name: both', 'name: together') + SEQUENCE;
    const { ofAutomations } = await deploy(renamed);
    const deletion = ofAutomations.findIndex((one) => one.includes('/owned-by/'));
    expect(ofAutomations.slice(0, deletion)).toEqual(Array(3).fill('POST /api/automations/'));
    expect((await automationsOf('ours')).map(({ name }) => name).sort()).toEqual([
      'ours__automation_1',
      'ours__automation_3',
      'together',
    ]);
  });

  it('that have left the file are removed, and nobody else’s', async () => {
    const id = await idOf('ours');
    const [kept] = await automationsOf('ours');
    const { id: _id, created: _created, ...body } = kept as AutomationRecord;
    const foreign = await createAutomation(api, { ...body, name: 'made in the UI' } as JsonObject, soon());
    const { ofAutomations, result } = await deploy('');
    expect(ofAutomations).toContain(`DELETE /api/automations/owned-by/prefect.deployment.${id}`);
    expect(result.log).toContain('removed automation together of automated/ours');
    expect((await automationsOf('ours')).map(({ name }) => name)).toEqual(['made in the UI']);
    await deleteAutomation(api, foreign.id, soon());
    expect((await deploy('')).ofAutomations).toEqual([]);
  });

  it('that are wrong stop everything, at their line', async () => {
    const name = 'ours';
    const result = await runStep({
      workspace: project.directory,
      sha: await write(name, '\n  - {expect: [a], within: -1}\n'),
      env: { ...rig.env },
      inputs: { 'prefect-api-url': rig.prefectApiUrl },
    });
    expect(result.exitCode).toBe(1);
    expect(result.annotations).toMatchObject([
      {
        message: expect.stringContaining(
          'triggers[0].within must be a duration of 0 seconds or more, not the number -1',
        ),
        properties: { file: 'prefect.yaml', line: '11' },
      },
    ]);
  });

  const SLA = '\n  sla: [{name: slow, duration: 60, severity: high}]';

  it('beside `sla` go to Prefect Cloud, SLAs as a list of their own', async () => {
    const result = await runStep({
      workspace: project.directory,
      sha: await write('ours', EVENT + SLA),
      env: { ...rig.env, TEAM: 'data', PREFECT_CLOUD_API_URL: proxy.url },
      inputs: { 'prefect-api-url': proxy.url, 'prefect-api-key': 'pnu_key' },
    });
    expect(result.exitCode, result.log).toBe(0);
    const owner = `prefect.deployment.${await idOf('ours')}`;
    expect(sentSlas).toEqual([[{ name: 'slow', duration: 60, severity: 'high', owner_resource: owner }]]);
    expect(result.log).toContain('created SLA slow of automated/ours');
  });

  it('beside `sla` on a server of one’s own are refused before anything is written', async () => {
    proxy.taken();
    const result = await runStep({
      workspace: project.directory,
      sha: await write('ours', SEQUENCE + SLA),
      env: rig.env,
      inputs: { 'prefect-api-url': proxy.url },
    });
    expect(result.exitCode).toBe(1);
    expect(result.annotations).toMatchObject([
      { message: expect.stringContaining('`sla` needs Prefect Cloud'), properties: { line: '12' } },
    ]);
    expect(proxy.taken().filter((one) => /^(?:PATCH|PUT|DELETE) |automations\//.test(one))).toEqual([]);
  });
});
