import { referenceReaders } from '@slipway/prefect/client';
import { readOnce } from '@slipway/prefect/template';
import { readEntryFlows } from '../flow/entry-flows.ts';
import type { Flow } from '../flow/index.ts';
import type { Job } from '../job.ts';
import { throwIfAny } from '../problem.ts';
import type { Entry } from '../project/model.ts';
import { stepEnvironment } from '../steps/templating.ts';
import { enforcement, readActualWorkPools } from './actual.ts';
import { type Configuration, configure } from './configuration.ts';
import { desiredWorkPools } from './desired-work-pools.ts';
import type { ActualWorkPools, DesiredWorkPool } from './model.ts';
import { checkKnownParameters } from './parameters.ts';
import { checkSlas } from './slas.ts';
import { checkTriggers } from './triggers.ts';
import { checkStatically } from './validate.ts';
import { planWorkPool } from './work-pool.ts';

/** What is known of the run's entries before any of their steps has run. */
export interface Checked {
  /** One for each entry, in their order; likewise the flows. */
  readonly configurations: readonly Configuration[];
  readonly flows: readonly (Flow | undefined)[];
  readonly workPools: readonly DesiredWorkPool[];
  readonly actualPools: ActualWorkPools;
}

/**
 * Reads what stands still while steps run (blocks, flows, work pools) and refuses all that can be refused by it.
 *
 * @throws Problem | Problems: everything that is wrong at once.
 */
export async function checkFirst(entries: readonly Entry[], job: Job): Promise<Checked> {
  const { world, project, api, directory, workspace } = job;
  const { signal, log, files } = world;
  const { cloud, defaultWorkPoolName } = api.settings;
  const configurations = await configure(entries, {
    readers: readOnce(referenceReaders(api, signal)),
    env: stepEnvironment(world.env),
    onSecret: (secret) => log.mask(secret),
    defaultWorkPoolName,
  });
  const { flows, problems } = await readEntryFlows(configurations, {
    directory,
    workspace,
    sources: job.sources,
    files,
  });
  const workPools = await desiredWorkPools(project, files);
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
  return { configurations, flows, workPools, actualPools };
}
