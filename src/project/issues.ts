import type { z } from 'zod';
import { Problem } from '../problem.ts';
import { type IssueParams, TEXT } from './lax.ts';
import { locate, type YamlMap, type YamlNode } from './nodes.ts';

const DOCUMENTATION = 'https://docs.prefect.io/v3/how-to-guides/deployments/prefect-yaml';

/**
 * What validation found, as Problems at the place in the file.
 *
 * @param issues zod's, from `prefectYaml`; their paths lead through the root.
 */
export function toProblems(issues: readonly z.core.$ZodIssue[], root: YamlMap): Problem[] {
  return issues.map((issue) => {
    const { node, where } = locate(root, issue.path);
    const params: IssueParams = issue.code === 'custom' ? (issue.params ?? {}) : {};
    return new Problem(`${subjectOf(issue.path, root)} ${issue.message}`, {
      remedy: remedyFor(params, issue.path, node),
      where,
    });
  });
}

const NOUNS: Readonly<Record<string, string>> = { deployments: 'deployment', work_pools: 'work pool' };

/** `deployment arthur: work_pool.name`, `work pool kubernetes`, `name`. */
export function subjectOf(path: readonly PropertyKey[], root: YamlMap): string {
  const [first, index, ...rest] = path.map(String);
  const noun = NOUNS[first ?? ''];
  if (noun === undefined || index === undefined) return dotted(path);
  const name = locate(root, [first ?? '', index, 'name']).node;
  const label = name.kind === 'scalar' && name.source !== '' ? name.source : `#${Number(index) + 1}`;
  return rest.length === 0 ? `${noun} ${label}` : `${noun} ${label}: ${dotted(rest)}`;
}

/** `schedules[0].cron` */
function dotted(path: readonly PropertyKey[]): string {
  return path
    .map((step) => (/^\d+$/.test(String(step)) ? `[${String(step)}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '');
}

function remedyFor(params: IssueParams, path: readonly PropertyKey[], node: YamlNode): string {
  if (params.remedy !== undefined) return params.remedy;
  if (params.known !== undefined) return `Known keys: ${params.known.join(', ')}.`;
  const key = String(path.at(-1) ?? '');
  if (params.wanted === TEXT && node.kind === 'scalar' && node.source !== '') {
    return `Put it in quotes: ${key}: '${node.source}'`;
  }
  if (node.kind === 'scalar' && node.source.includes('{{') && params.wanted !== TEXT) {
    return `Write the value itself: Prefect takes no placeholder for ${key}.`;
  }
  return `Write ${params.wanted ?? 'what Prefect expects'}; ${DOCUMENTATION} tells what each key holds.`;
}
