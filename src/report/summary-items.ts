import { type UiObject, uiLink } from '@slipway/prefect/settings';
import { rootField } from '../deploy/leaf-changes.ts';
import type { Position } from '../project/model.ts';
import { NONE, type Redact } from './difference.ts';
import type { Detail, Item, ItemAction } from './item.ts';
import { codeSpan, fenced, html, link, plainText } from './markdown.ts';
import { diffLine } from './plan-text.ts';
import type { Report } from './summary.ts';

const DID: Record<ItemAction, string> = {
  create: '🟢 created',
  change: '🟡 changed',
  remove: '🟤 removed',
  'remove-if-owned': '🟤 removed',
  unchanged: '⚪ unchanged',
  send: '🔵 sent',
};
const WILL_DO: Record<ItemAction, string> = {
  create: '🟢 create',
  change: '🟡 change',
  remove: '🟤 remove',
  'remove-if-owned': '🟤 remove',
  unchanged: '⚪ unchanged',
  send: '🔵 send',
};

/** Names of fields in one row. */
const MOST_FIELDS = 4;

/** An item, and what came of it. */
export interface Outcome extends Item {
  readonly written: boolean;
}

/**
 * What came of each item: one whose write failed was not written, nor what belongs to a deployment that was not.
 * An item that was created is known to the server now.
 */
export function outcomes(
  items: readonly Item[],
  { mode, applied }: Pick<Report, 'mode' | 'applied'>,
  redact: Redact,
): Outcome[] {
  if (mode === 'plan') return items.map((item) => ({ ...item, written: true }));
  const ids = new Map(applied.deployments.map((one) => [one.name, one.id]));
  const failed = new Set(applied.failures.map(({ what }) => redact(what)));
  return items.map((item): Outcome => {
    const id = item.deployment === undefined ? undefined : ids.get(item.deployment);
    const written = !failed.has(item.label) && (item.deployment === undefined || id !== undefined);
    const object = written ? (item.object ?? createdObject(item, id)) : item.object;
    return { ...item, written, ...(object === undefined ? {} : { object }) };
  });
}

function createdObject({ kind, name }: Item, id: string | undefined): UiObject | undefined {
  if (kind === 'work pool') return { kind: 'work-pool', name };
  return kind === 'deployment' && id !== undefined ? { kind: 'deployment', id } : undefined;
}

/** One row of the table of objects: kind, name, what becomes of it, where it stands in the file. */
export function itemRow(item: Outcome, report: Report): string {
  const { kind, action, note, written, where } = item;
  const did = written ? (report.mode === 'plan' ? WILL_DO : DID)[action] : '🔴 not written';
  const noted = [did, ...(note === undefined ? [] : [`(${plainText(note)})`]), changedFields(item)].join(' ').trim();
  const place = plainText(`${where.file}:${where.line}`);
  const { repositoryUrl, sha } = report.revision;
  const source =
    repositoryUrl === undefined || sha === undefined ? place : link(place, blobUrl(repositoryUrl, sha, where));
  return `| ${kind} | ${itemName(item, report.uiUrl, 'cell')} | ${noted} | ${source} |`;
}

/** Where a line of a file can be looked at. */
export function blobUrl(repositoryUrl: string, sha: string, { file, line }: Position): string {
  return `${repositoryUrl}/blob/${sha}/${file.split('/').map(encodeURIComponent).join('/')}#L${line}`;
}

/** An object's name, with a link to it where the server has it. */
export function itemName({ name, object, action }: Item, uiUrl: string, place: 'cell' | 'text'): string {
  const code = codeSpan(name, place);
  return object === undefined || action === 'remove' ? code : link(code, uiLink(uiUrl, object));
}

/** Names of the API's fields that change, as far as they fit a table. */
function changedFields({ details }: Item): string {
  const fields = new Set(details.flatMap((one) => (one.kind === 'change' ? [rootField(one.field).split(' ')[0]] : [])));
  const names = [...fields].map((field) => (field === 'schedule' ? 'schedules' : field));
  const more = names.length > MOST_FIELDS ? [`${names.length - MOST_FIELDS} more`] : [];
  return [...names.slice(0, MOST_FIELDS), ...more].join(', ');
}

/** Items with the same fields that change to the same values: a new commit gives each deployment a new version. */
export interface Alike {
  readonly first: Item;
  readonly others: number;
  readonly lines: readonly string[];
}

/** The fields of all items as differences, each once; those that fewest have come first. */
export function differences(items: readonly Item[]): Alike[] {
  const found = new Map<string, Alike>();
  for (const item of items) {
    if (item.details.length === 0) continue;
    const lines = item.details.flatMap(detailLines);
    const key = [item.kind, ...lines].join('\n');
    const alike = found.get(key);
    found.set(key, alike === undefined ? { first: item, others: 0, lines } : { ...alike, others: alike.others + 1 });
  }
  return [...found.values()].sort((a, b) => a.others - b.others);
}

/** One difference, foldable. */
export function differenceBlock({ first, others, lines }: Alike, open: boolean): string {
  const more = others === 0 ? '' : ` and ${others} more ${others === 1 ? 'is' : 'are'} alike`;
  return [
    `<details${open ? ' open' : ''}><summary><code>${html(first.label)}</code>${more}</summary>`,
    '',
    fenced('diff', lines),
    '',
    '</details>',
  ].join('\n');
}

/** As diff programs write it, so that GitHub colours it. */
function detailLines(detail: Detail): string[] {
  switch (detail.kind) {
    case 'field':
      return [`+ ${detail.field}: ${detail.text}`];
    case 'added':
      return [`+ ${detail.text}`];
    case 'removed':
      return [`- ${detail.text}`];
    case 'change': {
      const { field, difference } = detail;
      if (difference.kind === 'lines') return [`  ${field}:`, ...difference.lines.map((line) => diffLine(line, 5))];
      return [
        ...(difference.before === NONE ? [] : [`- ${field}: ${difference.before}`]),
        ...(difference.after === NONE ? [] : [`+ ${field}: ${difference.after}`]),
      ];
    }
  }
}
