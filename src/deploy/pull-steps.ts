import { isJsonObject, type JsonObject } from '@slipway/prefect/json';
import type { OwnImage } from '../image/own-image.ts';
import { defaultPull } from '../project/default-pull.ts';
import type { Project } from '../project/model.ts';
import type { Prepared } from '../steps/model.ts';
import type { World } from '../world.ts';
import type { Configuration } from './configuration.ts';

/**
 * The pull steps of a deployment as they are sent: those that are written, else what takes their place.
 *
 * @throws Problem when a worker would not know where to find the flow.
 */
export function pullSteps(
  { entry, settings }: Configuration,
  own: OwnImage | undefined,
  prepared: Prepared,
  { project, world }: { readonly project: Project; readonly world: Pick<World, 'log'> },
): readonly JsonObject[] {
  if (prepared.pull !== undefined) return prepared.pull.map((step) => step.raw);
  const { work_pool: workPool } = settings;
  const variables = isJsonObject(workPool) && isJsonObject(workPool.job_variables) ? workPool.job_variables : {};
  const { steps, warning } = defaultPull(project, entry, variables.image, own);
  if (warning !== undefined) world.log.warning(warning, entry.where);
  return steps;
}
