import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runnerEnvironment } from '../journey/runner.ts';
import { installPrefect, installUv, type PrefectEnvironment } from '../rig/builds/prefect-environment.ts';
import { prefectServer } from '../rig/parts/prefect-server.ts';
import { pickPorts } from '../rig/ports.ts';
import { type CountingProxy, startCountingProxy, type Traffic } from './counting-proxy.ts';
import { makeDeployProject } from './deploy-project.ts';
import { type Cost, load, measure } from './measure.ts';
import { prefectKind } from './request-kinds.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const ACTION = join(ROOT, 'dist/main/index.js');

export type Side = 'prefect' | 'action';
type Run = Cost & Traffic;
export interface DeployFigures {
  readonly entries: number;
  readonly first: Partial<Record<Side, Run>>;
  readonly unchanged: Partial<Record<Side, Run>>;
}

/**
 * Deploys one generated project twice by each side, each to a Prefect server of its own that has never seen it.
 *
 * @param sides without `prefect` when only the action is to be looked at.
 */
export async function benchDeploy(
  sizes: readonly number[],
  sides: readonly Side[],
  signal: AbortSignal,
): Promise<DeployFigures[]> {
  const environment = await installPrefect(await installUv(console.log, signal), console.log, signal);
  const all: DeployFigures[] = [];
  for (const entries of sizes) {
    const figures: DeployFigures = { entries, first: {}, unchanged: {} };
    const { project, sha } = await makeDeployProject(entries);
    try {
      for (const side of sides) {
        await withServer(environment, signal, async (proxy, home) => {
          for (const which of ['first', 'unchanged'] as const) {
            const at = {
              proxy,
              home: await mkdtemp(join(home, `${which}-`)),
              sha,
              directory: project.directory,
              signal,
            };
            const cost = await measure(...(await commandOf(side, environment, at)));
            figures[which][side] = { ...cost, ...proxy.take() };
            console.log(`${entries} entries, ${side}, ${which}: ${cost.wallSeconds} s (load ${load()})`);
          }
        });
      }
    } finally {
      await project.remove();
    }
    all.push(figures);
  }
  return all;
}

/** A server with the work pool `bench`, and a proxy before it. */
async function withServer(
  environment: PrefectEnvironment,
  signal: AbortSignal,
  body: (proxy: CountingProxy, home: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const { ports, release } = await pickPorts(1);
  const env = { PATH: process.env.PATH ?? '', HOME: folder, LANG: 'C.UTF-8' };
  const context = { folder, logFile: join(folder, 'server.log'), env, log: () => undefined, signal };
  const server = await prefectServer(ports[0] ?? 0, environment).start(context);
  const proxy = await startCountingProxy(server.address, { kindOf: prefectKind });
  try {
    const answer = await fetch(`${server.address}/api/work_pools/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'bench', type: 'kubernetes' }),
      signal,
    });
    if (!answer.ok) throw new Error(`the work pool cannot be made: ${await answer.text()}`);
    await body(proxy, folder);
  } finally {
    await proxy.close();
    await server.stop();
    release();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Circumstances {
  readonly proxy: CountingProxy;
  readonly home: string;
  readonly sha: string;
  readonly directory: string;
  readonly signal: AbortSignal;
}

async function commandOf(
  side: Side,
  environment: PrefectEnvironment,
  at: Circumstances,
): Promise<Parameters<typeof measure>> {
  const api = `${at.proxy.url}/api`;
  const { directory, signal } = at;
  if (side === 'prefect') {
    const env = {
      PATH: `${environment.folder}/bin:${process.env.PATH ?? ''}`,
      HOME: at.home,
      LANG: 'C.UTF-8',
      PREFECT_HOME: join(at.home, 'cli'),
      PREFECT_API_URL: api,
      PREFECT_SERVER_ANALYTICS_ENABLED: 'false',
    };
    return [[environment.python, '-m', 'prefect', '--no-prompt', 'deploy', '--all'], { cwd: directory, env, signal }];
  }
  const request = { workspace: directory, sha: at.sha, inputs: { 'prefect-api-url': api }, env: {} };
  const env = await runnerEnvironment(request, at.home);
  return [[process.execPath, ACTION], { cwd: directory, env, signal }];
}

/** Megabytes of the file that a runner loads first. */
export async function entrySize(): Promise<number> {
  return (await stat(ACTION)).size / 1e6;
}
