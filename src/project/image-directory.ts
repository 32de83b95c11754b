import { basename, posix } from 'node:path';
import { isJsonObject } from '@slipway/prefect/json';
import type { Entry, Position, Project, StepSpec } from './model.ts';
import { effectiveSteps } from './steps-of.ts';

export const SET_WORKING_DIRECTORY = 'prefect.deployments.steps.set_working_directory';
export const IMAGE_ROOT = '/opt/prefect';

/**
 * The directory that the generated Dockerfile of a build step copies the project to: the one a pull step changes to when
 * that lies in /opt/prefect, else one named after the project's folder, as Prefect does (design.md, difference 14).
 *
 * @param pull the pull steps that apply.
 */
export function imageDirectory(project: Project, pull: readonly StepSpec[] | undefined): string {
  const inRoot = changesOf(pull).find(({ directory }) => directory.startsWith(`${IMAGE_ROOT}/`));
  return inRoot?.directory ?? `${IMAGE_ROOT}/${basename(project.directory)}`;
}

/**
 * The directories in the action's own image that pull steps change to, each once: of entries that name no image of their
 * own. Below /opt/prefect it is the first folder; anywhere else the directory itself.
 */
export function pulledDirectories(
  project: Project,
  entries: readonly Entry[],
): { readonly directory: string; readonly where: Position }[] {
  const found = new Map<string, Position>();
  for (const entry of entries.filter((one) => !namesImage(one))) {
    const [change] = changesOf(effectiveSteps(project, entry).pull);
    if (change !== undefined && !found.has(change.directory)) found.set(change.directory, change.where);
  }
  return [...found].map(([directory, where]) => ({ directory, where }));
}

/** What pull steps change to, as far as it is written out and absolute. */
function changesOf(pull: readonly StepSpec[] | undefined): { directory: string; where: Position }[] {
  return (pull ?? []).flatMap((step) => {
    const { directory } = step.inputs;
    if (step.function !== SET_WORKING_DIRECTORY || typeof directory !== 'string') return [];
    const path = posix.normalize(directory).replace(/(?<=.)\/$/, '');
    if (!path.startsWith('/') || path === '/' || path.includes('{{')) return [];
    const [below] = /^\/opt\/prefect\/[^/]+/.exec(path) ?? [];
    return [{ directory: below ?? path, where: step.where }];
  });
}

/** True when the entry's job variables have an image, whatever it will come to. */
export function namesImage(entry: Entry): boolean {
  const { work_pool: pool } = entry.settings;
  const variables = isJsonObject(pool) && isJsonObject(pool.job_variables) ? pool.job_variables : {};
  return variables.image !== undefined && variables.image !== null && variables.image !== '';
}
