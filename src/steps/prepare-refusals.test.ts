import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { problemsOf } from '../problem.ts';
import { prepare } from './prepare.ts';
import { CHANGE, PUSH, prepared, problemsIn, SHELL } from './testing-prepare.ts';
import { makeDirectory, testContext } from './testing-run.ts';

describe('steps that cannot run', () => {
  it('are all named before any step runs, once each', async () => {
    const directory = await makeDirectory();
    const text = `build:
- ${SHELL}: {script: touch made}
- prefect_aws.deployments.steps.push_to_s3: {id: up, requires: "prefect-aws>=0.5", bucket: b}
- ${SHELL}: {scripts: echo}
- my_team.steps.notify: {}
deployments:
- name: x
- name: y
  push: [{${PUSH}: {image_name: a, force: true}}]
`;
    expect(await problemsIn(text, { directory, env: { PATH: directory } })).toEqual([
      '3:3 the step push_to_s3 (id up) is prefect_aws.deployments.steps.push_to_s3, which runs in Python, and there is none on the PATH',
      '4:3 the step run_shell_script does not take the input scripts',
      '4:3 the step run_shell_script has no script',
      '5:3 the step notify is my_team.steps.notify, which runs in Python, and there is none on the PATH',
      '9:11 the step push_docker_image does not take the input force',
    ]);
    expect(await readdir(directory)).toEqual([]);
  });

  it.each([
    ['prefect_aws.deployments.steps.push_to_s3', /aws s3 sync/],
    ['prefect_gcp.deployments.steps.push_to_gcs', /gcloud storage rsync/],
    ['prefect_azure.deployments.steps.push_to_azure_blob_storage', /az storage blob/],
    ['prefect.deployments.steps.pull_with_block', /move it to `pull:`/],
    ['my_team.steps.notify', /in a workflow step before .* with my-team installed/],
  ])('come with an alternative: %s', async (name, remedy) => {
    const text = `build: [{${name}: {}}]\ndeployments: [{name: x}]`;
    const thrown = await prepared(text, { env: { PATH: '/nowhere' } }).catch((error: unknown) => error);
    expect(problemsOf(thrown)?.[0]?.remedy).toMatch(remedy);
  });

  it('stop the run at the first that fails, naming it and its place', async () => {
    const text = `build:
- ${SHELL}: {script: "true"}
- ${SHELL}: {id: bad, script: "sh -c 'echo broken >&2; exit 4'"}
- ${SHELL}: {script: touch made}
deployments: [{name: x}]
`;
    const directory = await makeDirectory();
    expect(await problemsIn(text, { directory })).toEqual([
      `3:3 the step run_shell_script (id bad) failed with exit code 4 at "sh -c 'echo broken >&2; exit 4'": broken`,
    ]);
    expect(await readdir(directory)).toEqual([]);
  });

  it.each([
    ['a directory that is not there', `${CHANGE}: {directory: nope}`, /cannot work in .*\/nope, which does not exist/],
    ['a file as directory', `${CHANGE}: {directory: file}`, /cannot work in .*\/file, which is no directory/],
    [
      'an input that came to nothing',
      `${SHELL}: {script: "{{ nope }}"}`,
      /has no script: what it refers to has no value/,
    ],
    ['an input of the wrong kind', `${SHELL}: {script: [a]}`, /cannot take its input script/],
    ['a block that does not exist', `${SHELL}: {script: "{{ prefect.blocks.secret.no }}"}`, /There is no block "no"/],
  ])('say why: %s', async (_what, step, message) => {
    const directory = await makeDirectory();
    await writeFile(join(directory, 'file'), '');
    expect((await problemsIn(`build:\n- ${step}\ndeployments: [{name: x}]`, { directory }))[0]).toMatch(message);
  });

  it('do not start once the job is cancelled', async () => {
    const context = await testContext({ text: `build: [{${SHELL}: {script: echo}}]\ndeployments: [{name: x}]` });
    const world = { ...context.world, signal: AbortSignal.abort(new Error('cancelled')) };
    await expect(prepare(context.project.entries, { ...context, world })).rejects.toThrow('cancelled');
  });
});
