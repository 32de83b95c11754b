import { isJsonObject, type JsonObject } from '@slipway/prefect/json';
import { unresolved } from '@slipway/prefect/template';
import { validateJobVariables } from '@slipway/prefect/workpool';
import { Problem } from '../problem.ts';
import { placeOf } from '../project/place.ts';
import { isUnknown } from '../steps/foresight.ts';
import type { Configuration } from './configuration.ts';
import type { Actual, ActualWorkPools, DesiredDeployment, PlannedWorkPool } from './model.ts';
import { desiredSchedules } from './schedules/desired-schedules.ts';
import { deploymentRules } from './server-rules.ts';

/**
 * All that can be refused before a step runs: schedules, names and limits that no server takes, work pools that do not
 * exist, job variables
 * that the pool's template does not take; what still holds placeholders of step outputs waits until they are known.
 */
export function checkStatically(
  configurations: readonly Configuration[],
  actual: ActualWorkPools,
  planned: readonly PlannedWorkPool[],
): Problem[] {
  const templates = templatesAfter(actual, planned);
  return [
    ...configurations.flatMap(({ settings, entry }) => desiredSchedules(settings, entry).problems),
    ...configurations.flatMap(({ settings, entry }) => deploymentRules(settings, entry)),
    ...checkWorkPools(configurations, templates, actual),
    ...configurations.flatMap((configuration) => checkKnownJobVariables(configuration, templates)),
  ];
}

/**
 * Job variables of the desired deployments against the template that their pool has or gets, once all placeholders are
 * filled in and before anything is written (design.md, difference 2).
 */
export function checkJobVariables(
  deployments: readonly DesiredDeployment[],
  actual: Actual,
  planned: readonly PlannedWorkPool[],
): Problem[] {
  const templates = templatesAfter(actual, planned);
  return deployments.flatMap((deployment) =>
    jobVariableProblems(deployment.name, deployment, known(deployment.fields.job_variables), {
      pool: deployment.fields.work_pool_name,
      template: templates.get(deployment.fields.work_pool_name),
      occasion: actual.deployments.has(deployment.name) ? 'update' : 'create',
    }),
  );
}

/** One problem for each pool, however many deployments name it. */
function checkWorkPools(
  configurations: readonly Configuration[],
  templates: ReadonlyMap<string, JsonObject>,
  actual: ActualWorkPools,
): Problem[] {
  return [...Map.groupBy(configurations, (one) => one.workPoolName)].flatMap(([pool, users]) => {
    const [first] = users;
    const wrong = first === undefined ? undefined : wrongWorkPool(pool, templates, actual);
    if (first === undefined || wrong === undefined) return [];
    const where = placeOf(first.entry, 'work_pool.name');
    const names = users.map((one) => one.name).join(', ');
    return [
      new Problem(`${wrong.message} (deployment${users.length === 1 ? '' : 's'} ${names})`, {
        where,
        remedy: wrong.remedy,
      }),
    ];
  });
}

function wrongWorkPool(
  pool: string,
  templates: ReadonlyMap<string, JsonObject>,
  actual: ActualWorkPools,
): { readonly message: string; readonly remedy: string } | undefined {
  if (actual.workPools.get(pool)?.pool.type === 'prefect-agent') {
    return {
      message: `work pool ${pool} is of type prefect-agent, which Prefect no longer has`,
      remedy: 'Use a pool of another type, e.g. kubernetes.',
    };
  }
  if (templates.has(pool) || unresolved(pool).length > 0) return undefined;
  return {
    message: `there is no work pool ${pool}`,
    remedy: `Correct the name, or add the pool under \`work_pools:\`: {name: ${pool}, type: kubernetes}.`,
  };
}

function checkKnownJobVariables(configuration: Configuration, templates: ReadonlyMap<string, JsonObject>): Problem[] {
  const { work_pool: workPool } = configuration.settings;
  const written = isJsonObject(workPool) && isJsonObject(workPool.job_variables) ? workPool.job_variables : {};
  const resolved = Object.fromEntries(Object.entries(written).filter(([, value]) => unresolved(value).length === 0));
  return jobVariableProblems(`deployment ${configuration.name}`, configuration.entry, resolved, {
    pool: configuration.workPoolName,
    template: templates.get(configuration.workPoolName),
    occasion: 'create',
  });
}

/** Without what only a deploy can know, which a plan cannot check. */
function known(jobVariables: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(jobVariables).filter(([, value]) => !isUnknown(value)));
}

function jobVariableProblems(
  what: string,
  places: Parameters<typeof placeOf>[0],
  jobVariables: JsonObject,
  against: { readonly pool: string; readonly template: JsonObject | undefined; readonly occasion: 'create' | 'update' },
): Problem[] {
  if (against.template === undefined) return [];
  return validateJobVariables(against.template, jobVariables, against.occasion).map(
    ({ path, message }) =>
      new Problem(`${what}: job variable ${path === '' ? '' : `${path} `}${message}`, {
        where: placeOf(places, `work_pool.job_variables${path === '' ? '' : `.${path}`}`),
        remedy: `Correct it for the base job template of work pool ${against.pool}.`,
      }),
  );
}

/** The template of each pool as it is once the plan was applied. */
export function templatesAfter(
  actual: ActualWorkPools,
  planned: readonly PlannedWorkPool[],
): ReadonlyMap<string, JsonObject> {
  const templates = new Map([...actual.workPools].map(([name, { pool }]) => [name, pool.base_job_template]));
  for (const pool of planned) {
    if (pool.action === 'unchanged') continue;
    const template = pool.body.base_job_template;
    if (isJsonObject(template)) templates.set(pool.name, template);
  }
  return templates;
}
