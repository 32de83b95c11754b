import { stat } from 'node:fs/promises';
import * as core from '@actions/core';
import type { Problem } from '../problem.ts';
import { openBudget } from './budget.ts';
import { link, plainText } from './markdown.ts';
import { MOST_BYTES } from './summary.ts';
import { blobUrl } from './summary-items.ts';

/** Kept for the heading and for the line that says what was left out. */
const RESERVE = 1_000;

/** Where the user's files can be looked at; undefined outside of GitHub. */
export interface Source {
  readonly repositoryUrl: string;
  readonly sha: string;
}

/**
 * The job summary of a step that ended before it had anything to report: every problem with its place and its remedy,
 * also those for which GitHub shows no annotation.
 *
 * @param redact replaces secrets; asked of each text before it is spelled for Markdown.
 * @param limit bytes of UTF-8.
 */
export function refusalMarkdown(
  problems: readonly Pick<Problem, 'message' | 'remedy' | 'where'>[],
  source: Source | undefined,
  redact: (text: string) => string,
  limit = MOST_BYTES,
): string {
  const row = ({ message, remedy, where }: (typeof problems)[number]): string => {
    const place = where === undefined ? undefined : plainText(`${where.file}:${where.line}`);
    const linked =
      where === undefined || place === undefined || source === undefined
        ? place
        : link(place, blobUrl(source.repositoryUrl, source.sha, where));
    const what = plainText(redact(message));
    return `- ${linked === undefined ? '' : `${linked}: `}**${what}**\n  ${plainText(redact(remedy))}`;
  };
  const budget = openBudget(limit - RESERVE, (text) => Buffer.byteLength(text) + 1);
  const { taken, left } = budget.take(problems, row);
  const head = `## Slipway: failed\n\n${problems.length === 1 ? 'One problem' : `${problems.length} problems`}:`;
  const closing = left.length === 0 ? '' : `\n\n**${left.length} more are in the log of this step.**`;
  return `${head}\n\n${taken.map(row).join('\n')}${closing}\n`;
}

/**
 * Writes the summary of a step that was refused, unless one stands there already: what failed late (a write, a run) is
 * part of the report. A summary that cannot be written takes nothing from the annotations, and is only worth a debug line.
 */
export async function summarizeRefusal(
  problems: readonly Problem[],
  env: Readonly<Record<string, string | undefined>>,
  redact: (text: string) => string,
): Promise<void> {
  const { GITHUB_STEP_SUMMARY: file, GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_SHA: sha } = env;
  if (!file) return;
  const source = server && repository && sha ? { repositoryUrl: `${server}/${repository}`, sha } : undefined;
  try {
    if ((await stat(file)).size > 0) return;
    await core.summary.addRaw(redact(refusalMarkdown(problems, source, redact))).write();
  } catch (error) {
    core.debug(redact(`The summary was not written: ${String(error)}`));
  }
}
