import { visible } from './difference.ts';
import { countActions, type Detail, type Item, type ItemAction } from './item.ts';
import type { DiffLine } from './line-diff.ts';

/** Two values that take more than this stand on a line each. */
const WIDTH = 120;

const SIGN = { create: '+', change: '~', remove: '-', 'remove-if-owned': '?', send: ' ' } as const;

/**
 * A plan for the log: first what changes, an object a line with its place in the file and a field a line below it, then
 * the names of what stays as it is.
 */
export function planLines(items: readonly Item[]): string[] {
  const kinds = [...new Set(items.map(({ kind }) => kind))];
  const unchanged = kinds.flatMap((kind) => {
    const names = items.filter((item) => item.kind === kind && item.action === 'unchanged').map(({ name }) => name);
    return names.length === 0 ? [] : wrapped(`  unchanged, ${kind}${names.length === 1 ? '' : 's'}: `, names);
  });
  return [
    ...items.flatMap(({ action, ...item }) => (action === 'unchanged' ? [] : itemLines({ ...item, action }))),
    ...unchanged,
  ];
}

/** How much a plan changes, on one line. */
export function planCount(items: readonly Item[]): string {
  const { create, change, remove, unchanged } = countActions(items);
  const removed = remove === 0 ? '' : ` ${remove} to remove,`;
  return `Plan: ${create} to create, ${change} to change,${removed} ${unchanged} unchanged.`;
}

type Shown = Omit<Item, 'action'> & { readonly action: Exclude<ItemAction, 'unchanged'> };

function itemLines({ action, label, note, where, details }: Shown): string[] {
  const did = [action === 'remove-if-owned' ? 'remove' : action, ...(note === undefined ? [] : [note])].join(', ');
  return [
    `${SIGN[action]} ${visible(label)} (${did}) ${where.file}:${where.line}`,
    ...details.flatMap(detailLines).map((line) => `    ${line}`),
  ];
}

function detailLines(detail: Detail): string[] {
  switch (detail.kind) {
    case 'field':
      return [`${visible(detail.field)}: ${detail.text}`];
    case 'added':
      return [`+ ${visible(detail.text)}`];
    case 'removed':
      return [`- ${visible(detail.text)}`];
    case 'change': {
      const field = visible(detail.field);
      const { difference } = detail;
      if (difference.kind === 'lines') return [`${field}:`, ...difference.lines.map((line) => `  ${diffLine(line)}`)];
      const line = `${field}: ${difference.before} → ${difference.after}`;
      return line.length <= WIDTH ? [line] : [`${field}:`, `  - ${difference.before}`, `  + ${difference.after}`];
    }
  }
}

const DIFF_SIGN = { same: ' ', removed: '-', added: '+' } as const;

/** One line of a difference as diff programs write it, the text behind so many spaces. */
export function diffLine(line: DiffLine, indent = 1): string {
  const space = ' '.repeat(indent);
  switch (line.kind) {
    case 'skipped':
      return ` ${space}(${line.count} lines the same)`;
    case 'cut off':
      return ` ${space}(and ${line.removed} lines removed, ${line.added} added)`;
    default:
      return `${DIFF_SIGN[line.kind]}${space}${line.text}`.trimEnd();
  }
}

/** Names one after the other, in lines of readable length. */
function wrapped(title: string, names: readonly string[]): string[] {
  const lines: string[] = [];
  let line = title;
  names.forEach((name, index) => {
    const text = `${visible(name)}${index === names.length - 1 ? '' : ','}`;
    if (line.length + text.length > WIDTH && line.trim() !== '' && line !== title) {
      lines.push(line.trimEnd());
      line = '      ';
    }
    line += `${text} `;
  });
  return [...lines, line.trimEnd()];
}
