import { isJsonObject, type Json } from '@slipway/prefect/json';
import type { Recording } from './deploy-project.ts';
import { STAGES, type Stage } from './project.ts';
import { canonical } from './snapshot.ts';

/** One place where the action left another state than Prefect's CLI. */
export interface Difference {
  readonly project: string;
  readonly stage: Stage;
  /** Keys and list positions from the snapshot's root, `deployments > hello/default > tags > 0`. */
  readonly path: string;
  /** undefined: this side has nothing there. */
  readonly prefect: Json | undefined;
  readonly action: Json | undefined;
}

/** All places that differ, as deep as they lie; numbers differ when they are spelled differently. */
export function compareRecordings(project: string, prefect: Recording, action: Recording): Difference[] {
  return STAGES.flatMap((stage) =>
    compareValues(prefect[stage], action[stage], []).map((found) => ({ project, stage, ...found })),
  );
}

type Found = Omit<Difference, 'project' | 'stage'>;

function compareValues(prefect: Json | undefined, action: Json | undefined, at: readonly string[]): Found[] {
  if (isJsonObject(prefect) && isJsonObject(action)) {
    const keys = [...new Set([...Object.keys(prefect), ...Object.keys(action)])].sort();
    return keys.flatMap((key) => compareValues(prefect[key], action[key], [...at, key]));
  }
  if (Array.isArray(prefect) && Array.isArray(action)) {
    const longest = prefect.length > action.length ? prefect : action;
    return longest.flatMap((_, index) => compareValues(prefect[index], action[index], [...at, String(index)]));
  }
  if (prefect !== undefined && action !== undefined && canonical(prefect) === canonical(action)) return [];
  return [{ path: at.join(' > '), prefect, action }];
}

/** How many characters of a value are told: a deployment that one side has not is long. */
const LONGEST = 400;

export function tellDifference({ project, stage, path, prefect, action }: Difference): string {
  const told = (value: Json | undefined): string =>
    value === undefined ? '(nothing)' : canonical(value).slice(0, LONGEST);
  return `${project}, ${stage}: ${path}\n    Prefect: ${told(prefect)}\n    action:  ${told(action)}`;
}
