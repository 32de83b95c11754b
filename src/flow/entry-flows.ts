import { type Problem, problemsOf } from '../problem.ts';
import type { Entry } from '../project/model.ts';
import { placeOf } from '../project/place.ts';
import type { Files } from '../world.ts';
import type { Flow } from './model.ts';
import { readFlow } from './read.ts';
import type { PythonSources } from './sources.ts';

export interface EntryFlowsContext {
  /** The project's directory, and the checkout around it, absolute. */
  readonly directory: string;
  readonly workspace: string;
  readonly files: Files;
  /** Files already parsed. */
  readonly sources: PythonSources;
}

/** An entry whose entrypoint is known by now. */
interface EntryPoint {
  readonly entry: Entry;
  readonly entrypoint: string;
}

/**
 * Reads the flow of each entry.
 *
 * @returns the flows in the entries' order, undefined where one cannot be read, and all that is wrong; entries that share
 *   a broken file complain of it once.
 */
export async function readEntryFlows(
  entries: readonly EntryPoint[],
  context: EntryFlowsContext,
): Promise<{ readonly flows: readonly (Flow | undefined)[]; readonly problems: readonly Problem[] }> {
  const problems: Problem[] = [];
  const flows: (Flow | undefined)[] = [];
  for (const { entry, entrypoint } of entries) {
    try {
      flows.push(await readEntryFlow(entry, entrypoint, context));
    } catch (error) {
      const found = problemsOf(error);
      if (found === undefined) throw error;
      flows.push(undefined);
      problems.push(...found.filter((one) => !problems.some((other) => sameProblem(one, other))));
    }
  }
  return { flows, problems };
}

/**
 * The real names of the flows that can be read, for names of the form flow/deployment. What cannot be read is not what
 * such a name means, or is complained of once it is selected.
 */
export async function readFlowNames(
  entries: readonly Entry[],
  context: EntryFlowsContext,
): Promise<(entry: Entry) => string | undefined> {
  const named = entries.flatMap((entry) => (entry.entrypoint ? [{ entry, entrypoint: entry.entrypoint }] : []));
  const { flows } = await readEntryFlows(named, context);
  const names = new Map(named.map(({ entry }, index) => [entry, flows[index]?.name]));
  return (entry) => names.get(entry);
}

async function readEntryFlow(
  entry: Entry,
  entrypoint: string,
  { directory, workspace, files, sources }: EntryFlowsContext,
): Promise<Flow> {
  return await readFlow(entrypoint, {
    directory,
    repository: workspace,
    files,
    where: placeOf(entry, 'entrypoint'),
    sources,
  });
}

function sameProblem(a: Problem, b: Problem): boolean {
  return a.message === b.message && a.where?.file === b.where?.file && a.where?.line === b.where?.line;
}
