import { isAbsolute, resolve } from 'node:path';
import * as core from '@actions/core';
import { openPrefectApi, type PrefectApi, referenceReaders } from '@slipway/prefect/client';
import { isJsonObject, type JsonObject } from '@slipway/prefect/json';
import { enforcement, readActual, readActualWorkPools } from './deploy/actual.ts';
import { apply } from './deploy/apply.ts';
import { type Configuration, configure } from './deploy/configuration.ts';
import { type DesireContext, desiredDeployments, type ReadyEntry } from './deploy/desired.ts';
import { desiredWorkPools } from './deploy/desired-work-pools.ts';
import { diff } from './deploy/diff.ts';
import { flowsFromImages } from './deploy/image-flows.ts';
import { type Actual, type Applied, type DesiredDeployment, nothingApplied } from './deploy/model.ts';
import { checkKnownParameters, checkParameters } from './deploy/parameters.ts';
import { scheduleWarnings } from './deploy/schedules/warnings.ts';
import { settleSchemas } from './deploy/settle-schemas.ts';
import { checkSlas, desiredSlas } from './deploy/slas.ts';
import { checkTriggerVariables } from './deploy/trigger-variables.ts';
import { checkTriggers, desiredAutomations } from './deploy/triggers.ts';
import { checkJobVariables, checkStatically } from './deploy/validate.ts';
import { planWorkPool } from './deploy/work-pool.ts';
import { readEntryFlows, readFlowNames } from './flow/entry-flows.ts';
import type { Flow } from './flow/index.ts';
import { createImageBuilder } from './image/builder.ts';
import { withOciLabels } from './image/labels.ts';
import { signInToFetch } from './image/sign-in.ts';
import { type Inputs, readInputs } from './inputs.ts';
import { outputsOf } from './outputs.ts';
import { readPrefectSettings } from './prefect-settings.ts';
import { Problem, throwIfAny } from './problem.ts';
import { defaultPull } from './project/default-pull.ts';
import { loadProject } from './project/load.ts';
import type { Entry, Project } from './project/model.ts';
import { checkComplete, selectEntries } from './project/select.ts';
import type { Credentials } from './registry/model.ts';
import { planLines } from './report/plan-text.ts';
import { type Report, summaryMarkdown } from './report/summary.ts';
import { explainFailedRuns } from './runs/explain.ts';
import { followRuns } from './runs/follow.ts';
import type { Run } from './runs/model.ts';
import { startRuns } from './runs/start.ts';
import { readEvent } from './source/event.ts';
import { decideMode } from './source/mode.ts';
import type { Revision } from './source/model.ts';
import { findRevision } from './source/revision.ts';
import type { StateFile } from './state.ts';
import type { Prepared } from './steps/model.ts';
import { prepare } from './steps/prepare.ts';
import { stepEnvironment } from './steps/templating.ts';
import type { World } from './world.ts';

/**
 * The whole way of one run, top to bottom: each stage takes the value of the one before it. Nothing is written on the
 * server before everything that can be checked has been; in plan mode nothing is written at all.
 *
 * @throws Problem | Problems and the errors of @slipway/prefect/client: main.ts makes annotations of them.
 */
export async function runAction(world: World, state: StateFile): Promise<void> {
  const inputs = readInputs(world.env);
  const workspace = world.env.GITHUB_WORKSPACE || process.cwd();
  const directory = resolve(workspace, inputs.workingDirectory);
  const settings = await readPrefectSettings(inputs, directory, world);
  for (const secret of [...settings.secrets, inputs.registryCredentials?.password ?? '']) world.log.mask(secret);
  for (const warning of settings.warnings) world.log.warning(warning);

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
    await deploy({
      world,
      state,
      inputs,
      directory,
      workspace,
      project,
      mode,
      reason,
      revision,
      api,
      signedIn: new Map(),
    });
  } finally {
    await api.close();
  }
}

/** One run's circumstances, fixed before its first stage. */
interface Job {
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
  /** The credentials that builds used, by registry host. */
  readonly signedIn: Map<string, Credentials>;
}

async function deploy(job: Job): Promise<void> {
  const { world, project, mode, revision, api } = job;
  const { log, signal } = world;
  const env = stepEnvironment(world.env);
  const { cloud } = api.settings;

  const sources = { directory: job.directory, workspace: job.workspace, files: world.files };
  const { deployments: names } = job.inputs;
  // Only a name of the form flow/deployment needs the flows' own names.
  const flowNames = await readFlowNames(names.some((name) => name.includes('/')) ? project.entries : [], sources);
  const entries = selectEntries(project, names, flowNames);
  throwIfAny(checkComplete(entries));
  const configurations = await configure(entries, {
    readers: referenceReaders(api, signal),
    env,
    onSecret: (secret) => log.mask(secret),
    defaultWorkPoolName: api.settings.defaultWorkPoolName,
  });
  const { flows, problems } = await readEntryFlows(configurations, sources);

  const workPools = await desiredWorkPools(project, world.files);
  const named = configurations.map((one) => one.workPoolName);
  const actualPools = await readActualWorkPools(workPools, named, api, signal);
  const plannedPools = workPools.map((pool) => planWorkPool(pool, actualPools));
  throwIfAny([
    ...problems,
    ...checkStatically(configurations, actualPools, plannedPools),
    ...checkTriggers(configurations, cloud),
    ...checkSlas(configurations, cloud),
    ...(await checkKnownParameters(configurations, flows, enforcement(api, signal))),
  ]);

  const prepared = await prepareEntries(entries, job);

  const ready = await withExactFlows(readyEntries(configurations, flows, prepared, job), { env, revision }, job);
  const wanted = desiredDeployments(ready, { env, revision });
  const besides = {
    workPools,
    automations: desiredAutomations(ready, wanted, { env, cloud }),
    slas: desiredSlas(ready, wanted, env),
  };
  const actual = await readActual({ ...besides, deployments: wanted }, actualPools, api, signal);
  const desired = { ...besides, deployments: settledDeployments(wanted, ready, actual, job) };
  const plan = diff(desired, actual);
  throwIfAny([
    ...checkJobVariables(desired.deployments, actual, plan.workPools),
    ...checkParameters(plan),
    ...checkTriggerVariables(desired.automations, actual, plan.workPools),
  ]);
  for (const { message, where } of scheduleWarnings(plan)) log.warning(message, where);
  await log.group('Plan', async () => {
    for (const line of planLines(plan)) log.info(line);
  });

  const applied = mode === 'plan' ? nothingApplied() : await apply(plan, api, log, signal);
  const runs = mode === 'plan' ? [] : await startAndFollow(job, applied);
  const images = [...new Map(prepared.flatMap((one) => one.images).map((image) => [image.image, image])).values()];
  await report({ mode, modeReason: job.reason, revision, images, plan, applied, runs, uiUrl: api.settings.uiUrl }, job);
}

/** Runs (in a plan: foresees) the steps of every entry; equal images are built once. */
async function prepareEntries(entries: readonly Entry[], job: Job): Promise<Prepared[]> {
  const { world, project, revision, mode, inputs, api, state } = job;
  const build = createImageBuilder({
    world,
    fetch: globalThis.fetch,
    credentials: inputs.registryCredentials,
    remember: (directory) => state.rememberDirectory(directory),
    signedIn: job.signedIn,
  });
  return await prepare(entries, {
    world,
    project,
    revision,
    mode,
    readers: referenceReaders(api, world.signal),
    buildImage: (plan, credentials) => build(withOciLabels(plan, revision), credentials),
    baseImage: inputs.baseImage,
    builder: inputs.builder,
    dockerNamespace: api.settings.defaultDockerBuildNamespace,
  });
}

function readyEntries(
  configurations: readonly Configuration[],
  flows: readonly (Flow | undefined)[],
  prepared: readonly Prepared[],
  job: Job,
): ReadyEntry[] {
  return configurations.flatMap((configuration, index) => {
    const [flow, one] = [flows[index], prepared[index]];
    if (flow === undefined || one === undefined) return [];
    return [{ configuration, flow, prepared: one, pull: pullSteps(configuration, one, job) }];
  });
}

/** The entries with their flows as the images describe them, where the input `schema` wants those asked. */
async function withExactFlows(ready: readonly ReadyEntry[], context: DesireContext, job: Job): Promise<ReadyEntry[]> {
  const { world, state, inputs, mode, directory, workspace } = job;
  const remember = (secret: string) => state.rememberDirectory(secret);
  const flows = await flowsFromImages(ready, desiredDeployments(ready, context), {
    world,
    policy: inputs.schema,
    mode,
    directory,
    workspace,
    signIn: (image) => signInToFetch(image, job.signedIn, world, remember),
  });
  return ready.map((entry, index) => ({ ...entry, flow: flows[index] ?? entry.flow }));
}

/** The deployments with the parameter schemas they will have; what is not exact about those is told. */
function settledDeployments(
  wanted: readonly DesiredDeployment[],
  ready: readonly ReadyEntry[],
  actual: Actual,
  { inputs, world }: Job,
): readonly DesiredDeployment[] {
  const flows = ready.map(({ flow }) => flow);
  const { deployments, notes } = settleSchemas(wanted, flows, actual, inputs.schema);
  for (const { level, text, where } of notes) {
    if (level === 'info') world.log.info(text);
    else world.log.warning(text, where);
  }
  return deployments;
}

function pullSteps(configuration: Configuration, prepared: Prepared, job: Job): readonly JsonObject[] {
  if (prepared.pull !== undefined) return prepared.pull.map((step) => step.raw);
  const { work_pool: workPool } = configuration.settings;
  const variables = isJsonObject(workPool) && isJsonObject(workPool.job_variables) ? workPool.job_variables : {};
  const { steps, warning } = defaultPull(job.project, configuration.entry, variables.image);
  if (warning !== undefined) job.world.log.warning(warning, configuration.entry.where);
  return steps;
}

async function startAndFollow(job: Job, applied: Applied): Promise<Run[]> {
  const { inputs, api, world, state } = job;
  const { log, signal } = world;
  // A run of what could not be deployed would be a run of the old code.
  if (inputs.run.length === 0 || applied.failures.length > 0) return [];
  const remember = inputs.wait && inputs.cancelRuns;
  const started = await startRuns(
    inputs.run,
    applied.deployments,
    api,
    log,
    (run) => {
      if (remember) state.rememberRun(run);
    },
    signal,
  );
  if (!inputs.wait) return started.map((run): Run => ({ ...run, outcome: 'started' }));
  const options = { timeoutMs: inputs.runTimeoutMs, cancel: inputs.cancelRuns };
  const runs = await followRuns(started, api, options, world);
  state.forgetRuns();
  return runs;
}

/** Outputs and summary come first, so that they are there also when the step then fails. */
async function report(result: Report, job: Job): Promise<void> {
  const { log } = job.world;
  for (const [name, value] of Object.entries(outputsOf(result))) core.setOutput(name, log.redact(value));
  if (job.world.env.GITHUB_STEP_SUMMARY) await core.summary.addRaw(log.redact(summaryMarkdown(result))).write();
  throwIfAny([
    ...result.applied.failures.map(
      ({ what, reason, where }) =>
        new Problem(`${what} was not written: ${reason}`, {
          remedy: 'Everything else was applied; mend this and run the job again.',
          ...(where === undefined ? {} : { where }),
        }),
    ),
    ...explainFailedRuns(result.runs, result.plan, job.inputs.runTimeoutMs),
  ]);
}
