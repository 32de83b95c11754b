import { isAbsolute, resolve } from 'node:path';
import * as core from '@actions/core';
import { openPrefectApi, type PrefectApi, referenceReaders } from '@slipway/prefect/client';
import { isJsonObject } from '@slipway/prefect/json';
import { readSettings } from '@slipway/prefect/settings';
import { readActual, readActualWorkPools } from './deploy/actual.ts';
import { apply } from './deploy/apply.ts';
import { configure } from './deploy/configuration.ts';
import { desiredDeployments } from './deploy/desired.ts';
import { desiredWorkPools } from './deploy/desired-work-pools.ts';
import { diff } from './deploy/diff.ts';
import { nothingApplied } from './deploy/model.ts';
import { checkJobVariables, checkStatically } from './deploy/validate.ts';
import { planWorkPool } from './deploy/work-pool.ts';
import { createImageBuilder } from './image/builder.ts';
import { type Inputs, readInputs } from './inputs.ts';
import { outputsOf } from './outputs.ts';
import { Problem, throwIfAny } from './problem.ts';
import { loadProject } from './project/load.ts';
import { selectEntries } from './project/select.ts';
import { planLines } from './report/plan-text.ts';
import { type Report, summaryMarkdown } from './report/summary.ts';
import { followRuns } from './runs/follow.ts';
import { failed, type Run } from './runs/model.ts';
import { startRuns } from './runs/start.ts';
import { readEvent } from './source/event.ts';
import { decideMode } from './source/mode.ts';
import { findRevision } from './source/revision.ts';
import type { StateFile } from './state.ts';
import type { World } from './world.ts';

/**
 * The whole way of one run, top to bottom: each stage takes the value of the one before it. Nothing is written on the
 * server before everything that can be checked has been; in plan mode nothing is written at all.
 *
 * @throws Problem | Problems and the errors of @slipway/prefect/client: main.ts makes annotations of them.
 */
export async function runAction(world: World, state: StateFile): Promise<void> {
  const inputs = readInputs(world.env);
  const settings = readSettings(inputs.prefectEnv);
  for (const secret of [...settings.secrets, inputs.registryCredentials?.password ?? '']) world.log.mask(secret);

  const workspace = world.env.GITHUB_WORKSPACE || process.cwd();
  const directory = resolve(workspace, inputs.workingDirectory);
  const event = await readEvent(world.env, world.files);
  const { mode, reason, refused } = decideMode(inputs.mode, event);
  if (refused) world.log.warning(`Nothing will be written: ${reason}`);
  const revision = await findRevision({ ...world, directory, event });
  for (const warning of revision.warnings ?? []) world.log.warning(warning);
  world.log.info(`Revision ${revision.sha ?? 'unknown'} (${revision.origin}); mode ${mode}, because ${reason}`);

  const project = await loadProject({
    directory,
    prefectFile: isAbsolute(inputs.prefectFile) ? inputs.prefectFile : resolve(directory, inputs.prefectFile),
    files: world.files,
    repositoryRoot: workspace,
  });
  for (const warning of project.warnings) world.log.warning(warning.message, warning.where);

  const api = openPrefectApi(settings, { ...world, product: 'slipway' });
  try {
    await deploy({ world, state, inputs, directory, workspace, project, mode, reason, revision, api });
  } finally {
    await api.close();
  }
}

interface Deploy {
  readonly world: World;
  readonly state: StateFile;
  readonly inputs: Inputs;
  readonly directory: string;
  readonly workspace: string;
  readonly project: Project;
  readonly mode: 'plan' | 'deploy';
  readonly reason: string;
  readonly revision: Revision;
  readonly api: PrefectApi;
}

async function deploy(job: Deploy): Promise<void> {
  const { world, inputs, project, mode, revision, api } = job;
  const { env, log, signal } = world;
  const readers = referenceReaders(api, signal);
  const onSecret = (secret: string): void => log.mask(secret);

  const entries = selectEntries(project, inputs.deployments, await flowNames(job));
  throwIfAny(checkComplete(entries));
  const configurations = await configure(entries, {
    readers,
    env,
    onSecret,
    defaultWorkPoolName: api.settings.defaultWorkPoolName,
  });
  const flows = await readFlows(configurations, job);

  const workPools = await desiredWorkPools(project, world.files);
  const named = configurations.map((one) => one.workPoolName);
  const actualPools = await readActualWorkPools(workPools, named, api, signal);
  const plannedPools = workPools.map((pool) => planWorkPool(pool, actualPools));
  throwIfAny(checkStatically(configurations, actualPools, plannedPools));

  const prepared = await prepare(configurations, job);

  const deployments = desiredDeployments(
    prepared.map(({ prepared, pull }, index) => ready(configurations[index], flows[index], prepared, pull)),
    { env, revision },
  );
  const desired = { workPools, deployments };
  const actual = await readActual(desired, actualPools, api, signal);
  const plan = diff(desired, actual);
  throwIfAny(checkJobVariables(deployments, actual, plan.workPools));
  await log.group('Plan', async () => planLines(plan).forEach((line) => log.info(log.redact(line))));

  const applied = mode === 'plan' ? nothingApplied() : await apply(plan, api, log, signal);
  const runs = mode === 'plan' ? [] : await run(job, applied);
  await report({ mode, modeReason: job.reason, revision, images, plan, applied, runs, uiUrl: api.settings.uiUrl }, job);
}
