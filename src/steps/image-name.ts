import { isTag } from '../source/tag.ts';
import { isUnknown } from './foresight.ts';
import type { StepRun } from './model.ts';
import { stepProblem } from './step-problem.ts';

/** A registry host with an optional port, then lower-case path components (distribution's reference grammar). */
const REPOSITORY =
  /^(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::\d+)?|\[[0-9a-fA-F:]+\](?::\d+)?)\/)?[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*$/;

/**
 * The repository that an `image_name` means: with the default namespace before a name without a slash
 * (contracts/deploy.md §2.7, "Namespace").
 *
 * @throws Problem for what no registry takes as a name.
 */
export function readRepository(step: StepRun, imageName: string): string {
  const namespace = step.context.dockerNamespace ?? '';
  const repository = imageName.includes('/') || namespace === '' ? imageName : `${namespace}/${imageName}`;
  if (isUnknown(repository) || REPOSITORY.test(repository)) return repository;
  if (imageName === '' && JSON.stringify(step.step.inputs.image_name ?? '') !== '""') {
    const written = String(step.step.inputs.image_name);
    const variables = [...written.matchAll(/\{\{\s*\$(\w+)\s*\}\}/g)].map(([, name]) => name);
    throw stepProblem(
      step,
      `has an empty image_name: ${written} comes to nothing`,
      variables.length === 0
        ? 'Let what it names have a value.'
        : `Set ${variables.join(' and ')} in the job’s \`env:\`; a repository variable that does not exist arrives as an empty text.`,
    );
  }
  const hint = /:[^/:]+$/.test(repository) ? 'Give what follows the colon as the input `tag`. ' : '';
  throw stepProblem(
    step,
    `has ${JSON.stringify(repository)} as image_name, which is no name of an image repository`,
    `${hint}A name has lower-case letters, digits and . _ - / and no spaces, e.g. registry.example.com/team/flows.`,
  );
}

/** @throws Problem for a tag that no registry takes. */
export function checkTag(step: StepRun, tag: string): void {
  if (isUnknown(tag) || isTag(tag)) return;
  throw stepProblem(
    step,
    `has ${JSON.stringify(tag)} as a tag, which is none`,
    'A tag has letters, digits and . _ -, begins with none of . and -, and has at most 128 characters.',
  );
}

/**
 * The tag of a build without one: its time as Prefect writes it, `2026-08-21t05-06-07-000089-00-00` (§2.7, "tag").
 *
 * @param milliseconds since the epoch.
 * @param serial tells builds of the same millisecond apart; below 1000.
 */
export function timeTag(milliseconds: number, serial: number): string {
  const time = new Date(milliseconds).toISOString();
  const micros = `${time.slice(20, 23)}${String(serial % 1000).padStart(3, '0')}`;
  const seconds = time.slice(0, 19).toLowerCase().replaceAll(':', '-');
  return `${seconds}${micros === '000000' ? '' : `-${micros}`}-00-00`;
}
