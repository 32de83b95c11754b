import type { JsonObject } from '@slipway/prefect/json';
import { type ReferenceReaders, readOnce } from '@slipway/prefect/template';
import type { BuiltImage } from '../image/model.ts';
import { throwIfAny } from '../problem.ts';
import type { Entry, StepSpec } from '../project/model.ts';
import { type EffectiveSteps, effectiveSteps } from '../project/steps-of.ts';
import { findPython } from './find-python.ts';
import { inputsHandedOn } from './foreseen-outputs.ts';
import { unknownPaths } from './foresight.ts';
import { checkSteps, needsPython, stepFunction } from './known-steps.ts';
import type { ImageMemo, NamedBuild, PrepareContext, Prepared, StepResult } from './model.ts';
import { BUILD_DOCKER_IMAGE, PUSH_DOCKER_IMAGE } from './push-ahead.ts';
import { slipwayOutputs } from './slipway-outputs.ts';
import { stepLabel } from './step-problem.ts';
import { fillInputs, stepEnvironment } from './templating.ts';

/**
 * Runs the build and push steps of each entry in order, one entry after the other, as Prefect does (contracts/deploy.md
 * §1.6, §2.1): the top level's steps run again for every deployment, only images are built once. In plan mode the same
 * interpreter foresees the outputs, and nothing runs that writes.
 *
 * Failure model: the first step that fails ends it, before anything has been written to the server. What steps did by
 * themselves, such as pushing an image, stays done and does no harm when the run is repeated.
 *
 * @returns one Prepared for each entry, in their order.
 * @throws Problem | Problems for steps that cannot run or fail; the reason of the abort when the job is cancelled.
 */
export async function prepare(entries: readonly Entry[], context: PrepareContext): Promise<Prepared[]> {
  const effective = entries.map((entry) => ({ entry, steps: effectiveSteps(context.project, entry) }));
  // Steps of the top level are the same objects for each entry, and are complained of once.
  const steps = new Set(effective.flatMap(({ steps: { build, push } }) => [...build, ...push]));
  throwIfAny(checkSteps(steps, await hasPythonFor(steps, context)));
  const workTree: WorkTree = { changedBy: undefined };
  const references = { readers: readOnce(context.readers) };
  const images: ImageMemo = { built: new Map(), byName: namesOf(context.ownImage), defaultTags: new Map() };
  const prepared: Prepared[] = [];
  for (const { entry, steps } of effective)
    prepared.push(await prepareEntry(entry, steps, { images, workTree, references }, context));
  return prepared;
}

/** What steps of all entries share. */
interface Shared {
  readonly images: ImageMemo;
  readonly workTree: WorkTree;
  /** What was read of blocks and variables; begun anew after a step that may have changed one. */
  readonly references: { readers: ReferenceReaders };
}

/** Which step may have changed files of the work tree, so that the commit no longer says what is in an image. */
interface WorkTree {
  changedBy: string | undefined;
}

/** A push step may name the action's own image too. */
function namesOf(own: BuiltImage | undefined): Map<string, NamedBuild> {
  const tags = own?.plan.tags ?? [];
  return new Map(
    tags.flatMap((tag) => (own ? [[`${own.plan.repository}:${tag}`, { plan: own.plan, built: own }]] : [])),
  );
}

/** Looked for only when a step needs it. */
async function hasPythonFor(steps: ReadonlySet<StepSpec>, { world }: PrepareContext): Promise<boolean> {
  if (![...steps].some(needsPython)) return false;
  return (await findPython(stepEnvironment(world.env), world.files.exists)) !== undefined;
}

async function prepareEntry(
  entry: Entry,
  steps: EffectiveSteps,
  { images, workTree, references }: Shared,
  context: PrepareContext,
): Promise<Prepared> {
  const env = stepEnvironment(context.world.env);
  const queue = [...steps.build, ...steps.push];
  let outputs: JsonObject = slipwayOutputs(context);
  let { directory } = context.project;
  let built: readonly BuiltImage[] = context.ownImage === undefined ? [] : [context.ownImage];
  for (const [index, step] of queue.entries()) {
    context.world.signal.throwIfAborted();
    const result = await inLog(entry, step, context, async () => {
      const inputs = await fillInputs(step, inputsFor(step, context), outputs, env, { ...context, ...references });
      const following = queue.slice(index + 1);
      const { changedBy } = workTree;
      const shared = { images, changedBy };
      const run = { context, entry, step, inputs, directory, env, outputs, following, pull: steps.pull, ...shared };
      const { onlyReads, run: runStep } = stepFunction(step);
      const changes = onlyReads?.(run) !== true;
      if (changes) workTree.changedBy ??= `the step ${stepLabel(step)}`;
      const done = await runStep(run);
      if (changes && context.mode === 'deploy') references.readers = readOnce(context.readers);
      return done;
    });
    if (step.id !== undefined && Object.hasOwn(result.outputs, step.id)) warnOfLostId(step, step.id, context);
    const named = step.id === undefined || result.hasNone ? {} : { [step.id]: result.outputs };
    outputs = { ...outputs, ...named, ...result.outputs };
    directory = result.directory ?? directory;
    built = withImage(built, result.image);
  }
  return { entry, outputs, images: built, pull: steps.pull, unknown: unknownPaths(outputs) };
}

/** The outputs without an id come last, so that one of them takes the place of the id (contract, "Seen on 3.8.8" 6). */
function warnOfLostId(step: StepSpec, id: string, context: PrepareContext): void {
  context.world.log.warning(
    `the id ${id} is also the name of an output, so that {{ ${id}.… }} finds nothing; call the step something else`,
    step.where,
  );
}

const SECRET_INPUTS = ['credentials', 'access_token'];

/** A plan signs in nowhere, so it has no need to read blocks with passwords, nor inputs of what does not run. */
function inputsFor(step: StepSpec, context: PrepareContext): JsonObject {
  if (context.mode !== 'plan') return step.inputs;
  const handedOn = needsPython(step) ? inputsHandedOn(step.function) : undefined;
  const entries = Object.entries(step.inputs).filter(
    ([name]) => handedOn?.includes(name) ?? !SECRET_INPUTS.includes(name),
  );
  return Object.fromEntries(entries);
}

/** A build opens a group of its own, and a runner's log has groups of one level only. */
async function inLog(
  entry: Entry,
  step: StepSpec,
  context: PrepareContext,
  body: () => Promise<StepResult>,
): Promise<StepResult> {
  const { log } = context.world;
  const title = `${entry.name ?? 'deployment'}: ${stepLabel(step)}`;
  if (step.function === BUILD_DOCKER_IMAGE || step.function === PUSH_DOCKER_IMAGE) {
    log.info(title);
    return await body();
  }
  return await log.group(title, body);
}

/** An image that was built first and pushed later counts once, as pushed. */
function withImage(images: readonly BuiltImage[], image: BuiltImage | undefined): readonly BuiltImage[] {
  if (image === undefined || images.includes(image)) return images;
  const isSame = (other: BuiltImage) => {
    return (
      other.plan.repository === image.plan.repository && other.plan.tags.every((tag) => image.plan.tags.includes(tag))
    );
  };
  return [...images.filter((other) => !isSame(other)), image];
}
