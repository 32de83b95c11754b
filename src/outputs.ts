import type { JsonObject } from '@slipway/prefect/json';
import { uiLink } from '@slipway/prefect/settings';
import { changes } from './deploy/model.ts';
import { openBudget } from './report/budget.ts';
import { planJson } from './report/plan-json.ts';
import type { Report } from './report/summary.ts';

/**
 * GitHub takes 1 MB of outputs a job, which it counts as UTF-16: half a million characters. A list that is longer than
 * its share loses what is unchanged, then its end; the plan has what the others leave.
 */
const MOST_CHARACTERS = 450_000;
const MOST_OF_A_LIST = 120_000;

export interface Outputs {
  readonly values: Readonly<Record<string, string>>;
  /** What a person should hear of: outputs that are not whole. */
  readonly warnings: readonly string[];
}

/** The action's outputs by name, as text; an image's are those of the last image that was built. */
export function outputsOf(report: Report): Outputs {
  const image = report.images.at(-1);
  const warnings: string[] = [];
  const list = (name: string, objects: readonly JsonObject[]): string => {
    const fitting = firstThatFit(objects);
    if (fitting.length < objects.length) {
      warnings.push(`The output ${name} holds ${fitting.length} of ${objects.length}: GitHub takes 1 MB of a job.`);
    }
    return JSON.stringify(fitting);
  };
  const values = {
    image: image?.image ?? '',
    'image-ref': image?.imageRef ?? '',
    digest: image?.digest ?? '',
    tag: image?.plan.tags[0] ?? '',
    tags: image?.plan.tags.join('\n') ?? '',
    sha: report.revision.sha ?? '',
    deployments: list('deployments', deploymentsOf(report)),
    'work-pools': list('work-pools', workPoolsOf(report)),
    runs: list('runs', runsOf(report)),
    changed: String(changes(report.plan)),
  };
  const used = Object.values(values).reduce((sum, value) => sum + value.length, 0);
  const plan = planJson(report.plan, MOST_CHARACTERS - used);
  if ('left_out' in plan) {
    warnings.push('The output plan is not whole (`left_out`): GitHub takes 1 MB of a job. The log has all of it.');
  }
  return { values: { ...values, plan: JSON.stringify(plan) }, warnings };
}

function deploymentsOf({ plan, applied, mode, uiUrl }: Report): JsonObject[] {
  const ids = new Map(applied.deployments.map((one) => [one.name, one.id]));
  return plan.deployments.map((planned) => {
    const id = ids.get(planned.desired.name) ?? (planned.action === 'create' ? undefined : planned.actual.id);
    return {
      name: planned.desired.name,
      action: planned.action,
      ...(mode === 'deploy' && !ids.has(planned.desired.name) ? { written: false } : {}),
      ...(id === undefined ? {} : { id, url: uiLink(uiUrl, { kind: 'deployment', id }) }),
    };
  });
}

function workPoolsOf({ plan, uiUrl }: Report): JsonObject[] {
  return plan.workPools.map(({ name, action }) => ({
    name,
    action,
    url: uiLink(uiUrl, { kind: 'work-pool', name }),
  }));
}

function runsOf({ runs }: Report): JsonObject[] {
  return runs.map((run) => ({
    id: run.id,
    name: run.name,
    deployment: run.deployment,
    url: run.url,
    state: run.outcome === 'started' ? null : run.state.type,
  }));
}

/** As many objects as fit, in their order: all, or those that are not unchanged, or the first of those. */
function firstThatFit(objects: readonly JsonObject[]): readonly JsonObject[] {
  if (JSON.stringify(objects).length <= MOST_OF_A_LIST) return objects;
  const moving = objects.filter(({ action }) => action !== 'unchanged');
  return openBudget(MOST_OF_A_LIST, (text) => text.length + 1).take(moving, (one) => JSON.stringify(one)).taken;
}
