import type { Entry, Project, StepList, StepSpec } from './model.ts';

/** The steps that apply to one deployment. */
export interface EffectiveSteps {
  readonly build: readonly StepSpec[];
  readonly push: readonly StepSpec[];
  /** undefined: none written anywhere, so that a default may take its place; an empty list means none on purpose. */
  readonly pull: readonly StepSpec[] | undefined;
}

/**
 * Which build, push and pull steps a deployment has (contracts/deploy.md §1.6, the table; prefect 3.8.8
 * cli/deploy/_core.py). Lists of the two levels are never merged. The three phases differ on purpose: a deployment's
 * `build: []` switches the top level's build off, its `push: []` does not, its `pull: []` does and `pull: null` does not.
 */
export function effectiveSteps(project: Project, entry: Entry): EffectiveSteps {
  return {
    build: stepsIn(entry.build.kind === 'absent' ? project.build : entry.build),
    push: stepsIn(isEmpty(entry.push) ? project.push : entry.push),
    pull: pullOf(project.pull, entry.pull),
  };
}

/**
 * The steps that are searched for a Docker build when a default pull step is wanted: a deployment's own, or the top
 * level's when it has none, also when its `build: []` keeps them from running (§1.7.1).
 */
export function stepsThatMayBuild(project: Project, entry: Entry): readonly StepSpec[] {
  return stepsIn(isEmpty(entry.build) ? project.build : entry.build);
}

function pullOf(top: StepList, own: StepList): readonly StepSpec[] | undefined {
  const chosen = own.kind === 'list' ? own : top;
  // Prefect takes an empty top-level list for "none" only when the deployment does not mention `pull` at all.
  if (own.kind === 'null' && isEmpty(top)) return undefined;
  return chosen.kind === 'list' ? chosen.steps : undefined;
}

function stepsIn(list: StepList): readonly StepSpec[] {
  return list.kind === 'list' ? list.steps : [];
}

function isEmpty(list: StepList): boolean {
  return list.kind !== 'list' || list.steps.length === 0;
}
