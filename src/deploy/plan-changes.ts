import type { OwnImage } from '../image/own-image.ts';
import { signInToFetch } from '../image/sign-in.ts';
import type { Job } from '../job.ts';
import { throwIfAny } from '../problem.ts';
import type { Prepared } from '../steps/model.ts';
import { stepEnvironment } from '../steps/templating.ts';
import { readActual } from './actual.ts';
import type { Checked } from './check-first.ts';
import { type DesireContext, desiredDeployments, type ReadyEntry } from './desired.ts';
import { diff } from './diff.ts';
import { flowsFromImages } from './image-flows.ts';
import type { Actual, DesiredDeployment, Plan } from './model.ts';
import { checkParameters } from './parameters.ts';
import { placeholderWarnings } from './placeholder-warnings.ts';
import { pullSteps } from './pull-steps.ts';
import { scheduleWarnings } from './schedules/warnings.ts';
import { settleSchemas } from './settle-schemas.ts';
import { desiredSlas } from './slas.ts';
import { checkTriggerVariables } from './trigger-variables.ts';
import { desiredAutomations } from './triggers.ts';
import { checkJobVariables } from './validate.ts';

/**
 * What prefect.yaml wants now that its steps have run, held against what the server has: the plan, checked as a whole.
 *
 * @throws Problem | Problems: everything that the server would refuse.
 */
export async function planChanges(
  checked: Checked,
  own: OwnImage | undefined,
  prepared: readonly Prepared[],
  job: Job,
): Promise<Plan> {
  const { world, revision, api } = job;
  const { log, signal } = world;
  const env = stepEnvironment(world.env);
  const context: DesireContext = { env, revision, ownImage: own?.built };
  const ready = await withExactFlows(readyEntries(checked, own, prepared, job), context, job);
  for (const { message, where } of placeholderWarnings(ready, env)) log.warning(message, where);
  const wanted = desiredDeployments(ready, context);
  const besides = {
    workPools: checked.workPools,
    automations: desiredAutomations(ready, wanted, { env, cloud: api.settings.cloud }),
    slas: desiredSlas(ready, wanted, env),
  };
  const actual = await readActual({ ...besides, deployments: wanted }, checked.actualPools, api, signal);
  const desired = { ...besides, deployments: settledDeployments(wanted, ready, actual, job) };
  const plan = diff(desired, actual);
  throwIfAny([
    ...checkJobVariables(desired.deployments, actual, plan.workPools),
    ...checkParameters(plan),
    ...checkTriggerVariables(desired.automations, actual, plan.workPools),
  ]);
  for (const { message, where } of scheduleWarnings(plan)) log.warning(message, where);
  return plan;
}

function readyEntries(
  checked: Checked,
  own: OwnImage | undefined,
  prepared: readonly Prepared[],
  job: Job,
): ReadyEntry[] {
  return checked.configurations.flatMap((configuration, index) => {
    const [flow, one] = [checked.flows[index], prepared[index]];
    if (flow === undefined || one === undefined) return [];
    return [{ configuration, flow, prepared: one, pull: pullSteps(configuration, own, one, job) }];
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
