import { apply } from './deploy/apply.ts';
import { checkFirst } from './deploy/check-first.ts';
import { nothingApplied } from './deploy/model.ts';
import { planChanges } from './deploy/plan-changes.ts';
import type { BuiltImage } from './image/model.ts';
import { openImageBuilder } from './image/open-builder.ts';
import { buildOwnImage, type OwnImage } from './image/own-image.ts';
import { readInputs } from './inputs/inputs.ts';
import { type Job, openJob } from './job.ts';
import { chooseEntries } from './project/choose-entries.ts';
import { publish } from './report/publish.ts';
import { showPlan } from './report/show-plan.ts';
import { startAndFollow } from './runs/start-and-follow.ts';
import type { StateFile } from './state.ts';
import type { Prepared } from './steps/model.ts';
import { prepareEntries } from './steps/prepare-entries.ts';
import type { World } from './world.ts';

/**
 * The whole way of one run, top to bottom: each stage takes the value of the one before it. Nothing is written on the
 * server before everything that can be checked has been; in plan mode nothing is written at all.
 *
 * @throws Problem | Problems and the errors of @slipway/prefect/client: main.ts makes annotations of them.
 */
export async function runAction(world: World, state: StateFile): Promise<void> {
  const job = await openJob(readInputs(world.env), world, state);
  try {
    await ship(job);
  } finally {
    await job.api.close();
  }
}

async function ship(job: Job): Promise<void> {
  const { world, mode, api, reason, revision } = job;
  const entries = await chooseEntries(job);
  const checked = await checkFirst(entries, job);
  const buildImage = openImageBuilder(job);
  const own = await buildOwnImage(entries, buildImage, job);
  const prepared = await prepareEntries(entries, own, buildImage, job);
  const plan = await planChanges(checked, own, prepared, job);
  await showPlan(plan, world.log);
  const applied = mode === 'plan' ? nothingApplied() : await apply(plan, api, world.log, world.signal);
  const runs = mode === 'plan' ? [] : await startAndFollow(applied, job);
  const images = imagesOf(own, prepared);
  await publish({ mode, modeReason: reason, revision, images, plan, applied, runs, uiUrl: api.settings.uiUrl }, job);
}

/** The images of a run, each once, the action's own last: outputs speak of the last one. */
function imagesOf(own: OwnImage | undefined, prepared: readonly Prepared[]): BuiltImage[] {
  const all = [...prepared.flatMap((one) => one.images), ...(own === undefined ? [] : [own.built])];
  const byName = new Map<string, BuiltImage>();
  for (const image of all) {
    byName.delete(image.image);
    byName.set(image.image, image);
  }
  return [...byName.values()];
}
