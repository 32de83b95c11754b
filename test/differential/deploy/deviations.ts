import type { Json } from '@slipway/prefect/json';
import type { Difference } from './compare.ts';
import type { Project, Stage } from './project.ts';

/** Where the action knowingly leaves another state than Prefect's CLI. Nothing else may differ, and each must be seen. */
export interface Deviation {
  /** Row of docs/decisions/differences.md. */
  readonly row: number;
  readonly why: string;
  /** Projects in which it is seen, in each of them; or it may be in any, and is in one at least. */
  readonly projects: readonly string[] | 'any';
  readonly stages?: readonly Stage[];
  /** Of the place, as a Difference tells it. */
  readonly path: RegExp;
  readonly prefect?: Json;
  readonly action?: Json;
}

export const DEVIATIONS: readonly Deviation[] = [
  {
    row: 6,
    why: 'a description that nobody wrote is none; the CLI creates deployments with the text None',
    projects: 'any',
    stages: ['first', 'changed'],
    path: /^deployments > [^>]+ > description$/,
    prefect: 'None',
    action: null,
  },
  {
    row: 6,
    why: 'a limit that the file does not mention may have been set by somebody; the CLI deletes it on every deploy',
    projects: ['concurrency-removed'],
    stages: ['changed'],
    path: /^(deployments > hello\/absent > global_concurrency_limit|limits > deployment:<hello\/absent>)$/,
  },
  {
    row: 6,
    why: 'null means that nothing is written; the CLI loses the file or crashes',
    projects: ['file-nulls'],
    path: /^(deployments > hello\/nulls|flows > hello|succeeded)$/,
  },
  {
    row: 15,
    why:
      'a default that a missing library computes is left out, where Prefect without the library makes it null, and ' +
      'parameters that the library would require stay required',
    projects: ['imports-missing'],
    path: /^deployments > (run-it\/raises|without imports\/missing) > parameter_openapi_schema > /,
  },
  {
    row: 15,
    why: 'what a block of Prefect looks like only the running code knows, so the parameter takes anything',
    projects: ['schema-classes'],
    path: /^deployments > blocks\/c > parameter_openapi_schema > (definitions|properties > secret > \$ref)$/,
  },
  {
    row: 20,
    why: 'an interval without an anchor keeps the one it got; the CLI moves it to now on every deploy',
    projects: ['schedules-anchor'],
    stages: ['again', 'changed'],
    path: /> schedules > \d+ > schedule > anchor_date$/,
    action: '<first>',
  },
  {
    row: 4,
    why: 'a name that matches nothing is an error; the CLI deploys the only entry under that name',
    projects: ['names-typo'],
    path: /^(deployments > hello\/onyl|flows > hello|succeeded)$/,
  },
  {
    row: 7,
    why: 'no pull steps and no image is an error; the CLI sends workers to the folder of the runner',
    projects: ['pull-none'],
    path: /^(deployments > hello\/nowhere|flows > hello|succeeded)$/,
  },
  {
    row: 5,
    why: 'an item of a list that is one placeholder waits for the steps; the CLI drops it before they run',
    projects: ['steps-whole-tags'],
    path: /^deployments > hello\/tagged > tags > \d$/,
  },
  {
    row: 5,
    why: 'the same of what waits for the worker, `{{ ctx.… }}`, which stays in a mapping on both sides',
    projects: ['templates-environment'],
    path: /^deployments > anything\/env-prod > (tags > [34]|parameters > rows > 3)$/,
  },
  {
    row: 2,
    why: 'nothing is written before everything is checked; the CLI leaves the flow behind',
    projects: ['refused'],
    path: /^flows > hello$/,
  },
];

export interface Verdict {
  /** Differences that nothing in the table explains. */
  readonly unexplained: readonly Difference[];
  /** Lines of the table that explain nothing in a project that they name. */
  readonly unseen: readonly { readonly project: string; readonly deviation: Deviation }[];
  readonly explained: readonly { readonly difference: Difference; readonly deviation: Deviation }[];
}

/** @param deviations the table, but for tests of this function. */
export function judge(
  project: Pick<Project, 'name'>,
  differences: readonly Difference[],
  deviations: readonly Deviation[] = DEVIATIONS,
): Verdict {
  const concerned = deviations.filter(({ projects }) => projects === 'any' || projects.includes(project.name));
  const explained = differences.flatMap((difference) => {
    const deviation = concerned.find((one) => explains(one, difference));
    return deviation === undefined ? [] : [{ difference, deviation }];
  });
  return {
    unexplained: differences.filter((one) => !explained.some(({ difference }) => difference === one)),
    unseen: concerned
      .filter((one) => one.projects !== 'any' && !explained.some(({ deviation }) => deviation === one))
      .map((deviation) => ({ project: project.name, deviation })),
    explained,
  };
}

/** Deviations that may be in any project and were in none. */
export function seenNowhere(
  verdicts: readonly Verdict[],
  deviations: readonly Deviation[] = DEVIATIONS,
): readonly Deviation[] {
  const seen = new Set(verdicts.flatMap(({ explained }) => explained.map(({ deviation }) => deviation)));
  return deviations.filter((one) => one.projects === 'any' && !seen.has(one));
}

function explains(deviation: Deviation, difference: Difference): boolean {
  return (
    (deviation.stages?.includes(difference.stage) ?? true) &&
    deviation.path.test(difference.path) &&
    (!('prefect' in deviation) || deviation.prefect === difference.prefect) &&
    (!('action' in deviation) || deviation.action === difference.action)
  );
}
