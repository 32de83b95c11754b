import { readFlowNames } from '../flow/entry-flows.ts';
import type { Job } from '../job.ts';
import { throwIfAny } from '../problem.ts';
import type { Entry } from './model.ts';
import { checkComplete, selectEntries } from './select.ts';

/**
 * The entries of prefect.yaml that this run is about, each with all that a deployment cannot do without.
 *
 * @throws Problem | Problems for names that match nothing and for entries that lack something.
 */
export async function chooseEntries({ project, inputs, directory, workspace, sources, world }: Job): Promise<Entry[]> {
  const names = inputs.deployments;
  // Only a name of the form flow/deployment needs the flows' own names.
  const named = names.some((name) => name.includes('/')) ? project.entries : [];
  const flowNames = await readFlowNames(named, { directory, workspace, sources, files: world.files });
  const entries = selectEntries(project, names, flowNames);
  throwIfAny(checkComplete(entries));
  return entries;
}
