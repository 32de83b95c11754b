import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type PrefectApi, readDeploymentByName, readWorkPool, updateWorkPool } from '@slipway/prefect/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startOwnServer } from '../differential/deploy/server.ts';
import { type GitProject, makeGitProject } from '../journey/git-project.ts';
import { runStep } from '../journey/runner.ts';
import { openRigPrefect, soon } from './prefect.ts';

const YAML = `
work_pools: [{name: guarded, type: kubernetes}]
pull:
- prefect.deployments.steps.set_working_directory: {directory: /opt/flows}
deployments:
- {name: one, entrypoint: "flows/hello.py:hello", work_pool: {name: guarded}, triggers: [{expect: [x]}]}
`;

/** A server that takes no write without a token, and whose tokens live for two seconds. */
describe('a Prefect server with CSRF protection', () => {
  const rig = inject('rig');
  let folder: string;
  let server: Awaited<ReturnType<typeof startOwnServer>>;
  let api: PrefectApi;
  let project: GitProject;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slipway-csrf-'));
    const environment = {
      folder: rig.prefectEnvironment,
      python: join(rig.prefectEnvironment, 'bin/python'),
      database: join(dirname(rig.prefectEnvironment), 'prefect.db'),
    };
    server = await startOwnServer(environment, join(folder, 'server'), AbortSignal.timeout(300_000), {
      PREFECT_SERVER_CSRF_PROTECTION_ENABLED: 'true',
      PREFECT_SERVER_CSRF_TOKEN_EXPIRATION: 'PT2S',
    });
    api = openRigPrefect(server.apiUrl);
    project = await makeGitProject('hello');
  });
  afterAll(async () => {
    await api?.close();
    await server?.stop();
    await project?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const step = async (env: Record<string, string> = {}) => {
    const { sha } = await project.commit('Deploy', { 'prefect.yaml': YAML, 'note.txt': JSON.stringify(env) });
    return await runStep({ workspace: project.directory, sha, inputs: { 'prefect-api-url': server.apiUrl }, env });
  };

  it('refuses writes without a token, so that what follows shows something', async () => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${server.apiUrl}/flows/`, { method: 'POST', headers, body: '{"name":"f"}' });
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('Missing CSRF token')]);
  });

  it('is explained when the client is told to do without', async () => {
    const result = await step({ PREFECT_CLIENT_CSRF_SUPPORT_ENABLED: 'false' });
    expect(result.exitCode).toBe(1);
    const errors = result.annotations.filter(({ level }) => level === 'error');
    expect(errors.map(({ message }) => message)).toEqual([
      expect.stringMatching(/Missing CSRF token.*take PREFECT_CLIENT_CSRF_SUPPORT_ENABLED out/),
    ]);
  });

  it('is deployed to', async () => {
    const result = await step();
    expect(result.exitCode, result.log).toBe(0);
    expect(await readDeploymentByName(api, 'hello', 'one', soon())).toMatchObject({ work_pool_name: 'guarded' });
  });

  it('gets a new token when the one before has expired', async () => {
    for (const description of ['first', 'second']) {
      await updateWorkPool(api, 'guarded', { description }, soon());
      await new Promise((done) => setTimeout(done, 2_500));
    }
    expect((await readWorkPool(api, 'guarded', soon()))?.description).toBe('second');
  });
});
