import { isJsonObject, type Json, type JsonObject } from '@slipway/prefect/json';
import { type ReferenceReaders, readOnce } from '@slipway/prefect/template';
import type { BuiltImage } from '../image/model.ts';
import { throwIfAny } from '../problem.ts';
import type { Entry, StepSpec } from '../project/model.ts';
import { type EffectiveSteps, effectiveSteps } from '../project/steps-of.ts';
import { alreadyBuilt, type Building, BuildQueue } from './build-queue.ts';
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
  const images: ImageMemo = {
    built: new Map(),
    byName: namesOf(context.ownImage),
    defaultTags: new Map(),
    queue: new BuildQueue(context.buildImage),
  };
  const interpreted: Interpreted[] = [];
  for (const { entry, steps } of effective)
    interpreted.push(await interpret(entry, steps, { images, workTree, references }, context));
  await images.queue.run();
  return await Promise.all(interpreted.map(finished));
}

/** An entry whose steps have run, but for builds that may still be in the queue. */
interface Interpreted extends Pick<Prepared, 'entry' | 'pull' | 'outputs'> {
  readonly images: readonly Building[];
  readonly late: readonly LateOutput[];
}

/** An output of a step that comes when its image is built. */
interface LateOutput {
  readonly id: string | undefined;
  readonly name: string;
  readonly value: () => Promise<Json>;
}

async function finished({ entry, pull, outputs, images, late }: Interpreted): Promise<Prepared> {
  const all = await withLate(outputs, late);
  const made = await Promise.all(images.map((image) => image.made));
  return { entry, outputs: all, images: made.reduce(withImage, []), pull, unknown: unknownPaths(all) };
}

async function withLate(outputs: JsonObject, late: readonly LateOutput[]): Promise<JsonObject> {
  let all = outputs;
  for (const { id, name, value } of late) {
    const come = { [name]: await value() };
    const own = id === undefined ? undefined : all[id];
    all = { ...all, ...come, ...(id !== undefined && isJsonObject(own) ? { [id]: { ...own, ...come } } : {}) };
  }
  return all;
}

/** True when a step may ask for an output that is not there yet: it names it, or takes all outputs of an id. */
function asksFor(step: StepSpec, late: readonly LateOutput[]): boolean {
  const text = JSON.stringify(step.inputs).replaceAll(' ', '');
  return late.some(({ id, name }) => text.includes(name) || (id !== undefined && text.includes(`{{${id}}}`)));
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
    tags.flatMap((tag) =>
      own ? [[`${own.plan.repository}:${tag}`, { plan: own.plan, built: alreadyBuilt(own) }]] : [],
    ),
  );
}

/** Looked for only when a step needs it. */
async function hasPythonFor(steps: ReadonlySet<StepSpec>, { world }: PrepareContext): Promise<boolean> {
  if (![...steps].some(needsPython)) return false;
  return (await findPython(stepEnvironment(world.env), world.files.exists)) !== undefined;
}

/**
 * Runs the steps of one entry in order. Builds are only queued: what follows them goes on, as long as it neither asks for
 * their outputs nor does anything that a build could notice, or notice a build by. Docker's own steps and those that
 * only read do not; before every other one the queue is run.
 */
async function interpret(
  entry: Entry,
  steps: EffectiveSteps,
  { images, workTree, references }: Shared,
  context: PrepareContext,
): Promise<Interpreted> {
  const env = stepEnvironment(context.world.env);
  const queue = [...steps.build, ...steps.push];
  let outputs: JsonObject = slipwayOutputs(context);
  let { directory } = context.project;
  const built: Building[] = context.ownImage === undefined ? [] : [alreadyBuilt(context.ownImage)];
  let late: LateOutput[] = [];
  const catchUp = async () => {
    await images.queue.run();
    outputs = await withLate(outputs, late);
    late = [];
  };
  for (const [index, step] of queue.entries()) {
    context.world.signal.throwIfAborted();
    if (asksFor(step, late)) await catchUp();
    const inputs = await fillInputs(step, inputsFor(step, context), outputs, env, { ...context, ...references });
    const following = queue.slice(index + 1);
    const { changedBy } = workTree;
    const shared = { images, changedBy };
    const run = { context, entry, step, inputs, directory, env, outputs, following, pull: steps.pull, ...shared };
    const { onlyReads, run: runStep } = stepFunction(step);
    const changes = onlyReads?.(run) !== true;
    if (changes) await catchUp();
    if (changes) workTree.changedBy ??= `the step ${stepLabel(step)}`;
    const result = await inLog(entry, step, context, () => runStep({ ...run, outputs }));
    if (changes && context.mode === 'deploy') references.readers = readOnce(context.readers);
    if (step.id !== undefined && Object.hasOwn(result.outputs, step.id)) warnOfLostId(step, step.id, context);
    const named = step.id === undefined || result.hasNone ? {} : { [step.id]: result.outputs };
    outputs = { ...outputs, ...named, ...result.outputs };
    directory = result.directory ?? directory;
    const { image, late: output } = result;
    if (image === undefined) continue;
    built.push(image);
    if (output !== undefined) {
      late.push({ id: step.id, name: output.name, value: async () => output.from(await image.made) });
    }
  }
  return { entry, outputs, images: built, late, pull: steps.pull };
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
function withImage(images: readonly BuiltImage[], image: BuiltImage): readonly BuiltImage[] {
  if (images.includes(image)) return images;
  const isSame = (other: BuiltImage) => {
    return (
      other.plan.repository === image.plan.repository && other.plan.tags.every((tag) => image.plan.tags.includes(tag))
    );
  };
  return [...images.filter((other) => !isSame(other)), image];
}
