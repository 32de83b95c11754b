import type { Applied, Plan } from '../deploy/model.ts';
import type { BuiltImage } from '../image/model.ts';
import { failed, type Run } from '../runs/model.ts';
import type { Revision } from '../source/model.ts';
import { type Budget, openBudget } from './budget.ts';
import type { Redact } from './difference.ts';
import { countActions } from './item.ts';
import { planItems } from './items.ts';
import { codeSpan, link, plainText } from './markdown.ts';
import {
  type Alike,
  differenceBlock,
  differences,
  itemName,
  itemRow,
  type Outcome,
  outcomes,
} from './summary-items.ts';

export interface Report {
  readonly mode: 'plan' | 'deploy';
  readonly modeReason: string;
  readonly revision: Revision;
  readonly images: readonly BuiltImage[];
  readonly plan: Plan;
  readonly applied: Applied;
  readonly runs: readonly Run[];
  readonly uiUrl: string;
}

/** GitHub drops the whole summary of a step that wrote more than 1 MiB. */
export const MOST_BYTES = 1024 * 1024;
/** Kept for headings and for the line that says what was left out. */
const RESERVE = 2_000;
/** Differences of so many lines in all are shown open. */
const OPEN_LINES = 40;

/**
 * The job summary as GitHub-flavoured Markdown: what was built, deployed and run, with links. What does not fit is
 * counted in a last line; what failed, what ran and what changed come before what stays as it is.
 *
 * @param redact replaces secrets; asked of each text before it is cut or spelled for Markdown.
 * @param limit bytes of UTF-8.
 */
export function summaryMarkdown(report: Report, redact: Redact, limit = MOST_BYTES): string {
  const all = outcomes(planItems(report.plan, redact), report, redact);
  const shown = all.filter(({ action, written }) => action !== 'unchanged' || !written);
  const budget = openBudget(limit - RESERVE, (text) => Buffer.byteLength(text) + 2);
  // In the order of what a person would miss most.
  const head = [title(report, all, redact), images(report)].map((text) => budget.take([text], String).taken.join(''));
  const failures = notWritten(report, budget, redact);
  const runs = runTable(report, budget, redact);
  const objects = objectTable(shown, report, budget);
  const changes = changeBlocks(shown, budget);
  const unchanged = unchangedNames(
    all.filter((item) => !shown.includes(item)),
    report,
    budget,
  );
  const sections = [failures, objects, changes, unchanged, runs];
  const left = sections.flatMap((section) => section.left);
  const closing =
    left.length === 0
      ? ''
      : `**Left out here, because a summary may not be longer:** ${left.join(', ')}. All of it is in the log of this step, what changes in its group “Plan”.`;
  return `${[...head, ...sections.map(({ text }) => text), closing].filter((text) => text !== '').join('\n\n')}\n`;
}

/** A part of the summary, and in words how much of it was left out. */
interface Section {
  readonly text: string;
  readonly left: readonly string[];
}

function section<T>(
  head: readonly string[],
  rows: { readonly taken: readonly T[]; readonly left: readonly T[] },
  text: (row: T) => string,
  what: (count: number) => string,
  between = '\n',
): Section {
  return {
    text: rows.taken.length === 0 ? '' : [...head, rows.taken.map(text).join(between)].join('\n'),
    left: rows.left.length === 0 ? [] : [what(rows.left.length)],
  };
}

function title(report: Report, all: readonly Outcome[], redact: Redact): string {
  const { create, change, remove, unchanged } = countActions(all.filter(({ written }) => written));
  const { revision, mode } = report;
  const commit =
    revision.sha === undefined
      ? 'no revision'
      : revision.repositoryUrl === undefined
        ? `\`${revision.shortSha}\``
        : link(`\`${revision.shortSha}\``, `${revision.repositoryUrl}/commit/${revision.sha}`);
  const about = revision.message === undefined ? commit : `${commit} ${plainText(redact(revision.message))}`;
  const failures = all.filter(({ written }) => !written).length;
  const to = mode === 'plan' ? ['to create', 'to change', 'to remove'] : ['created', 'changed', 'removed'];
  const counts = [
    `${create} ${to[0]}`,
    `${change} ${to[1]}`,
    ...(remove === 0 ? [] : [`${remove} ${to[2]}`]),
    `${unchanged} unchanged`,
    ...(failures === 0 ? [] : [`${failures} not written`]),
  ];
  const nothing = mode === 'plan' ? ` Nothing was written (${plainText(report.modeReason)}).` : '';
  return `## Slipway: ${mode}\n\n${about}\n\n**${counts.join(', ')}.**${nothing}`;
}

function images(report: Report): string {
  if (report.images.length === 0) return '';
  const rows = report.images.map(
    ({ image, digest, seconds, isReused }) =>
      `| ${codeSpan(image)} | ${digestCell(digest, report.mode)} | ${report.mode === 'plan' ? '' : isReused === true ? 'existed' : `${seconds.toFixed(1)} s`} |`,
  );
  return ['### Images', '', '| image | digest | time |', '|---|---|---|', ...rows].join('\n');
}

/** Without a push there is no digest after a deploy either. */
function digestCell(digest: string | undefined, mode: Report['mode']): string {
  if (digest !== undefined) return codeSpan(digest);
  return mode === 'plan' ? 'known at deploy' : 'not pushed';
}

function notWritten({ applied }: Report, budget: Budget, redact: Redact): Section {
  const row = ({ what, reason }: Applied['failures'][number]) =>
    `- **${plainText(redact(what))}**: ${plainText(redact(reason))}`;
  const rows = budget.take(applied.failures, row);
  const head = ['### Not written', '', 'Everything else was applied; a second run converges.', ''];
  return section(head, rows, row, (count) => `${count} failures`);
}

function objectTable(items: readonly Outcome[], report: Report, budget: Budget): Section {
  const row = (item: Outcome) => itemRow(item, report);
  const what = report.mode === 'plan' ? 'What changes' : 'What changed';
  return section(
    [`### ${what}`, '', '| kind | name | | where |', '|---|---|---|---|'],
    budget.take(items, row),
    row,
    (count) => `${count} objects`,
  );
}

function changeBlocks(items: readonly Outcome[], budget: Budget): Section {
  const all = differences(items);
  const lines = all.reduce((sum, one) => sum + one.lines.length, 0);
  const block = (one: Alike) => differenceBlock(one, lines <= OPEN_LINES);
  const { taken, left } = budget.take(all, block);
  const objects = left.reduce((sum, { others }) => sum + 1 + others, 0);
  return section([], { taken, left }, block, () => `the fields of ${objects} objects`, '\n\n');
}

function unchangedNames(items: readonly Outcome[], report: Report, budget: Budget): Section {
  const name = (item: Outcome) => itemName(item, report.uiUrl, 'text');
  const names = section([], budget.take(items, name), name, (count) => `the names of ${count} unchanged`, ', ');
  if (names.text === '') return names;
  const text = `<details><summary>${items.length} unchanged</summary>\n\n${names.text}\n\n</details>`;
  return { ...names, text };
}

function runTable(report: Report, budget: Budget, redact: Redact): Section {
  const row = (run: Run): string => {
    const state =
      run.outcome === 'started'
        ? 'started'
        : run.outcome === 'finished'
          ? run.state.name
          : `timed out (${run.state.name})`;
    const icon = run.outcome === 'started' ? '🔵' : failed(run) ? '🔴' : '🟢';
    const time = run.outcome === 'finished' ? `${run.seconds.toFixed(0)} s` : '';
    const name = link(plainText(redact(run.name)), run.url);
    return `| ${name} | ${codeSpan(run.deployment)} | ${icon} ${plainText(redact(state))} | ${time} |`;
  };
  const rows = budget.take(report.runs, row);
  return section(
    ['### Runs', '', '| run | deployment | state | time |', '|---|---|---|---|'],
    rows,
    row,
    (count) => `${count} runs`,
  );
}
