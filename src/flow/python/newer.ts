import type { Tree } from '@lezer/common';

/**
 * Python newer than the parser. The grammar of @lezer/python 1.1 stops at Python 3.12 without arbitrary decorators
 * (PEP 614), starred subscripts (PEP 646), defaults of type parameters (PEP 696), template strings (PEP 750) and
 * lazy imports (PEP 810). Each of them is replaced by something of the same length that the parser knows, so that
 * every offset stays true and the statement around it is read for what it is.
 */
export interface Replacement {
  readonly from: number;
  readonly to: number;
  /** As long as what it replaces. */
  readonly text: string;
}

/** What explains the tree's errors as newer Python; empty when nothing does. */
export function newerPython(tree: Tree, source: string): Replacement[] {
  const found: Replacement[] = [];
  const cursor = tree.cursor();
  do {
    if (!cursor.type.isError) continue;
    const replacement =
      templateString(tree, source, cursor.from) ??
      starred(source, cursor.from, cursor.to, cursor.node.parent?.name) ??
      typeParameterDefault(cursor.node, source) ??
      lazyImport(source, cursor.from) ??
      anyDecorator(tree, source, cursor.from);
    if (replacement !== undefined && (found.at(-1)?.to ?? -1) <= replacement.from) found.push(replacement);
  } while (cursor.next());
  return found;
}

/** Writes the replacements into the source. */
export function withReplacements(source: string, replacements: readonly Replacement[]): string {
  let out = '';
  let at = 0;
  for (const { from, to, text } of replacements) {
    out += source.slice(at, from) + text;
    at = to;
  }
  return out + source.slice(at);
}

/** `t"…"`, `rt'…'`: read as an f-string, whose value is not known either. */
function templateString(tree: Tree, source: string, at: number): Replacement | undefined {
  const word = tree.resolveInner(at, -1);
  if (word.name !== 'VariableName' || word.to !== at) return undefined;
  const prefix = source.slice(word.from, word.to);
  const next = source[at];
  if ((next !== '"' && next !== "'") || !['t', 'rt', 'tr'].includes(prefix.toLowerCase())) return undefined;
  const text = prefix.replace('t', 'f').replace('T', 'F');
  return { from: word.from, to: word.to, text };
}

/** `tuple[*Ts]` and `*args: *Ts`. */
function starred(source: string, from: number, to: number, parent: string | undefined): Replacement | undefined {
  if (source.slice(from, to) !== '*' || (parent !== 'MemberExpression' && parent !== 'TypeDef')) return undefined;
  return { from, to, text: ' ' };
}

/** `def f[T = int]`. */
function typeParameterDefault(node: { name: string; parent: unknown; from: number } & NodeLike, source: string) {
  let list: NodeLike | null = node;
  while (list !== null && list.name !== 'TypeParamList') list = list.parent;
  if (list === null) return undefined;
  const parameter = node.parent?.name === 'TypeParam' ? node.parent : undefined;
  const to = parameter?.to ?? node.to;
  if (source[node.from] !== '=') return undefined;
  return { from: node.from, to, text: ' '.repeat(to - node.from) };
}

interface NodeLike {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly parent: NodeLike | null;
}

/** `lazy import x`: the word becomes a statement of its own. */
function lazyImport(source: string, at: number): Replacement | undefined {
  const start = at - 'lazy '.length;
  if (source.slice(start, at) !== 'lazy ') return undefined;
  const rest = source.slice(at);
  if (!rest.startsWith('import ') && !rest.startsWith('from ')) return undefined;
  return { from: start, to: at, text: 'lazy;' };
}

/** `@buttons[0].clicked.connect`, `@a(1).b(2)`, `@(x)`: read as `@_`, a decorator nobody knows. */
function anyDecorator(tree: Tree, source: string, at: number): Replacement | undefined {
  let decorator = tree.resolveInner(at, -1);
  while (decorator.name !== 'Decorator') {
    if (decorator.parent === null) return undefined;
    decorator = decorator.parent;
  }
  const from = decorator.from + 1;
  const to = endOfLogicalLine(source, from);
  if (to <= from) return undefined;
  return { from, to, text: blanked(source.slice(from, to)) };
}

/** `_`, then spaces; line breaks stay, each behind a backslash, so that the lines keep their numbers. */
function blanked(text: string): string {
  let out = '';
  for (let index = 0; index < text.length; index += 1) {
    if (index === 0) out += '_';
    else if (text[index] === '\n') out += '\n';
    else out += text[index + 1] === '\n' ? '\\' : ' ';
  }
  return out;
}

/** The end of the line that starts at `from`, brackets and strings taken into account. */
function endOfLogicalLine(source: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < source.length) {
    const character = source[at] ?? '';
    if (character === '"' || character === "'") {
      at = endOfString(source, at);
      continue;
    }
    if (character === '#') return at;
    if ('([{'.includes(character)) depth += 1;
    if (')]}'.includes(character)) depth -= 1;
    if (character === '\n' && depth <= 0) return at;
    at += 1;
  }
  return at;
}

function endOfString(source: string, at: number): number {
  const quote = source[at] ?? '"';
  const closing = source.startsWith(quote.repeat(3), at) ? quote.repeat(3) : quote;
  let next = at + closing.length;
  while (next < source.length && !source.startsWith(closing, next)) next += source[next] === '\\' ? 2 : 1;
  return next + closing.length;
}

/** True for the name of a replaced decorator. */
export const REPLACED_DECORATOR = '_';
