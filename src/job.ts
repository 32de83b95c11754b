import { isAbsolute, resolve } from 'node:path';
import { openPrefectApi, type PrefectApi } from '@slipway/prefect/client';
import { PythonSources } from './flow/sources.ts';
import type { Inputs } from './inputs/inputs.ts';
import { readPrefectSettings } from './prefect-settings.ts';
import { loadProject } from './project/load.ts';
import type { Project } from './project/model.ts';
import type { Credentials } from './registry/model.ts';
import { readEvent } from './source/event.ts';
import { decideMode } from './source/mode.ts';
import type { Revision } from './source/model.ts';
import { findRevision } from './source/revision.ts';
import type { StateFile } from './state.ts';
import type { World } from './world.ts';

/** One run's circumstances, fixed before its first stage. */
export interface Job {
  readonly world: World;
  readonly state: StateFile;
  readonly inputs: Inputs;
  /** The project's directory and the repository's root, absolute. */
  readonly directory: string;
  readonly workspace: string;
  readonly project: Project;
  readonly mode: 'plan' | 'deploy';
  /** Why it is that mode, a clause that follows "because". */
  readonly reason: string;
  readonly revision: Revision;
  readonly api: PrefectApi;
  /** The connection's settings for programs that steps start; holds secrets. */
  readonly programEnv: Readonly<Record<string, string>>;
  /** The Python files that were read: each once, however many entries name it. */
  readonly sources: PythonSources;
  /** The credentials that builds used, by registry host. */
  readonly signedIn: Map<string, Credentials>;
}

/**
 * Finds out what this run is about: settings, event, revision, prefect.yaml. Secrets of inputs and settings are masked
 * here, before anything else is logged. Whoever opens a job closes its `api`.
 *
 * @throws Problem | Problems
 */
export async function openJob(inputs: Inputs, world: World, state: StateFile): Promise<Job> {
  const workspace = world.env.GITHUB_WORKSPACE || process.cwd();
  const directory = resolve(workspace, inputs.workingDirectory);
  const settings = await readPrefectSettings(inputs, directory, world);
  for (const secret of [...settings.secrets, ...secretsOf(inputs)]) world.log.mask(secret);
  for (const warning of settings.warnings) world.log.warning(warning);

  const event = await readEvent(world.env, world.files);
  const revision = await findRevision({ ...world, directory, event });
  const { mode, reason, refused } = decideMode(inputs.mode, event, revision, inputs.allowUntrusted);
  if (refused) world.log.warning(`Nothing will be written: ${reason}`);
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
  return {
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
    programEnv: settings.programEnv,
    sources: new PythonSources(world.files),
    signedIn: new Map(),
  };
}

function secretsOf(inputs: Inputs): string[] {
  const values = (inputs.image?.secrets ?? []).flatMap((one) => (one.kind === 'value' ? [one.value] : []));
  return [inputs.registry.credentials?.password ?? '', ...values];
}
