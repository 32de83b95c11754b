import type { SyntaxNode, Tree } from '@lezer/common';

/**
 * What Python allows and the parser's grammar does not. @lezer/python 1.1 knows nothing of a bare `yield`, floats
 * such as `1.`, parenthesised `with` items (PEP 617), class patterns without arguments (PEP 634), arbitrary
 * decorators (PEP 614), starred subscripts (PEP 646), defaults of type parameters (PEP 696), template strings
 * (PEP 750) and lazy imports (PEP 810). Each of them is replaced by something of the same length that the parser
 * knows, so that every offset stays true and all that stands around it is read for what it is.
 */
export interface Replacement {
  readonly from: number;
  readonly to: number;
  /** As long as what it replaces. */
  readonly text: string;
}

/** A file with more errors than this is broken, and not worth the time. */
const MOST = 300;

/** A longer header is no header. */
const LONGEST_HEADER = 5_000;

/** What explains the errors of a tree that has some; empty when nothing does. */
export function explainErrors(tree: Tree, source: string): Replacement[] {
  const found: Replacement[] = [];
  let errors = 0;
  const cursor = tree.cursor();
  do {
    const dot = cursor.name === '.' ? wholeFloat(cursor.node, source) : undefined;
    if (dot !== undefined) found.push(dot);
    if (!cursor.type.isError || isBareYield(cursor.node)) continue;
    errors += 1;
    if (errors > MOST) return [];
    const node = cursor.node;
    const replacement =
      templateString(tree, source, node.from) ??
      starred(source, node) ??
      typeParameterDefault(node, source) ??
      lazyImport(source, node.from) ??
      header(tree, source, node.from);
    if (replacement !== undefined && (found.at(-1)?.to ?? -1) <= replacement.from) found.push(replacement);
  } while (cursor.next());
  return found;
}

/** `yield` alone: the parser misses a value and reads on as it should. */
export function isBareYield(node: SyntaxNode): boolean {
  return node.from === node.to && node.prevSibling?.name === 'yield';
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

/** `1.` becomes `1_`, which no Python writes and the reader of numbers takes for the float. */
function wholeFloat(dot: SyntaxNode, source: string): Replacement | undefined {
  if (dot.name !== '.' || dot.prevSibling?.name !== 'Number' || dot.prevSibling.to !== dot.from) return undefined;
  const next = source[dot.to] ?? '';
  if (next === '_' || next.toLowerCase() !== next.toUpperCase()) return undefined;
  return { from: dot.from, to: dot.to, text: '_' };
}

/** `t"…"`, `rt'…'`: read as an f-string, whose value is not known either. */
function templateString(tree: Tree, source: string, at: number): Replacement | undefined {
  const word = tree.resolveInner(at, -1);
  if (word.name !== 'VariableName' || word.to !== at) return undefined;
  const prefix = source.slice(word.from, word.to);
  const next = source[at];
  if ((next !== '"' && next !== "'") || !['t', 'rt', 'tr'].includes(prefix.toLowerCase())) return undefined;
  return { from: word.from, to: word.to, text: prefix.replace('t', 'f').replace('T', 'F') };
}

/** `tuple[*Ts]`, `*args: *Ts`, `for first, *rest in rows`; of `lambda a, /, b` the slash. */
function starred(source: string, node: SyntaxNode): Replacement | undefined {
  const { from } = node;
  // `2.*x` is about the dot.
  if (source.slice(0, from).trimEnd().endsWith('.')) return undefined;
  if (source[from] === '*' && source[from + 1] !== '*') return { from, to: from + 1, text: ' ' };
  if (source.startsWith('/,', from) && node.parent?.name === 'ParamList') return { from, to: from + 2, text: '  ' };
  return undefined;
}

/**
 * `T = int` of type parameters becomes `T : int`, and `T: int = bool` becomes `T : bool`: the default is what T stands for
 * where nobody says otherwise, as its bound is when there is no default. What `*Ts` and `**P` stand for is never asked.
 */
function typeParameterDefault(node: SyntaxNode, source: string): Replacement | undefined {
  let list: SyntaxNode | null = node;
  while (list !== null && list.name !== 'TypeParamList') list = list.parent;
  if (list === null || source[node.from] !== '=') return undefined;
  let depth = 0;
  let to = node.from;
  while (to < source.length && source[to] !== '\n' && (depth > 0 || !',]'.includes(source[to] ?? ''))) {
    if ('([{'.includes(source[to] ?? ' ')) depth += 1;
    if (')]}'.includes(source[to] ?? ' ')) depth -= 1;
    to += 1;
  }
  const of = list.getChildren('TypeParam').findLast((parameter) => parameter.from < node.from);
  const from = of === undefined || source[of.from] === '*' ? undefined : of.getChild('VariableName')?.to;
  if (from === undefined) return { from: node.from, to, text: ' '.repeat(to - node.from) };
  return { from, to, text: `:${source.slice(node.from + 1, to)}`.padStart(to - from) };
}

/** `lazy import x`: the word becomes a statement of its own. */
function lazyImport(source: string, at: number): Replacement | undefined {
  const start = at - 'lazy '.length;
  if (source.slice(start, at) !== 'lazy ') return undefined;
  const rest = source.slice(at);
  if (!rest.startsWith('import ') && !rest.startsWith('from ')) return undefined;
  return { from: start, to: at, text: 'lazy;' };
}

/** Decorators, `with` and `case` lines are read as `@_`, `with _:` and `case _:`; what they say decides nothing here. */
function header(tree: Tree, source: string, at: number): Replacement | undefined {
  for (let start = lineStart(source, at), lines = 0; lines < 40; lines += 1) {
    const ink = firstInk(source, start);
    const keyword = ['@', 'with ', 'with(', 'async with ', 'case ', 'case('].find((word) =>
      source.startsWith(word, ink),
    );
    if (keyword !== undefined) return headerFrom(tree, source, ink, keyword, at);
    if (start === 0) return undefined;
    start = lineStart(source, start - 1);
  }
  return undefined;
}

function headerFrom(tree: Tree, source: string, ink: number, keyword: string, at: number): Replacement | undefined {
  const outer = tree.resolveInner(ink, 1);
  if (outer.name === 'String' || outer.name === 'FormatString' || outer.name === 'Comment') return undefined;
  const from = ink + (keyword.endsWith('(') ? keyword.length - 1 : keyword.length);
  const line = endOfLogicalLine(source, from, keyword !== '@');
  if (line === undefined || at > line || line <= from) return undefined;
  const text = blanked(source.slice(from, line));
  return source.slice(from, line) === text ? undefined : { from, to: line, text };
}

/** `_`, then spaces; line breaks stay, each behind a backslash, so that the lines keep their numbers. */
function blanked(text: string): string {
  let out = '';
  let named = false;
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '\n') out += '\n';
    else if (text[index + 1] === '\n') out += '\\';
    else {
      out += named ? ' ' : '_';
      named = true;
    }
  }
  return out;
}

function lineStart(source: string, at: number): number {
  return source.lastIndexOf('\n', at - 1) + 1;
}

function firstInk(source: string, at: number): number {
  let next = at;
  while (source[next] === ' ' || source[next] === '\t') next += 1;
  return next;
}

/**
 * The end of a header that starts at `from`, brackets and strings taken into account.
 *
 * @param colon true ends it at the first colon outside brackets; undefined is returned when the line has none.
 */
function endOfLogicalLine(source: string, from: number, colon: boolean): number | undefined {
  let depth = 0;
  let at = from;
  while (at < source.length && at - from < LONGEST_HEADER) {
    const character = source[at] ?? '';
    if (character === '"' || character === "'") {
      at = endOfString(source, at);
      continue;
    }
    if (character === '\\') {
      at += 2;
      continue;
    }
    if (character === '#' && depth === 0) return colon ? undefined : at;
    if (character === '#') at = source.indexOf('\n', at) === -1 ? source.length : source.indexOf('\n', at);
    if ('([{'.includes(character)) depth += 1;
    if (')]}'.includes(character)) depth -= 1;
    if (colon && character === ':' && depth === 0) return at;
    if (source[at] === '\n' && depth <= 0) return colon ? undefined : at;
    at += 1;
  }
  return colon ? undefined : at;
}

function endOfString(source: string, at: number): number {
  const quote = source[at] ?? '"';
  const closing = source.startsWith(quote.repeat(3), at) ? quote.repeat(3) : quote;
  let next = at + closing.length;
  while (next < source.length && !source.startsWith(closing, next)) next += source[next] === '\\' ? 2 : 1;
  return next + closing.length;
}
