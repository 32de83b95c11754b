import {
  type PrefectApi,
  readDeploymentByName,
  readFlowRun,
  readFlowRuns,
  updateDeployment,
} from '@slipway/prefect/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { until } from '../journey/cluster.ts';
import { type Commit, type GitProject, makeGitProject } from '../journey/git-project.ts';
import { runStep } from '../journey/runner.ts';
import { openRigPrefect, soon } from './prefect.ts';

/** A project that builds nothing, in a pool that no worker serves: its runs wait for ever. */
const PREFECT_YAML = `
work_pools:
- name: nobody
  type: kubernetes

pull:
- prefect.deployments.steps.set_working_directory:
    directory: /opt/prefect/hello

deployments:
- name: waiting
  entrypoint: flows/hello.py:hello
  work_pool: {name: nobody}
`;

describe('runs', () => {
  const rig = inject('rig');
  let api: PrefectApi;
  let project: GitProject;
  let commit: Commit;

  const step = (inputs: Record<string, string>, cancel?: AbortSignal, onLine?: (line: string) => void) =>
    runStep({
      workspace: project.directory,
      sha: commit.sha,
      inputs: { 'prefect-api-url': rig.prefectApiUrl, ...inputs },
      env: rig.env,
      ...(cancel === undefined ? {} : { cancel }),
      ...(onLine === undefined ? {} : { onLine }),
    });
  const runsOfPool = async () => (await readFlowRuns(api, { workPoolName: 'nobody' }, soon())).map((run) => run.id);

  beforeAll(async () => {
    api = openRigPrefect(rig.prefectApiUrl);
    project = await makeGitProject('hello');
    const source = (await project.read('flows/hello.py')).replace('@flow(', '@flow(name="waiting-flow", ');
    commit = await project.commit('Wait', { 'prefect.yaml': PREFECT_YAML, 'flows/hello.py': source });
    const deployed = await step({});
    expect(deployed.exitCode, deployed.log).toBe(0);
  });
  afterAll(async () => {
    await project.remove();
    await api.close();
  });

  it('that nobody takes fail the step after the timeout, say where to look, and are cancelled', async () => {
    const result = await step({ run: 'waiting', wait: 'true', 'run-timeout': '3s' });
    expect(result.exitCode, result.log).toBe(1);
    const [error] = result.annotations.filter((one) => one.level === 'error');
    expect(error?.message).toMatch(/did not finish within/i);
    expect(error?.message).toContain('nobody');
    const [run] = JSON.parse(result.outputs.runs ?? '') as { id: string }[];
    expect((await readFlowRun(api, run?.id ?? '', soon())).state_type).toBe('CANCELLED');
  });

  it('are only started when they are not waited for', async () => {
    const before = await runsOfPool();
    const result = await step({ run: 'waiting-flow/waiting {"name": "Zaphod"}' });
    expect(result.exitCode, result.log).toBe(0);
    const [run] = JSON.parse(result.outputs.runs ?? '') as { id: string; state: null }[];
    expect(run?.state).toBeNull();
    expect(await runsOfPool()).toHaveLength(before.length + 1);
    const record = await readFlowRun(api, run?.id ?? '', soon());
    expect(record.parameters).toEqual({ name: 'Zaphod' });
    expect(record.state_type).toBe('SCHEDULED');
  });

  it('are cancelled when the job is cancelled', async () => {
    const before = new Set(await runsOfPool());
    const cancel = new AbortController();
    const result = await step({ run: 'waiting', wait: 'true' }, cancel.signal, (line) => {
      if (line.includes('started waiting-flow/waiting')) setTimeout(() => cancel.abort(), 500);
    });
    expect(result.exitCode).toBe(1);
    const [id] = (await runsOfPool()).filter((one) => !before.has(one));
    const state = await until(
      'the run is cancelled',
      async () => {
        const { state_type } = await readFlowRun(api, id ?? '', soon());
        return state_type === 'CANCELLED' ? state_type : undefined;
      },
      { timeoutMs: 15_000 },
    );
    expect(state).toBe('CANCELLED');
  });

  it.each([
    ['a deployment that does not exist', 'nowhere/never', 'there is no such deployment'],
    ['a name that is not of this project', 'never', 'there is no such deployment'],
    ['a parameter that the flow does not have', 'waiting {"nmae": "x"}', 'has no parameter nmae'],
    ['a parameter of the wrong type', 'waiting {"name": 5}', 'refused to start'],
  ])('of %s are refused, and none is started', async (_name, run, message) => {
    const before = await runsOfPool();
    const result = await step({
      run: `waiting\n${run}`.replace(/^waiting\n(?=waiting \{"name": 5\})/, ''),
      wait: 'true',
      'run-timeout': '5s',
    });
    expect(result.exitCode, result.log).toBe(1);
    expect(result.annotations.map((one) => one.message).join('\n')).toContain(message);
    expect(await runsOfPool()).toEqual(before);
  });

  it('do not undo what somebody paused in the UI', async () => {
    const found = await readDeploymentByName(api, 'waiting-flow', 'waiting', soon());
    await updateDeployment(api, found?.id ?? '', { paused: true }, soon());
    const result = await step({});
    expect(result.outputs.changed).toBe('false');
    expect((await readDeploymentByName(api, 'waiting-flow', 'waiting', soon()))?.paused).toBe(true);
  });
});
