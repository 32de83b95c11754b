import { referenceReaders } from '@slipway/prefect/client';
import { createImageBuilder } from '../image/builder.ts';
import { withOciLabels } from '../image/labels.ts';
import type { Job } from '../job.ts';
import type { Entry } from '../project/model.ts';
import { openSignIn } from '../registry/sign-in.ts';
import type { Prepared } from './model.ts';
import { prepare } from './prepare.ts';

/** Runs (in a plan: foresees) the steps of every entry; equal images are built once. */
export async function prepareEntries(entries: readonly Entry[], job: Job): Promise<Prepared[]> {
  const { world, project, revision, mode, inputs, api, state } = job;
  const build = createImageBuilder({
    world,
    signIn: openSignIn(inputs.registry, { ...world, fetch: globalThis.fetch }),
    reuse: { ifExists: inputs.ifExists, revision, workspace: job.workspace },
    remember: (directory) => state.rememberDirectory(directory),
    signedIn: job.signedIn,
  });
  return await prepare(entries, {
    world,
    project,
    revision,
    mode,
    programEnv: job.programEnv,
    readers: referenceReaders(api, world.signal),
    buildImage: (plan, credentials) => build(withOciLabels(plan, revision), credentials),
    baseImage: inputs.baseImage,
    builder: inputs.builder,
    dockerNamespace: api.settings.defaultDockerBuildNamespace,
  });
}
