import { type UiObject, uiLink } from '@slipway/prefect/settings';
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
  const noted = note === undefined ? did : `${did} (${plainText(note)})`;
  const place = plainText(`${where.file}:${where.line}`);
  const { repositoryUrl, sha } = report.revision;
  const source =
    repositoryUrl === undefined || sha === undefined
      ? place
      : link(
          place,
          `${repositoryUrl}/blob/${sha}/${where.file.split('/').map(encodeURIComponent).join('/')}#L${where.line}`,
        );
  return `| ${kind} | ${itemName(item, report.uiUrl, 'cell')} | ${noted} | ${source} |`;
}

/** An object's name, with a link to it where the server has it. */
export function itemName({ name, object, action }: Item, uiUrl: string, place: 'cell' | 'text'): string {
  const code = codeSpan(name, place);
  return object === undefined || action === 'remove' ? code : link(code, uiLink(uiUrl, object));
}

/** The fields of one object as a difference that can be folded. */
export function itemDetails({ label, details }: Item, open: boolean): string {
  return [
    `<details${open ? ' open' : ''}><summary><code>${html(label)}</code></summary>`,
    '',
    fenced('diff', details.flatMap(detailLines)),
    '',
    '</details>',
  ].join('\n');
}

/** As diff programs write it, so that GitHub colours it. */
export function detailLines(detail: Detail): string[] {
  switch (detail.kind) {
    case 'field':
      return [`+ ${detail.field}: ${detail.text}`];
    case 'added':
      return [`+ ${detail.text}`];
    case 'removed':
      return [`- ${detail.text}`];
    case 'change': {
      const { field, difference } = detail;
      if (difference.kind === 'lines') return [`  ${field}:`, ...difference.lines.map(diffLine)];
      return [
        ...(difference.before === NONE ? [] : [`- ${field}: ${difference.before}`]),
        ...(difference.after === NONE ? [] : [`+ ${field}: ${difference.after}`]),
      ];
    }
  }
}
