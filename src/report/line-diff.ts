/** One line of a difference, or what stands for lines that are not shown. */
export type DiffLine =
  | { readonly kind: 'same' | 'removed' | 'added'; readonly text: string }
  /** So many lines that are the same. */
  | { readonly kind: 'skipped'; readonly count: number }
  /** The end of a long difference. */
  | { readonly kind: 'cut off'; readonly added: number; readonly removed: number };

/** Lines shown around each difference. */
const CONTEXT = 2;

/** The table of the comparison has at most this many cells; texts that differ in more are shown one after the other. */
const MOST_CELLS = 1_000_000;

/**
 * What turns one list of lines into another, with two lines around each difference. The longest common subsequence of
 * what lies between their common begin and end.
 */
export function lineDiff(before: readonly string[], after: readonly string[]): DiffLine[] {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  return folded([
    ...before.slice(0, start).map((text) => ({ kind: 'same', text }) as const),
    ...middleDiff(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map((text) => ({ kind: 'same', text }) as const),
  ]);
}

type Line = Extract<DiffLine, { text: string }>;

function middleDiff(before: readonly string[], after: readonly string[]): Line[] {
  if (before.length * after.length > MOST_CELLS) {
    return [
      ...before.map((text) => ({ kind: 'removed', text }) as const),
      ...after.map((text) => ({ kind: 'added', text }) as const),
    ];
  }
  const width = after.length + 1;
  /** Length of the longest common subsequence of what follows row and column. */
  const common = new Uint32Array((before.length + 1) * width);
  const at = (row: number, column: number): number => common[row * width + column] ?? 0;
  for (let row = before.length - 1; row >= 0; row -= 1) {
    for (let column = after.length - 1; column >= 0; column -= 1) {
      common[row * width + column] =
        before[row] === after[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const lines: Line[] = [];
  let [row, column] = [0, 0];
  while (row < before.length || column < after.length) {
    const [old, young] = [before[row], after[column]];
    if (old !== undefined && old === young) {
      lines.push({ kind: 'same', text: old });
      row += 1;
      column += 1;
    } else if (old !== undefined && (young === undefined || at(row + 1, column) >= at(row, column + 1))) {
      lines.push({ kind: 'removed', text: old });
      row += 1;
    } else if (young !== undefined) {
      lines.push({ kind: 'added', text: young });
      column += 1;
    }
  }
  return lines;
}

/** Lines that are the same stay beside differences; one alone is not worth a note that it was left out. */
function folded(lines: readonly Line[]): DiffLine[] {
  const near = lines.map((_line, index) =>
    lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(({ kind }) => kind !== 'same'),
  );
  const shown: DiffLine[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index];
    if (line === undefined) continue;
    if (near[index]) {
      shown.push(line);
      continue;
    }
    let next = index;
    while (next < lines.length && !near[next]) next += 1;
    shown.push(next - index === 1 ? line : { kind: 'skipped', count: next - index });
    index = next - 1;
  }
  return shown;
}
