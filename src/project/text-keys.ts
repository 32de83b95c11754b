import { Problem } from '../problem.ts';
import { subjectOf } from './issues.ts';
import { child, type YamlMap, type YamlNode } from './nodes.ts';

/** Mappings whose own keys must be text; deeper down Prefect turns any key into text. */
const PATHS: readonly (readonly string[])[] = [
  ['parameters'],
  ['work_pool', 'job_variables'],
  ['triggers', '*'],
  ['triggers', '*', 'parameters'],
  ['triggers', '*', 'job_variables'],
  ['triggers', '*', 'match'],
  ['triggers', '*', 'match_related'],
  ['schedules', '*'],
  ['schedules', '*', 'parameters'],
  ['schedule'],
  ['schedule', 'parameters'],
];

/**
 * Keys such as `1:`, `yes:` or `2024-01-01:` where Prefect takes text only (contracts/deploy.md, "Seen on 3.8.8" 4).
 * Steps see to theirs themselves.
 */
export function nonTextKeys(root: YamlMap): Problem[] {
  const found: Problem[] = [];
  const check = (node: YamlNode, path: readonly string[]): void => {
    if (node.kind !== 'map') return;
    for (const { key } of node.entries.values()) {
      if (key.content.type === 'text') continue;
      found.push(
        new Problem(`${subjectOf(path, root)} has the key ${key.source}, which is no text in YAML`, {
          remedy: `Put the key in quotes: '${key.source}':`,
          where: key.where,
        }),
      );
    }
  };
  eachAt(child(root, 'deployments'), ['*'], ['deployments'], (deployment, path) => {
    for (const steps of PATHS) eachAt(deployment, steps, path, check);
  });
  eachAt(child(root, 'work_pools'), ['*', 'variables'], ['work_pools'], check);
  return found;
}

/** Calls back for every node at a path; `*` stands for each item of a list. */
function eachAt(
  node: YamlNode | undefined,
  steps: readonly string[],
  path: readonly string[],
  visit: (node: YamlNode, path: readonly string[]) => void,
): void {
  const [step, ...rest] = steps;
  if (node === undefined) return;
  if (step === undefined) visit(node, path);
  else if (step !== '*') eachAt(child(node, step), rest, [...path, step], visit);
  else if (node.kind === 'list') {
    for (const [index, item] of node.items.entries()) eachAt(item, rest, [...path, String(index)], visit);
  }
}
