/**
 * `npm run test:differential [-- NAME…] [--goldens] [--kept] [--dist] [--logs]`: deploys every project of projects/ (or those
 * named) three times with the locked Prefect's CLI to one real server and with the action to another, and compares what
 * the servers have. Whatever differs and does not stand in deviations.ts fails, and so does what stands there and is not
 * seen any more.
 *
 * `--goldens` keeps what the CLI left in the projects' folders, for `npm test`; `--kept` compares with what is kept
 * there and asks the CLI only where that is of something else; `--dist` runs dist/ in place of the sources; `--logs`
 * shows what both said.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pLimit from 'p-limit';
import { installPrefect, installUv } from '../../rig/builds/prefect-environment.ts';
import { duration } from '../../rig/progress.ts';
import { bundleSources } from './bundle.ts';
import { compareRecordings, tellDifference } from './compare.ts';
import { type Deployed, deployProject, parentOf, type Recording } from './deploy-project.ts';
import { judge, type Verdict } from './deviations.ts';
import { readGolden, writeGolden } from './goldens.ts';
import { makeMaterials } from './materials.ts';
import { type PrefectCli, startPrefectCli } from './prefect-cli.ts';
import { prefectSide } from './prefect-side.ts';
import { type Project, readProjects, STAGES } from './project.ts';
import { startOwnServer } from './server.ts';
import { actionSide } from './sides.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    goldens: { type: 'boolean', default: false },
    kept: { type: 'boolean', default: false },
    dist: { type: 'boolean', default: false },
    logs: { type: 'boolean', default: false },
  },
});
const projects = readProjects(positionals);
const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort(new Error(name)));
const { signal } = stopping;
const environment = await installPrefect(await installUv(console.log, signal), console.log, signal);
const folder = await mkdtemp(join(tmpdir(), 'slipway-differential-'));
const code = values.dist ? undefined : await bundleSources(join(folder, 'code'));
const begun = Date.now();

/** Each server has one project at a time, so that everything new on it is that project's. */
const start = async (name: string) => {
  const server = await startOwnServer(environment, join(folder, 'servers', name), signal);
  return { name, server, oneAtATime: pLimit(1) };
};
/** Started when it is asked for: with --kept it may not be. */
let started: Promise<PrefectCli> | undefined;
const cli = (): Promise<PrefectCli> => {
  started ??= startPrefectCli(environment, signal);
  return started;
};
const [prefect, action] = await Promise.all([start('prefect'), start('action')]);

const rows: { project: Project; verdict: Verdict | string; seconds: number }[] = [];
try {
  await Promise.all([prefect, action].map(({ server }) => makeMaterials(server)));
  await Promise.all(projects.map(async (project) => rows.push(await runProject(project))));
} finally {
  await Promise.all([(await started)?.stop(), ...[prefect, action].map(({ server }) => server.stop())]);
  await rm(folder, { recursive: true, force: true });
}
report();

async function runProject(project: Project): Promise<(typeof rows)[number]> {
  const from = Date.now();
  try {
    const [theirs, ours] = await Promise.all([recordPrefect(project), recordAction(project)]);
    const verdict = judge(project, compareRecordings(project.name, theirs, ours));
    const seconds = (Date.now() - from) / 1000;
    console.log(`${project.name}: ${inShort(verdict)} (${duration(Date.now() - begun)})`);
    for (const one of verdict.unexplained) console.log(`  ${tellDifference(one)}`);
    return { project, verdict, seconds };
  } catch (error) {
    if (signal.aborted) throw error;
    console.log(`${project.name}: ${error instanceof Error ? error.stack : error}`);
    return { project, verdict: error instanceof Error ? error.message : String(error), seconds: 0 };
  }
}

async function recordPrefect(project: Project): Promise<Recording> {
  return await prefect.oneAtATime(async () => {
    const kept = values.kept ? readGolden(project) : undefined;
    if (kept !== undefined) return kept;
    const side = prefectSide(environment, await cli());
    const deployed = await deployProject(project, side, prefect.server, parentOf(folder, project, prefect.name));
    show(project, 'Prefect', deployed);
    if (values.goldens || values.kept) writeGolden(project, deployed.recording);
    return deployed.recording;
  });
}

async function recordAction(project: Project): Promise<Recording> {
  return await action.oneAtATime(async () => {
    const side = actionSide(environment, code);
    const deployed = await deployProject(project, side, action.server, parentOf(folder, project, action.name));
    show(project, 'action', deployed);
    return deployed.recording;
  });
}

/** What was said while deploying, when that failed or everything is asked for. */
function show(project: Project, side: string, { recording, logs }: Deployed): void {
  for (const stage of STAGES) {
    const lines = logs[stage].trimEnd().split('\n');
    const told = values.logs ? lines : recording[stage].succeeded === true ? [] : lines.slice(-6);
    if (told.length > 0) console.log(`--- ${project.name}, ${side}, ${stage}\n${told.join('\n')}\n---`);
  }
}

function inShort(verdict: Verdict | string): string {
  if (typeof verdict === 'string') return 'not run';
  const { unexplained, unseen, explained } = verdict;
  if (unexplained.length > 0) return `${unexplained.length} DIFFERENCES`;
  if (unseen.length > 0) return `${unseen.length} DEVIATIONS NOT SEEN`;
  const known = new Set(explained.map(({ deviation }) => deviation.row));
  return known.size === 0 ? 'the same' : `the same but for ${[...known].sort((a, b) => a - b).join(', ')}`;
}

function report(): void {
  console.log('');
  for (const { project, verdict } of rows.sort((a, b) => (a.project.name < b.project.name ? -1 : 1))) {
    console.log(`${project.name.padEnd(32)} ${inShort(verdict).padEnd(30)} ${project.about}`);
    if (typeof verdict === 'string') console.log(`  ${verdict}`);
    else for (const { deviation } of verdict.unseen) console.log(`  not seen: row ${deviation.row}, ${deviation.path}`);
  }
  const failed = rows.filter(
    ({ verdict }) => typeof verdict === 'string' || verdict.unexplained.length > 0 || verdict.unseen.length > 0,
  );
  console.log(`\n${rows.length} projects, ${failed.length} of them differ (${duration(Date.now() - begun)})`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
