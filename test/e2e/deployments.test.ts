import { type DeploymentRecord, type PrefectApi, readDeploymentByName } from '@slipway/prefect/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type GitProject, makeGitProject } from '../journey/git-project.ts';
import { runStep, type StepResult } from '../journey/runner.ts';
import { openRigPrefect, soon } from './prefect.ts';

/** Its function is called `hello`, so that a name made of the function's would be noticed. */
const FLOW = 'An important name';

const HEAD = `
work_pools:
- {name: fields, type: kubernetes}
- {name: fields-default, type: kubernetes}
pull:
- prefect.deployments.steps.set_working_directory: {directory: "/opt/{{ sha.stdout }}"}
- prefect.deployments.steps.git_clone:
    repository: https://github.com/acme/hello.git
    branch: "{{ later.branch }}"
    access_token: "{{ prefect.blocks.secret.not-there }}"
`;

const BUILD = `
build:
- prefect.deployments.steps.run_shell_script: {id: sha, script: echo abc123}
- prefect.deployments.steps.run_shell_script: {id: env, script: printenv FROM_ENV, env: {FROM_ENV: "{{ $TEAM }}"}}
`;

const ENV = {
  TEAM: 'data',
  POOL: 'fields',
  MY_TAGS: 'b,2',
  PREFECT_DEFAULT_WORK_POOL_NAME: 'fields-default',
};

/** What prefect.yaml says of deployments, and what a real server then has of them (contracts/deploy.md §8). */
describe('deployments of prefect.yaml', () => {
  const rig = inject('rig');
  let api: PrefectApi;
  let project: GitProject;
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

  async function step(deployments: string, inputs: Record<string, string> = {}, build = BUILD): Promise<StepResult> {
    serial += 1;
    const commit = await project.commit(`Deploy ${serial}`, {
      'prefect.yaml': `${HEAD}${build}deployments:\n${deployments}`,
      'note.txt': String(serial),
    });
    return await runStep({
      workspace: project.directory,
      sha: commit.sha,
      inputs: { 'prefect-api-url': rig.prefectApiUrl, ...inputs },
      env: { ...rig.env, ...ENV },
    });
  }

  /** Deploys one entry of this name with these lines, and reads what the server has. */
  async function deployed(name: string, ...lines: string[]): Promise<DeploymentRecord> {
    const entry = [`- name: ${name}`, 'entrypoint: flows/hello.py:hello', 'work_pool: {name: fields}', ...lines];
    const result = await step(`${entry.join('\n  ')}\n`);
    expect(result.exitCode, result.log).toBe(0);
    return await stored(name);
  }

  async function stored(name: string): Promise<DeploymentRecord> {
    const found = await readDeploymentByName(api, FLOW, name, soon());
    if (found === undefined) throw new Error(`there is no deployment ${name}`);
    return found;
  }

  it('are stored as written, with outputs, environment and the worker’s own templates each in their place', async () => {
    const result = await step(`
- name: "{{ $TEAM }}-whole"
  entrypoint: flows/hello.py:hello
  version: 1.0.0
  description: Greets {{ $TEAM }}.
  tags: [foo-bar, "{{ sha.stdout }}", "x-{{ env.stdout }}"]
  parameters: {name: "{{ sha.stdout }}"}
  work_pool:
    name: "{{ $POOL }}"
    work_queue_name: high
    job_variables:
      env: {FROM_STEP: "{{ env.stdout }}", RUN: "{{ ctx.flow_run.name }}"}
      image: "{{ this-is-wrong }}"
- name: characters
  entrypoint: flows/hello.py:hello
  tags: "{{ $MY_TAGS }}"
`);
    expect(result.exitCode, result.log).toBe(0);
    expect(await stored('data-whole')).toMatchObject({
      version: '1.0.0',
      description: 'Greets data.',
      tags: ['foo-bar', 'abc123', 'x-data'],
      parameters: { name: 'abc123' },
      work_pool_name: 'fields',
      work_queue_name: 'high',
      job_variables: { env: { FROM_STEP: 'data', RUN: '{{ ctx.flow_run.name }}' } },
      entrypoint: 'flows/hello.py:hello',
      enforce_parameter_schema: true,
      paused: false,
      pull_steps: [
        { 'prefect.deployments.steps.set_working_directory': { directory: '/opt/abc123' } },
        {
          'prefect.deployments.steps.git_clone': {
            repository: 'https://github.com/acme/hello.git',
            branch: '{{ later.branch }}',
            access_token: '{{ prefect.blocks.secret.not-there }}',
          },
        },
      ],
    });
    expect((await stored('data-whole')).job_variables).not.toHaveProperty('image');
    expect(await stored('characters')).toMatchObject({
      tags: ['b', ',', '2'],
      work_pool_name: 'fields-default',
      work_queue_name: 'default',
    });
    const warnings = result.annotations.filter(({ message }) => message.includes('this-is-wrong'));
    expect(warnings).toMatchObject([{ level: 'warning', properties: { file: 'prefect.yaml' } }]);
  });

  it('keep enforce_parameter_schema as the server has it when the key has left the file', async () => {
    expect(await deployed('enforcing', 'enforce_parameter_schema: false')).toMatchObject({
      enforce_parameter_schema: false,
    });
    expect(await deployed('enforcing')).toMatchObject({ enforce_parameter_schema: false });
    expect(await deployed('enforcing', 'enforce_parameter_schema: true')).toMatchObject({
      enforce_parameter_schema: true,
    });
  });

  it('have a concurrency limit with its strategy, which stays when the key has left the file', async () => {
    const limited = await deployed(
      'limited',
      'concurrency_limit: {limit: 42, collision_strategy: CANCEL_NEW, grace_period_seconds: 90}',
    );
    expect(limited).toMatchObject({
      global_concurrency_limit: { limit: 42 },
      concurrency_options: { collision_strategy: 'CANCEL_NEW', grace_period_seconds: 90 },
    });
    expect(await deployed('limited')).toMatchObject({ global_concurrency_limit: { limit: 42 } });
    expect(await deployed('limited', 'concurrency_limit: 3')).toMatchObject({ global_concurrency_limit: { limit: 3 } });
    expect((await deployed('limited', 'concurrency_limit: null')).global_concurrency_limit ?? null).toBeNull();
  });

  it('lose job variables that have left the file, to the last one', async () => {
    const with_ = (variables: string) => `work_pool: {name: fields, job_variables: ${variables}}`;
    const first = await step(`- {name: fewer, entrypoint: "flows/hello.py:hello", ${with_('{image: a, name: b}')}}\n`);
    expect(first.exitCode, first.log).toBe(0);
    expect((await stored('fewer')).job_variables).toEqual({ image: 'a', name: 'b' });
    await step(`- {name: fewer, entrypoint: "flows/hello.py:hello", ${with_('{image: a}')}}\n`);
    expect((await stored('fewer')).job_variables).toEqual({ image: 'a' });
    await step(`- {name: fewer, entrypoint: "flows/hello.py:hello", ${with_('{}')}}\n`);
    expect((await stored('fewer')).job_variables).toEqual({});
  });

  it('are chosen by patterns, whose flow may be called by its function’s name', async () => {
    const entries = ['chosen-1', 'chosen-2', 'left-alone']
      .map((name) => `- {name: ${name}, entrypoint: "flows/hello.py:hello", work_pool: {name: fields}}\n`)
      .join('');
    for (const names of ['hello/chosen-*', `${FLOW}/*1\nchosen-2`]) {
      const result = await step(entries, { deployments: names });
      expect(result.exitCode, result.log).toBe(0);
      const { deployments } = JSON.parse(result.outputs.plan ?? '') as { deployments: { name: string }[] };
      expect(deployments.map(({ name }) => name)).toEqual([`${FLOW}/chosen-1`, `${FLOW}/chosen-2`]);
    }
    expect(await readDeploymentByName(api, FLOW, 'left-alone', soon())).toBeUndefined();
  });

  it('are not written at all when a pattern or a name finds none', async () => {
    const entries = ['never-1', 'never-2']
      .map((name) => `- {name: ${name}, entrypoint: "flows/hello.py:hello", work_pool: {name: fields}}\n`)
      .join('');
    const result = await step(entries, { deployments: 'never-1\nnv*\nnever-3' });
    expect(result.exitCode).toBe(1);
    const errors = result.annotations.filter(({ level }) => level === 'error').map(({ message }) => message);
    expect(errors).toEqual([expect.stringContaining('nv*'), expect.stringContaining('never-3')]);
    expect(await readDeploymentByName(api, FLOW, 'never-1', soon())).toBeUndefined();
  });

  it('may have names that an address has to spell otherwise', async () => {
    const name = 'a b?c#d ü"+';
    const described = (text: string) =>
      step(`- {name: ${JSON.stringify(name)}, entrypoint: "flows/hello.py:hello", description: ${text}}\n`);
    expect((await described('one')).exitCode).toBe(0);
    expect((await described('two')).exitCode).toBe(0);
    expect(await stored(name)).toMatchObject({ name, description: 'two' });
  });

  it('are not registered when a step of theirs fails', async () => {
    const failing = 'build: [{prefect.deployments.steps.run_shell_script: {script: cat not-there}}]\n';
    const entry = '- {name: failed, entrypoint: "flows/hello.py:hello", work_pool: {name: fields}}\n';
    const result = await step(entry, {}, failing);
    expect(result.exitCode).toBe(1);
    expect(result.annotations.map(({ message }) => message).join('\n')).toContain('not-there');
    expect(await readDeploymentByName(api, FLOW, 'failed', soon())).toBeUndefined();
  });
});
