import { WorkPoolRecord } from '@slipway/prefect/client';
import { afterEach, describe, expect, it } from 'vitest';
import { Clusters } from '../k8s/clusters.ts';
import { openConnection } from '../k8s/connection.ts';
import { servePrefect } from '../testing/prefect.ts';
import { connectTo, type Reply, type Seen, serve, status } from '../testing/server.ts';
import { testWorld } from '../testing/world.ts';
import { tearDown } from './teardown.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

const RUN = '0193a6f0-0000-7000-8000-000000000001';
const OURS = { 'slipway.worker.version': '1', 'prefect.worker.name': 'w' };
const ok = (json: unknown): Reply => ({ status: 200, json });
const missing: Reply = { status: 404, json: { detail: 'not found' } };
const job = (labels: object = { 'prefect.io/flow-run-id': RUN }): Reply => ok({ metadata: { uid: 'u1', labels } });
const TEMPLATE = {
  job_configuration: { cluster_config: '{{ cluster_config }}' },
  variables: { properties: { cluster_config: {} } },
};

interface Scene {
  /** The flow run as the server has it; undefined: none. */
  readonly run?: object | undefined;
  /** Undefined: none. */
  readonly deployment?: object | undefined;
  readonly pid?: string | null;
  /** What the worker's own cluster says of the Job, and of its deletion. */
  readonly found?: Reply;
  readonly deleted?: Reply;
}

/** Tears down what a message of the server names; and what was asked of the Prefect API and of the clusters. */
async function torn(scene: Scene) {
  const world = testWorld();
  const answer = (seen: Seen) => (seen.method === 'GET' ? (scene.found ?? job()) : (scene.deleted ?? ok({})));
  const kubernetes = await serve(answer);
  const elsewhere = await serve(answer);
  const record = { id: RUN, name: 'run', flow_id: 'f', state: { id: 's', type: 'CANCELLED', name: 'Cancelled' } };
  const prefect = await servePrefect(world, ({ path }) => {
    if (path === `/flow_runs/${RUN}`) return scene.run === undefined ? missing : ok({ ...record, ...scene.run });
    if (path === '/deployments/filter') {
      const about = { id: 'd', name: 'd', flow_id: 'f' };
      const config = { config: kubeconfig(elsewhere.url), context_name: 'there' };
      return ok(
        scene.deployment === undefined
          ? []
          : [JSON.parse(JSON.stringify({ ...about, ...scene.deployment }).replace('"THERE"', JSON.stringify(config)))],
      );
    }
    return missing;
  });
  const clusters = new Clusters(connectTo(kubernetes), (access) =>
    openConnection(access, { clock: Date, userAgent: 'test' }),
  );
  open.push(kubernetes, elsewhere, prefect, clusters);
  const services = {
    api: prefect.api,
    clusters,
    pool: () => WorkPoolRecord.parse({ id: 'p', name: 'k', type: 'kubernetes', base_job_template: TEMPLATE }),
    templateEnv: {},
    world,
  };
  const { pid = 'ns:job' } = scene;
  const target = { flow_run_id: RUN, infrastructure_pid: pid };
  const outcome = tearDown({ target }, services, AbortSignal.timeout(10_000));
  const calls = (seen: readonly Seen[]) => seen.map(({ method, path }) => `${method} ${path}`);
  return {
    outcome,
    asked: prefect.asked,
    own: () => calls(kubernetes.seen),
    there: () => calls(elsewhere.seen),
    deletion: (): unknown => JSON.parse(kubernetes.seen.at(-1)?.body ?? ''),
  };
}

const kubeconfig = (server: string) => ({
  'current-context': 'there',
  contexts: [{ name: 'there', context: { cluster: 'c', user: 'u' } }],
  clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }],
  users: [{ name: 'u', user: { token: 't' } }],
});
const PATH = '/apis/batch/v1/namespaces/ns/jobs/job';
const DELETED = [`GET ${PATH}`, `DELETE ${PATH}`];

/** Check 63 of contracts/worker.md §9. */
describe('the Job of a run that was Cancelling for too long', () => {
  it('is deleted with its pods, as Prefect’s worker does, and no more is asked than what the run is', async () => {
    const { outcome, asked, own, deletion } = await torn({ run: { labels: OURS, infrastructure_pid: 'ns:job' } });
    expect(await outcome).toEqual({ kind: 'ack', why: 'Job ns/job is deleted' });
    expect(asked()).toEqual([`GET /flow_runs/${RUN}`]);
    expect(own()).toEqual(DELETED);
    expect(deletion()).toMatchObject({
      propagationPolicy: 'Foreground',
      gracePeriodSeconds: 30,
      preconditions: { uid: 'u1' },
    });
  });

  it.each([
    ['has started', { start_time: '2026-11-26T11:00:00Z' }],
    ['is in another state by now', { state: { id: 's', type: 'RUNNING', name: 'Running' } }],
    ['says now that it is elsewhere', { infrastructure_pid: 'other:name' }],
  ])('is deleted also when the run %s: what the message names counts', async (_what, more) => {
    const { outcome, own } = await torn({ run: { labels: OURS, ...more } });
    expect((await outcome).kind).toBe('ack');
    expect(own()).toEqual(DELETED);
  });

  it.each([
    ['there is no such flow run', { run: undefined }, []],
    ['it has no Job', { run: {}, pid: null }, []],
    ['it has no Job', { run: {}, pid: '' }, []],
    ['Job ns/job is gone', { run: { labels: OURS }, found: status(404, 'NotFound', 'no') }, [`GET ${PATH}`]],
    ['Job ns/job is deleted', { run: { labels: OURS }, deleted: status(404, 'NotFound', 'no') }, DELETED],
  ])('is done with when %s', async (why, scene, calls) => {
    const { outcome, own } = await torn(scene);
    expect(await outcome).toEqual({ kind: 'ack', why });
    expect(own()).toEqual(calls);
  });

  it.each([
    ['missing_infrastructure_handle', { run: { infrastructure_pid: 'ns:job' }, pid: null }],
    ['configuration_context_unavailable', { run: { deployment_id: 'd' } }],
    [
      'configuration_context_unavailable',
      {
        run: { deployment_id: 'd' },
        deployment: { job_variables: { cluster_config: '{{ prefect.blocks.kubernetes-cluster-config.gone }}' } },
      },
    ],
    [
      'infrastructure_not_available',
      { run: { labels: OURS }, found: (response: import('node:http').ServerResponse) => void response.destroy() },
    ],
  ])('is given back: %s', async (reason, scene) => {
    const { outcome } = await torn(scene);
    expect(await outcome).toEqual({ kind: 'release', reason });
  });

  it.each([
    ['namespace:name', { run: { labels: OURS }, pid: 'job' }],
    ['namespace:name', { run: { labels: OURS }, pid: 'cluster-uid:ns:job' }],
    ['is not that of flow run', { run: { labels: OURS }, found: job({ 'prefect.io/flow-run-id': 'other' }) }],
    ['is not that of flow run', { run: { labels: OURS }, found: job({}) }],
    ['Forbidden', { run: { labels: OURS }, found: status(403, 'Forbidden', 'jobs is forbidden') }],
    ['Forbidden', { run: { labels: OURS }, deleted: status(403, 'Forbidden', 'jobs is forbidden') }],
    ['"cluster_config" must be', { run: { job_variables: { cluster_config: { config: 1 } } } }],
  ])('fails for this time, with the reason: %s', async (reason, scene) => {
    const { outcome } = await torn(scene);
    await expect(outcome).rejects.toThrow(reason);
  });

  it('of another kind of worker is looked for where its configuration says', async () => {
    const run = { deployment_id: 'd', labels: { 'prefect.worker.name': 'python' } };
    const here = await torn({ run, deployment: {} });
    expect((await here.outcome).kind).toBe('ack');
    expect(here.own()).toEqual(DELETED);
    const there = await torn({ run, deployment: { job_variables: { cluster_config: 'THERE' } } });
    expect((await there.outcome).kind).toBe('ack');
    expect([there.own(), there.there()]).toEqual([[], DELETED]);
  });

  it('of our own in another cluster is looked for there', async () => {
    const labels = { ...OURS, 'slipway.worker.cluster': 'there' };
    const scene = { run: { deployment_id: 'd', labels }, deployment: { job_variables: { cluster_config: 'THERE' } } };
    const { outcome, own, there } = await torn(scene);
    expect((await outcome).kind).toBe('ack');
    expect([own(), there()]).toEqual([[], DELETED]);
  });
});
