import {
  createFlowRun,
  type PrefectApi,
  readDeploymentByName,
  readFlowRun,
  readFlowRuns,
  readWorkPool,
} from '@slipway/prefect/client';
import { isFinal } from '@slipway/prefect/states';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Cluster, openCluster, until } from '../journey/cluster.ts';
import {
  deployWorker,
  describeWorker,
  killPod,
  pushWorkerImage,
  readyWorkerPods,
  removeWorker,
} from '../journey/cluster-worker.ts';
import { type Commit, type GitProject, makeGitProject } from '../journey/git-project.ts';
import { POOL_PATCH } from '../journey/pool-patch.ts';
import { pullRequestEvent, runStep, type StepResult } from '../journey/runner.ts';
import { openRigPrefect, soon } from './prefect.ts';

/** The story of examples/hello, told in order: each test goes on where the one before it ended. */
describe('a push to main', () => {
  const rig = inject('rig');
  let api: PrefectApi;
  let cluster: Cluster;
  let project: GitProject;
  let first: Commit;
  let pushed: StepResult;

  const step = (commit: Commit, more: Partial<Parameters<typeof runStep>[0]> = {}) =>
    runStep({
      workspace: project.directory,
      sha: commit.sha,
      env: { ...rig.env, IMAGE_REPOSITORY: `${rig.registry}/hello` },
      ...more,
      inputs: { 'prefect-api-url': rig.prefectApiUrl, ...more.inputs },
    });
  const deployment = async (name: string) => {
    const found = await readDeploymentByName(api, 'hello', name, soon());
    if (found === undefined) throw new Error(`there is no deployment hello/${name}`);
    return found;
  };

  beforeAll(async () => {
    api = openRigPrefect(rig.prefectApiUrl);
    cluster = openCluster(rig.kubeconfigPath);
    project = await makeGitProject('hello', POOL_PATCH);
    first = await project.commit('Say hello');
    const image = await pushWorkerImage(rig);
    await deployWorker(cluster, rig, image, 'kubernetes');
  });

  afterAll(async () => {
    await removeWorker(cluster);
    await project.remove();
    await api.close();
  });

  it('shows the plan on a pull request and writes nothing', async () => {
    const result = await step(first, { event: pullRequestEvent(first.sha) });
    expect(result.exitCode, result.log).toBe(0);
    expect(JSON.parse(result.outputs.plan ?? '')).toMatchObject({
      changed: true,
      deployments: [
        { name: 'hello/default', action: 'create' },
        { name: 'hello/arthur', action: 'create' },
      ],
    });
    expect(result.summary).toContain('Nothing was written');
    expect(await readDeploymentByName(api, 'hello', 'default', soon())).toBeUndefined();
    expect((await fetch(`http://${rig.registry}/v2/hello/manifests/${first.shortSha}`)).status).toBe(404);
  });

  it('becomes two completed runs in Kubernetes', async () => {
    pushed = await step(first, {
      inputs: { run: 'hello/default\narthur {"name": "Arthur Dent"}', wait: 'true', 'run-timeout': '3m' },
    });
    expect(pushed.exitCode, `${pushed.log}\n${await describeWorker(cluster)}`).toBe(0);
    const runs = JSON.parse(pushed.outputs.runs ?? '') as { id: string; deployment: string; state: string }[];
    expect(runs.map(({ deployment, state }) => ({ deployment, state }))).toEqual([
      { deployment: 'hello/default', state: 'COMPLETED' },
      { deployment: 'hello/arthur', state: 'COMPLETED' },
    ]);
    expect(pushed.log).toContain('Hello, Marvin!');
    expect(pushed.log).toContain('Hello, Arthur Dent!');
  });

  it('pushes an image tagged and labelled with the commit', async () => {
    const { digest } = pushed.outputs;
    const accept = 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json';
    const answer = await fetch(`http://${rig.registry}/v2/hello/manifests/${first.shortSha}`, { headers: { accept } });
    expect(answer.headers.get('docker-content-digest')).toBe(digest);
    const manifest = (await answer.json()) as { config: { digest: string } };
    const config = await fetch(`http://${rig.registry}/v2/hello/blobs/${manifest.config.digest}`);
    const { config: image } = (await config.json()) as { config: { Labels: Record<string, string> } };
    expect(image.Labels['org.opencontainers.image.revision']).toBe(first.sha);
  });

  it('pins both deployments to that digest, with the commit among their tags', async () => {
    for (const [name, tags] of [
      ['default', [first.shortSha]],
      ['arthur', ['guide', first.shortSha]],
    ] as const) {
      const found = await deployment(name);
      expect(found.job_variables?.image).toBe(pushed.outputs['image-ref']);
      expect(found.tags).toEqual(tags);
    }
    expect(pushed.outputs['image-ref']).toBe(`${rig.registry}/hello@${pushed.outputs.digest}`);
  });

  it('makes exactly one Job for each run, named by its infrastructure_pid, whose pod ran that digest', async () => {
    const runs = JSON.parse(pushed.outputs.runs ?? '') as { id: string }[];
    for (const { id } of runs) {
      const jobs = await cluster.jobs(id);
      expect(jobs).toHaveLength(1);
      const run = await readFlowRun(api, id, soon());
      expect(run.infrastructure_pid).toBe(`default:${jobs[0]?.metadata?.name}`);
      const pods = await cluster.pods(`prefect.io/flow-run-id=${id}`);
      expect(pods).toHaveLength(1);
      expect(pods[0]?.status?.containerStatuses?.[0]?.imageID).toContain(pushed.outputs.digest);
    }
  });

  it('creates the work pool as prefect.yaml says', async () => {
    const pool = await readWorkPool(api, 'kubernetes', soon());
    expect(pool?.description).toBe('Flow runs as Kubernetes Jobs');
    expect(pool?.base_job_template).toMatchObject({
      variables: { properties: { finished_job_ttl: { default: 3600 } } },
      job_configuration: { job_manifest: { spec: { template: { spec: { hostNetwork: true } } } } },
    });
  });

  it('writes nothing when the same commit is deployed again', async () => {
    const before = await Promise.all(['default', 'arthur'].map(deployment));
    const again = await step(first);
    expect(again.exitCode, again.log).toBe(0);
    expect(again.outputs.changed).toBe('false');
    expect(again.outputs.digest).toBe(pushed.outputs.digest);
    expect(await Promise.all(['default', 'arthur'].map(deployment))).toEqual(before);
  });

  it('changes only what a second commit changed', async () => {
    const yaml = (await project.read('prefect.yaml')).replace('name: Arthur', 'name: Trillian');
    const second = await project.commit('Greet Trillian', { 'prefect.yaml': yaml });
    const result = await step(second);
    expect(result.exitCode, result.log).toBe(0);
    const plan = JSON.parse(result.outputs.plan ?? '') as {
      deployments: { name: string; changes: { field: string }[] }[];
      work_pools: unknown;
    };
    expect(plan.work_pools).toEqual([{ name: 'kubernetes', action: 'unchanged' }]);
    const fields = Object.fromEntries(
      plan.deployments.map((one) => [one.name, one.changes.map((change) => change.field)]),
    );
    expect(fields).toEqual({
      'hello/default': ['version', 'tags', 'job_variables.image'],
      'hello/arthur': ['version', 'tags', 'parameters.name', 'job_variables.image'],
    });
    expect((await deployment('arthur')).parameters).toEqual({ name: 'Trillian' });
  });

  it('loses no run when the worker’s pod is killed midway', async () => {
    const { id } = await deployment('default');
    const ids: string[] = [];
    for (let index = 0; index < 6; index += 1) {
      ids.push((await createFlowRun(api, id, { parameters: {}, idempotency_key: `kill-${index}` }, soon())).id);
    }
    await until(
      'a Job of the burst',
      async () => ((await Promise.all(ids.map((one) => cluster.jobs(one)))).flat().length > 0 ? true : undefined),
      {
        timeoutMs: 60_000,
        describe: () => describeWorker(cluster),
      },
    );
    const [pod] = await readyWorkerPods(cluster);
    if (pod === undefined) throw new Error('no worker pod');
    await killPod(cluster, pod);
    const records = await until(
      'all runs of the burst have ended',
      async () => {
        const found = await readFlowRuns(api, { ids }, soon());
        return found.every((run) => run.state && isFinal(run.state.type)) ? found : undefined;
      },
      { timeoutMs: 150_000, describe: () => describeWorker(cluster) },
    );
    expect(records.map((run) => run.state_type)).toEqual(ids.map(() => 'COMPLETED'));
    for (const one of ids) expect(await cluster.jobs(one)).toHaveLength(1);
  });
});
