import {
  createDeployment,
  createFlow,
  createFlowRun,
  createWorkPool,
  type FlowRunRecord,
  type PrefectApi,
  readFlowRuns,
  readLogs,
  readWorkPool,
} from '@slipway/prefect/client';
import type { Json, JsonObject } from '@slipway/prefect/json';
import { isFinal } from '@slipway/prefect/states';
import { customizeTemplate, defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Cluster, openCluster, until } from '../journey/cluster.ts';
import { POOL_PATCH } from '../journey/pool-patch.ts';
import { openRigPrefect, soon } from './prefect.ts';
import { startWorker, type WorkerProcess } from './worker-process.ts';

/** What a flow run does, in a tenth of a second: it says that it runs, and that it has completed. */
const RUN = `python3 -c '
import json, os, urllib.request
url = os.environ["PREFECT_API_URL"] + "/flow_runs/" + os.environ["PREFECT__FLOW_RUN_ID"] + "/set_state"
for state in "RUNNING", "COMPLETED":
    body = json.dumps({"state": {"type": state}}).encode()
    for attempt in range(400):
        try:
            urllib.request.urlopen(urllib.request.Request(url, body, {"content-type": "application/json"}))
            break
        except urllib.error.HTTPError as error:
            if error.code != 503 or attempt == 399: raise
            __import__("time").sleep(0.25)
'`;

describe('the worker', () => {
  const rig = inject('rig');
  let api: PrefectApi;
  let cluster: Cluster;
  let workers: WorkerProcess[] = [];
  let burst = 0;

  const worker = (pool: string, env: Record<string, string> = {}, args: string[] = []) => {
    const started = startWorker(pool, { ...rig.env, ...env }, args);
    workers.push(started);
    return started;
  };
  const describeWorkers = async () => workers.map((one) => one.log().slice(-4_000)).join('\n---\n');

  /** A pool with a deployment in it, and runs of that deployment that are due now. */
  async function runs(pool: string, count: number, jobVariables: JsonObject): Promise<string[]> {
    if ((await readWorkPool(api, pool, soon())) === undefined) {
      const base_job_template = customizeTemplate(defaultKubernetesTemplate, {
        patch: POOL_PATCH as unknown as Json[],
      });
      await createWorkPool(api, { name: pool, type: 'kubernetes', base_job_template }, soon());
    }
    const flow = await createFlow(api, 'worker-test', soon());
    const deployment = await createDeployment(
      api,
      {
        name: pool,
        flow_id: flow.id,
        work_pool_name: pool,
        job_variables: { image: 'prefecthq/prefect:3-latest', ...jobVariables },
      },
      soon(),
    );
    const ids: string[] = [];
    burst += 1;
    for (let index = 0; index < count; index += 1) {
      const run = { parameters: {}, idempotency_key: `${burst}-${index}` };
      ids.push((await createFlowRun(api, deployment.id, run, soon())).id);
    }
    return ids;
  }

  const read = (ids: readonly string[]) => readFlowRuns(api, { ids }, soon());
  const ended = (ids: readonly string[], timeoutMs = 120_000): Promise<FlowRunRecord[]> =>
    until(
      'all runs have ended',
      async () => {
        const found = await read(ids);
        return found.every((run) => run.state_type && isFinal(run.state_type)) ? found : undefined;
      },
      { timeoutMs, describe: describeWorkers },
    );
  const jobsOf = async (ids: readonly string[]) => (await Promise.all(ids.map((id) => cluster.jobs(id)))).flat();
  const oneJobEach = async (ids: readonly string[]) => {
    const jobs = await jobsOf(ids);
    expect(new Set(jobs.map((job) => job.metadata?.labels?.['prefect.io/flow-run-id']))).toEqual(new Set(ids));
    expect(jobs).toHaveLength(ids.length);
  };
  const reported = (one: WorkerProcess, text: string, times = 1) =>
    until(`the worker says "${text}"`, async () => (one.count(text) >= times ? true : undefined), {
      timeoutMs: 60_000,
      describe: describeWorkers,
    });

  beforeAll(() => {
    api = openRigPrefect(rig.prefectApiUrl);
    cluster = openCluster(rig.kubeconfigPath);
  });
  afterEach(async () => {
    for (const one of workers) one.kill('SIGKILL');
    await Promise.all(workers.map((one) => one.ended));
    workers = [];
  });
  afterAll(() => api.close());

  it('makes exactly one Job of each run, tells where it is, and stops with 0', async () => {
    const ids = await runs('once', 4, { command: RUN });
    const one = worker('once');
    const found = await ended(ids);
    expect(found.map((run) => run.state_type)).toEqual(ids.map(() => 'COMPLETED'));
    await oneJobEach(ids);
    // The labels come last, after the claims and Jobs of others: a short run may have ended before it has its own.
    const told = await until(
      'all that is written about the runs is written',
      async () => {
        const runs = await read(ids);
        return runs.every((run) => run.labels?.['prefect.worker.name'] !== undefined) ? runs : undefined;
      },
      { timeoutMs: 60_000, describe: describeWorkers },
    );
    const names = (await jobsOf(ids)).map((job) => `default:${job.metadata?.name}`);
    expect(new Set(told.map((run) => run.infrastructure_pid))).toEqual(new Set(names));
    for (const { labels } of told) {
      expect(labels).toMatchObject({ 'prefect.worker.type': 'kubernetes', 'prefect.work-pool.name': 'once' });
    }
    const begin = Date.now();
    one.kill('SIGTERM');
    expect(await one.ended, one.log()).toBe(0);
    expect(Date.now() - begin).toBeLessThan(5_000);
  });

  it('says why a run whose Job failed has crashed', async () => {
    const ids = await runs('failing', 1, { command: 'sh -c "exit 3"' });
    worker('failing');
    const [run] = await ended(ids);
    expect(run?.state_type).toBe('CRASHED');
    expect(run?.state?.message).toMatch(
      /^No active or succeeded pods found for any job: container prefect-job of pod \S+ ended with exit code 3\.$/,
    );
  });

  it('tells the last lines of a run that crashed before its flow could say why', async () => {
    // One stream: of two, nobody knows which the container's log has first.
    const say = 'sh -c "exec 2>&1; for line in 1 2 3 4 5; do echo line $line; done; echo no such bucket >&2; exit 3"';
    const [id = ''] = await runs('last-lines', 1, { command: say });
    worker('last-lines', { PREFECT_INTEGRATIONS_KUBERNETES_OBSERVER_FORWARD_CRASHED_RUN_LOGS_TAIL_LINES: '3' });
    await ended([id]);
    const told = await until(
      'its log has them',
      async () => {
        const lines = await readLogs(api, { flowRunIds: [id], minimumLevel: 40 }, soon());
        return lines.length >= 5 ? lines : undefined;
      },
      { timeoutMs: 30_000, describe: describeWorkers },
    );
    expect(told.map(({ message }) => message)).toEqual([
      expect.stringContaining('ended with exit code 3'),
      expect.stringMatching(/^Container logs from container 'prefect-job' in pod '\S+':$/),
      'line 4',
      'line 5',
      'no such bucket',
    ]);
    expect(new Set(told.map(({ name }) => name))).toEqual(new Set(['prefect.flow_runs.observer']));
  });

  it('finds at its start what failed while it was away', async () => {
    const ids = await runs('away', 1, { command: 'sh -c "sleep 3; exit 4"' });
    const first = worker('away');
    await reported(first, 'created for flow run');
    first.kill('SIGKILL');
    await first.ended;
    await until(
      'the Job has failed',
      async () => ((await jobsOf(ids)).some((job) => job.status?.failed === 1) ? true : undefined),
      { timeoutMs: 60_000 },
    );
    worker('away');
    const [run] = await ended(ids);
    expect(run?.state?.message).toContain('ended with exit code 4');
  });

  it('crashes a run whose image cannot be pulled with the kubelet’s words, and deletes its Job', async () => {
    const ids = await runs('unpullable', 1, { image: `${rig.registry}/no-such-image:1`, command: RUN });
    worker('unpullable', { SLIPWAY_WORKER_IMAGE_PULL_GRACE_SECONDS: '2' });
    const [run] = await ended(ids);
    expect(run?.state_type).toBe('CRASHED');
    expect(run?.state?.message).toMatch(/^Kubernetes pod cannot start: container prefect-job .*no-such-image/s);
    await until('the Job is gone', async () => ((await jobsOf(ids)).length === 0 ? true : undefined), {
      timeoutMs: 60_000,
      describe: describeWorkers,
    });
  });

  it('crashes a run whose Job was deleted by hand', async () => {
    const ids = await runs('deleted', 1, { command: 'sleep 600' });
    worker('deleted');
    const job = await until('the Job', async () => (await jobsOf(ids))[0], { timeoutMs: 60_000 });
    const which = { name: job.metadata?.name ?? '', namespace: 'default' };
    await cluster.batch.deleteNamespacedJob({ ...which, propagationPolicy: 'Background', gracePeriodSeconds: 0 });
    const [run] = await ended(ids);
    expect(run?.state?.message).toMatch(/^Kubernetes job was deleted: /);
  });

  it('crashes a run that the cluster refuses, and says what to do', async () => {
    const ids = await runs('refused', 1, { namespace: 'no-such-namespace' });
    worker('refused');
    const [run] = await ended(ids);
    expect(run?.state?.message).toBe(
      'Failed to submit flow run to infrastructure: Unable to create Kubernetes job: Not Found: namespaces ' +
        '"no-such-namespace" not found. Hint: namespace no-such-namespace does not exist: create it, or correct the job variable namespace.',
    );
  });

  it('loses no run when it is killed in the middle of a burst', async () => {
    const ids = await runs('killed', 10, { command: RUN });
    const first = worker('killed');
    await reported(first, 'created for flow run');
    first.kill('SIGKILL');
    await first.ended;
    worker('killed', { SLIPWAY_WORKER_ORPHAN_AFTER_SECONDS: '2', SLIPWAY_WORKER_REPAIR_SECONDS: '1' });
    expect((await ended(ids)).map((run) => run.state_type)).toEqual(ids.map(() => 'COMPLETED'));
    await oneJobEach(ids);
  });

  it('leaves no run Pending without a Job when it has to stop at once', async () => {
    const ids = await runs('stopped', 10, { command: 'sleep 600' });
    const one = worker('stopped', {}, ['--grace', '0']);
    await reported(one, 'created for flow run');
    one.kill('SIGTERM');
    expect(await one.ended, one.log()).toBe(0);
    const withJob = new Set((await jobsOf(ids)).map((job) => job.metadata?.labels?.['prefect.io/flow-run-id']));
    const lost = (await read(ids)).filter((run) => !withJob.has(run.id) && run.state_type !== 'SCHEDULED');
    expect(lost.map((run) => run.state_name)).toEqual([]);
    await Promise.all(
      (await jobsOf(ids)).map((job) =>
        cluster.batch.deleteNamespacedJob({
          name: job.metadata?.name ?? '',
          namespace: 'default',
          propagationPolicy: 'Background',
        }),
      ),
    );
  });

  it('shares a pool with another without making a Job twice', async () => {
    const ids = await runs('shared', 10, { command: RUN });
    worker('shared');
    worker('shared');
    expect((await ended(ids)).map((run) => run.state_type)).toEqual(ids.map(() => 'COMPLETED'));
    await oneJobEach(ids);
  });

  it('creates its work pool, waits for a server that is down, and serves health', async () => {
    const one = worker('fresh', { PREFECT_WORKER_WEBSERVER_PORT: '0', PREFECT_WORKER_WEBSERVER_HOST: '127.0.0.1' }, [
      '--with-healthcheck',
    ]);
    await reported(one, 'started!');
    expect((await readWorkPool(api, 'fresh', soon()))?.base_job_template).toEqual(defaultKubernetesTemplate);
    const port = /"port":(\d+)/.exec(one.log())?.[1];
    await until('it is ready', async () => ((await fetch(`http://127.0.0.1:${port}/readyz`)).ok ? true : undefined), {
      timeoutMs: 20_000,
    });
    expect(await (await fetch(`http://127.0.0.1:${port}/health`)).json()).toEqual({ message: 'OK' });

    const down = worker('fresh', { PREFECT_API_URL: 'http://127.0.0.1:9/api' });
    await reported(down, 'trying again');
    down.kill('SIGTERM');
    expect(await down.ended).toBe(0);
  });
});
