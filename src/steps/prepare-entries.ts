import { referenceReaders } from '@slipway/prefect/client';
import type { ImageBuilder } from '../image/builder.ts';
import type { OwnImage } from '../image/own-image.ts';
import type { Job } from '../job.ts';
import type { Entry } from '../project/model.ts';
import type { Prepared } from './model.ts';
import { prepare } from './prepare.ts';

/** Runs (in a plan: foresees) the steps of every entry; equal images are built once. */
export async function prepareEntries(
  entries: readonly Entry[],
  own: OwnImage | undefined,
  buildImage: ImageBuilder,
  { world, project, revision, mode, inputs, api, programEnv }: Job,
): Promise<Prepared[]> {
  return await prepare(entries, {
    world,
    project,
    revision,
    mode,
    programEnv,
    readers: referenceReaders(api, world.signal),
    buildImage,
    ownImage: own?.built,
    baseImage: inputs.baseImage,
    builder: inputs.builder,
    dockerNamespace: api.settings.defaultDockerBuildNamespace,
  });
}
