import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect as dial, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createDeployment,
  createFlow,
  createFlowRun,
  createWorkPool,
  createWorkQueue,
  type PrefectApi,
  readFlowRun,
  readWorkPool,
  updateWorkPool,
} from '@slipway/prefect/client';
import type { JsonObject } from '@slipway/prefect/json';
import { defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { until } from '../journey/cluster.ts';
import { freePort } from './free-port.ts';
import { startOwnPrefect } from './own-prefect.ts';
import { openRigPrefect, soon } from './prefect.ts';
import { startWorker, type WorkerProcess } from './worker-process.ts';

/** Another address for a server. */
async function forward(port: number, target: URL): Promise<Server> {
  const server = createServer((socket) => {
    const there = dial(Number(target.port), target.hostname);
    socket.pipe(there).pipe(socket);
    for (const [one, other] of [
      [socket, there],
      [there, socket],
    ] as const) {
      one.on('error', () => other.destroy());
    }
  });
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  return server;
}

describe('a worker that starts', () => {
  const rig = inject('rig');
  let api: PrefectApi;
  let folder: string;
  let workers: WorkerProcess[] = [];

  const worker = (pool: string, args: string[] = [], env: Record<string, string> = {}) => {
    const started = startWorker(pool, { ...rig.env, ...env }, args);
    workers.push(started);
    return started;
  };
  const says = (one: WorkerProcess, text: string, times = 1) =>
    until(`the worker says "${text}"`, async () => (one.count(text) >= times ? true : undefined), {
      timeoutMs: 90_000,
      describe: async () => one.log().slice(-4_000),
    });
  const stops = async (one: WorkerProcess) => {
    one.kill('SIGTERM');
    expect(await one.ended, one.log()).toBe(0);
  };
  const pool = (name: string) => readWorkPool(api, name, soon());
  const own: JsonObject = {
    job_configuration: { ...(defaultKubernetesTemplate.job_configuration as JsonObject), mine: true },
    variables: defaultKubernetesTemplate.variables ?? {},
  };

  beforeAll(() => {
    api = openRigPrefect(rig.prefectApiUrl);
    folder = mkdtempSync(join(tmpdir(), 'slipway-start-'));
    writeFileSync(join(folder, 'template.json'), JSON.stringify(own));
    writeFileSync(
      join(folder, 'profiles.toml'),
      `active = "other"\n[profiles.other]\nPREFECT_API_URL = "http://127.0.0.1:9/api"\n[profiles.team]\nPREFECT_API_URL = "${rig.prefectApiUrl}"\n`,
    );
  });
  afterEach(async () => {
    for (const one of workers) one.kill('SIGKILL');
    await Promise.all(workers.map((one) => one.ended));
    workers = [];
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await api.close();
  });

  it('creates its pool with the template it is given, and leaves one that is there', async () => {
    const one = worker('start-given', ['--base-job-template', join(folder, 'template.json')]);
    await says(one, 'started!');
    expect((await pool('start-given'))?.base_job_template).toEqual(own);
    await createWorkPool(
      api,
      { name: 'start-there', type: 'kubernetes', base_job_template: defaultKubernetesTemplate },
      soon(),
    );
    const two = worker('start-there', ['--base-job-template', join(folder, 'template.json')]);
    await says(two, 'started!');
    expect((await pool('start-there'))?.base_job_template).toEqual(defaultKubernetesTemplate);
  });

  it('writes the default template into a pool that has none', async () => {
    await createWorkPool(api, { name: 'start-empty', type: 'kubernetes', base_job_template: {} }, soon());
    const one = worker('start-empty', ['--base-job-template', join(folder, 'template.json')]);
    await says(one, 'started!');
    expect((await pool('start-empty'))?.base_job_template).toEqual(defaultKubernetesTemplate);
  });

  it('waits for its pool when it may not create it', async () => {
    const one = worker('start-later', ['--no-create-pool-if-not-found'], { PREFECT_WORKER_HEARTBEAT_SECONDS: '1' });
    await says(one, 'There is no work pool start-later');
    expect(await pool('start-later')).toBeUndefined();
    expect(one.log()).not.toContain('started!');
    await createWorkPool(api, { name: 'start-later', type: 'kubernetes', base_job_template: {} }, soon());
    await says(one, 'started!');
    expect(one.count('There is no work pool start-later')).toBe(1);
  });

  it('refuses a pool of another type, unless the type is insisted on', async () => {
    await createWorkPool(api, { name: 'start-process', type: 'process', base_job_template: {} }, soon());
    const one = worker('start-process');
    expect(await one.ended).toBe(1);
    expect(one.log()).toContain(
      'Work pool start-process is of type process, and this worker runs Kubernetes work pools only.',
    );
    expect((await pool('start-process'))?.base_job_template).toEqual({});
    const two = worker('start-process', ['--type', 'kubernetes']);
    await says(two, 'started!');
    await says(two, 'Work pool start-process is of type process');
  });

  it('says that its pool, or every queue it serves, is paused', async () => {
    const body = { name: 'start-paused', type: 'kubernetes', base_job_template: defaultKubernetesTemplate };
    await createWorkPool(api, { ...body, is_paused: true }, soon());
    const paused = { name: 'q', is_paused: true };
    await createWorkQueue(api, 'start-paused', paused, soon());
    const one = worker('start-paused', ['--work-queue', 'q'], { PREFECT_WORKER_HEARTBEAT_SECONDS: '1' });
    await says(one, 'Work pool start-paused is paused: its runs wait until it is resumed.');
    await says(one, 'Paused: every work queue that is served (q).');
    await updateWorkPool(api, 'start-paused', { is_paused: false }, soon());
    await says(one, 'Work pool start-paused is resumed.');
  });

  it('refuses a name that the server keeps for itself', async () => {
    const one = worker('prefect-start');
    expect(await one.ended).toBe(1);
    expect(one.log()).toContain('names that begin with "prefect" are its own');
  });

  it('waits for a server that comes later', async () => {
    const port = await freePort();
    const one = worker('start-waiting', [], { PREFECT_API_URL: `http://127.0.0.1:${port}/api` });
    await says(one, 'trying again');
    const server = await forward(port, new URL(rig.prefectApiUrl));
    try {
      await says(one, 'started!');
      expect(await pool('start-waiting')).toBeDefined();
      await stops(one);
    } finally {
      server.close();
    }
  });

  it('reads its settings from the profile that the command line names', async () => {
    const env = { PREFECT_PROFILES_PATH: join(folder, 'profiles.toml') };
    const { PREFECT_API_URL: _, ...others } = rig.env as Record<string, string>;
    const one = startWorker('start-profile', { ...others, ...env, PREFECT_PROFILE: 'team' });
    const other = startWorker('start-profile', { ...others, ...env });
    workers.push(one, other);
    await says(one, 'started!');
    await says(other, 'trying again');
    expect(other.log()).toContain('http://127.0.0.1:9/api');
  });

  it('polls once with --run-once, submits what is due, and ends well', async () => {
    await createWorkPool(
      api,
      { name: 'start-once', type: 'kubernetes', base_job_template: defaultKubernetesTemplate },
      soon(),
    );
    const flow = await createFlow(api, 'start-test', soon());
    const body = {
      name: 'start-once',
      flow_id: flow.id,
      work_pool_name: 'start-once',
      job_variables: { namespace: 'no-such-namespace' },
    };
    const { id } = await createDeployment(api, body, soon());
    const run = await createFlowRun(api, id, { parameters: {}, idempotency_key: 'once' }, soon());
    const one = worker('start-once', ['--run-once']);
    expect(await one.ended, one.log()).toBe(0);
    expect((await readFlowRun(api, run.id, soon())).state_type).toBe('CRASHED');
    const again = worker('start-once', ['--run-once']);
    expect(await again.ended, again.log()).toBe(0);
  });

  it('says once that its credentials are refused, and stays', async () => {
    const own = await startOwnPrefect(rig.prefectEnvironment, { PREFECT_SERVER_API_AUTH_STRING: 'admin:pass' });
    try {
      const url = own.apiUrl;
      const one = worker('start-refused', [], { PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: 'admin:hunter2' });
      await says(one, 'The Prefect API refuses the worker');
      const right = worker('start-refused', [], { PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: 'admin:pass' });
      await says(right, 'started!');
      await says(right, 'Worker channel open');
      expect(one.count('The Prefect API refuses the worker')).toBe(1);
      expect(one.log()).toContain('Check PREFECT_API_KEY or PREFECT_API_AUTH_STRING');
      expect(one.log()).not.toContain('hunter2');
      await stops(one);
      await stops(right);
    } finally {
      await own.remove();
    }
  }, 300_000);
});
