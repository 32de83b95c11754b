import { Problem, throwIfAny } from '../problem.ts';
import type { Entry, Project } from './model.ts';

/** The flow's real name, once its source has been read; undefined while it is not known. */
export type FlowNameOf = (entry: Entry) => string | undefined;

/**
 * Which deployments this run is about (contracts/deploy.md §1.8; design.md, difference 4).
 *
 * A name is a deployment's as written in the file, untemplated, or `flow/deployment`; `*` stands for one or more
 * characters. The flow is its real name or its function's, with `_` and `-` alike. Each entry is taken once, in the order
 * of the names and then of the file. Differences from `prefect deploy -n`: a name that matches nothing is an error and
 * never renames the only entry, and a pattern does not reach into another flow's deployments.
 *
 * @param names none: every entry.
 * @throws Problem | Problems for names that match nothing, and for a project without deployments.
 */
export function selectEntries(project: Project, names: readonly string[], flowNameOf: FlowNameOf): Entry[] {
  if (project.entries.length === 0) {
    throw new Problem(`${project.file} has no deployments`, {
      remedy: 'List at least one under `deployments:`, with a name, an entrypoint and a work pool.',
      where: { file: project.file, line: 1, column: 1 },
    });
  }
  if (names.length === 0) return [...project.entries];
  const problems: Problem[] = [];
  const selected = new Set<Entry>();
  for (const name of names) {
    const matching = project.entries.filter((entry) => matches(name, entry, flowNameOf));
    if (matching.length === 0) problems.push(nothingFor(name, project));
    for (const entry of matching) selected.add(entry);
  }
  throwIfAny(problems);
  return [...selected];
}

/**
 * What no deployment can do without, for every entry that is to be deployed (contracts/deploy.md §1.3): Prefect skips
 * an entry without a name when it deploys several; here nothing is skipped (design.md, difference 1).
 */
export function checkComplete(entries: readonly Entry[]): Problem[] {
  return entries.flatMap((entry) => {
    const label = entry.name === undefined ? 'this deployment' : `deployment ${entry.name}`;
    const missing: Problem[] = [];
    if (entry.name === undefined || entry.name === '') {
      missing.push(new Problem(`${label} has no name`, { remedy: 'Add `name: …` to it.', where: entry.where }));
    }
    if (entry.entrypoint === undefined || entry.entrypoint === '') {
      missing.push(
        new Problem(`${label} has no entrypoint`, {
          remedy: 'Add `entrypoint: path/to/file.py:flow_function` to it, relative to the working directory.',
          where: entry.where,
        }),
      );
    }
    return missing;
  });
}

function matches(name: string, entry: Entry, flowNameOf: FlowNameOf): boolean {
  if (entry.name === undefined) return false;
  const [first = '', second, ...more] = name.split('/');
  if (more.length > 0) return false;
  const deployment = second ?? first;
  // Prefect's patterns leave out entries that have no flow yet.
  if (name.includes('*') && entry.entrypoint === undefined) return false;
  if (!matchesText(deployment, entry.name)) return false;
  return second === undefined || flowNames(entry, flowNameOf).some((flow) => matchesText(alike(first), alike(flow)));
}

/** The names a flow goes by: its own, its function's, and the whole last part of the entrypoint as in Prefect. */
function flowNames(entry: Entry, flowNameOf: FlowNameOf): string[] {
  const known = flowNameOf(entry);
  const object = entry.entrypoint?.split(':').at(-1);
  const names = object === undefined ? [] : [object, object.split('.').at(-1) ?? object];
  return known === undefined ? names : [known, ...names];
}

function alike(flow: string): string {
  return flow.replaceAll('_', '-');
}

/** `*` is one or more characters, `**` two or more, as Prefect's double substitution has it (§1.8.1). */
function matchesText(pattern: string, text: string): boolean {
  const source = pattern.replaceAll(/[\\^$.|?+()[\]{}]/g, '\\$&').replaceAll(/\*+/g, (stars) => `.{${stars.length},}`);
  return new RegExp(`^${source}$`, 's').test(text);
}

function nothingFor(name: string, project: Project): Problem {
  const existing = project.entries.flatMap((entry) => entry.name ?? []);
  const hint = name.split('/').length > 2 ? 'A name holds at most one slash: flow/deployment. ' : '';
  return new Problem(`no deployment in ${project.file} is called ${name}`, {
    remedy: `${hint}It has: ${existing.join(', ') || 'none with a name'}.`,
  });
}
