/**
 * `npm run demo`: a push becomes finished runs in Kubernetes, on real parts on this machine. The exit code tells the
 * truth; `--keep` leaves the rig up at the end.
 */
import { parseArgs } from 'node:util';
import { openPrefectApi, readFlowRuns, readLogs } from '@slipway/prefect/client';
import { readSettings } from '@slipway/prefect/settings';
import { openCluster } from '../test/journey/cluster.ts';
import { deployWorker, pushWorkerImage } from '../test/journey/cluster-worker.ts';
import { makeGitProject } from '../test/journey/git-project.ts';
import { POOL_PATCH } from '../test/journey/pool-patch.ts';
import { runStep } from '../test/journey/runner.ts';
import { startRig } from '../test/rig/rig.ts';
import { buildWorker } from './build-worker.ts';

const { values: options } = parseArgs({
  options: { keep: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
});
if (options.help) {
  console.log(`Usage: npm run demo [-- --keep]

Takes examples/hello through the real action, a real registry, a real Prefect server, a real Kubernetes and the real
worker, and ends when both runs are Completed.

  --keep   leave everything up at the end (Ctrl-C ends it)`);
  process.exit(0);
}

const begin = Date.now();
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => stopping.abort(new Error(`ended by ${signal}`)));
}

async function step<T>(title: string, body: () => Promise<T>): Promise<T> {
  stopping.signal.throwIfAborted();
  const start = Date.now();
  console.log(`\n▶ ${title}`);
  const result = await body();
  console.log(`✓ ${title} (${seconds(start)} s)`);
  return result;
}

function seconds(since: number): string {
  return ((Date.now() - since) / 1000).toFixed(1);
}

async function demo(): Promise<void> {
  await step('build the worker', buildWorker);
  const rig = await step('start Prefect, a registry, Docker and Kubernetes', () =>
    startRig({
      log: (line) => console.log(`  ${line}`),
      signal: stopping.signal,
      parts: ['prefect', 'registry', 'docker', 'kubernetes'],
    }),
  );
  await rig.shareBaseLayers('hello', stopping.signal);
  const project = await makeGitProject('hello', POOL_PATCH);
  try {
    const image = await step('build the worker’s image', () => pushWorkerImage(rig));
    const commit = await step('commit examples/hello into a repository', () => project.commit('Say hello'));
    const cluster = openCluster(rig.kubeconfigPath);
    const deployed = step('start the worker in the cluster', () => deployWorker(cluster, rig, image, 'kubernetes'));
    const result = await step(`run the action for ${commit.shortSha}, as a runner does on a push to main`, async () => {
      const [done] = await Promise.all([
        runStep({
          workspace: project.directory,
          sha: commit.sha,
          inputs: {
            'prefect-api-url': rig.prefectApiUrl,
            run: 'hello/default\nhello/arthur',
            wait: 'true',
            'run-timeout': '5m',
          },
          env: { ...rig.env, IMAGE_REPOSITORY: `${rig.registry}/hello` },
          onLine: (line) => console.log(`  │ ${line}`),
        }),
        deployed,
      ]);
      if (done.exitCode !== 0 || done.postExitCode !== 0) throw new Error(`the action ended with ${done.exitCode}`);
      return done;
    });
    await step('read the runs from the server', () => showRuns(rig.prefectApiUrl, result.outputs.runs ?? '[]'));
    console.log(`\nA push became two finished runs in ${seconds(begin)} s.\nPrefect UI: ${rig.prefectUiUrl}`);
    if (options.keep) {
      console.log('Everything is left up; Ctrl-C ends it.');
      await new Promise((done) => stopping.signal.addEventListener('abort', done, { once: true }));
    }
  } finally {
    await project.remove();
    await rig.stop();
  }
}

async function showRuns(apiUrl: string, runs: string): Promise<void> {
  const ids = (JSON.parse(runs) as { id: string }[]).map((run) => run.id);
  const clock = { now: Date.now, sleep: (ms: number) => new Promise<void>((done) => setTimeout(done, ms)) };
  const api = openPrefectApi(readSettings({ PREFECT_API_URL: apiUrl }), {
    clock,
    random: Math.random,
    log: { debug: () => undefined, warning: (text) => console.log(text) },
    product: 'slipway-demo',
  });
  try {
    const records = await readFlowRuns(api, { ids }, stopping.signal);
    for (const record of records) console.log(`  ${record.name}: ${record.state_name} (${record.infrastructure_pid})`);
    for (const log of await readLogs(api, { flowRunIds: ids }, stopping.signal))
      console.log(`  │ ${log.timestamp.slice(11, 19)} ${log.message}`);
    const completed = records.filter((record) => record.state_type === 'COMPLETED').length;
    if (completed !== 2) throw new Error(`${completed} of 2 runs are Completed`);
  } finally {
    await api.close();
  }
}

try {
  await demo();
} catch (error) {
  const reason: unknown = stopping.signal.aborted ? stopping.signal.reason : error;
  console.error(`\n✗ ${reason instanceof Error ? reason.message : String(reason)}`);
  process.exitCode = 1;
}
