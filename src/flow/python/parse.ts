import { createHash } from 'node:crypto';
import type { Tree } from '@lezer/common';
import { parser } from '@lezer/python';
import type { Expression, Statement } from './ast.ts';
import { explainErrors, isBareYield, withReplacements } from './gaps.ts';
import { stringShape } from './literals.ts';
import { readStatements } from './statements.ts';

/** A Python file as far as it was understood. */
export interface PythonFile {
  /** The text with `\n` line ends and without a byte order mark; every offset counts in it. */
  readonly source: string;
  /** Of the file as it is, in hexadecimal digits: the version of its flows that name none. */
  readonly md5: string;
  readonly statements: readonly Statement[];
  /** The first place that is no Python this parser knows. */
  readonly syntaxError: { readonly at: number; readonly near: string } | undefined;
  /** It was not read at all. */
  readonly isTooLarge?: boolean;
}

/** One gap can hide another (a template string in a decorator): a few rounds, then it is an error. */
const ROUNDS = 4;

/**
 * Reads Python source. Never throws: a text that is no Python gives a `syntaxError` and whatever stands around it.
 *
 * @param text the file's content, any line ends.
 */
export function parsePython(text: string): PythonFile {
  const source = normalise(text);
  let readable = source;
  let tree = parser.parse(readable);
  let error = firstError(tree, readable);
  for (let round = 0; round < ROUNDS && error !== undefined; round += 1) {
    const replacements = explainErrors(tree, readable);
    if (replacements.length === 0) break;
    readable = withReplacements(readable, replacements);
    tree = parser.parse(readable);
    error = firstError(tree, readable);
  }
  error ??= firstMisindented(tree, readable);
  const at = error === undefined ? undefined : firstInk(source, error);
  const syntaxError = at === undefined ? undefined : { at, near: wordAt(source, at) };
  const md5 = createHash('md5').update(text).digest('hex');
  return { source, md5, statements: readStatements(tree.topNode, readable), syntaxError };
}

/** Where the first thing stands that is no Python 3; undefined when all of it is. */
function firstError(tree: Tree, source: string): number | undefined {
  const cursor = tree.cursor();
  do {
    if (cursor.type.isError && !isBareYield(cursor.node)) return cursor.from;
    // The parser still reads Python 2's print statement, and strings that end with their line.
    if (cursor.name === 'PrintStatement') return cursor.from;
    if (cursor.name === 'String' && !isClosed(source.slice(cursor.from, cursor.to))) return cursor.from;
  } while (cursor.next());
  return undefined;
}

/** The parser takes any indentation; Python wants the statements of a block at one. */
function firstMisindented(tree: Tree, source: string): number | undefined {
  const cursor = tree.cursor();
  do {
    if (cursor.name !== 'Script' && cursor.name !== 'Body') continue;
    let indent = cursor.name === 'Script' ? '' : undefined;
    for (let child = cursor.node.firstChild; child !== null; child = child.nextSibling) {
      if (!child.name.endsWith('Statement') && !child.name.endsWith('Definition') && child.name !== 'StatementGroup')
        continue;
      const own = indentation(source, child.from);
      indent ??= own;
      if (own !== undefined && own !== indent) return child.from;
    }
  } while (cursor.next());
  return undefined;
}

/** The blanks in front of a statement; undefined when something else stands there. */
function indentation(source: string, at: number): string | undefined {
  const start = source.lastIndexOf('\n', at - 1) + 1;
  if (source[start - 2] === '\\') return undefined;
  const blanks = source.slice(start, at).replaceAll('\f', '');
  return blanks.trim() === '' ? blanks : undefined;
}

function isClosed(literal: string): boolean {
  const { start, quotes } = stringShape(literal);
  return literal.length >= start + quotes && literal.at(-1) === literal[start - 1];
}

function normalise(text: string): string {
  const plain = text.startsWith('\ufeff') ? text.slice(1) : text;
  return plain.replaceAll('\r\n', '\n').replaceAll('\r', '\n');
}

/** An error node without text stands before the blank it stumbled over; point at the next character on the line. */
function firstInk(source: string, at: number): number {
  let next = at;
  while (source[next] === ' ' || source[next] === '\t') next += 1;
  return source[next] === '\n' || next >= source.length ? at : next;
}

function wordAt(source: string, at: number): string {
  const end = source.indexOf('\n', at);
  return source.slice(at, Math.min(end === -1 ? source.length : end, at + 20)).trimEnd();
}

/** Line and column, both from 1, of an offset. */
export function lineAndColumn(source: string, offset: number): { line: number; column: number } {
  let line = 1;
  let start = 0;
  for (let next = source.indexOf('\n'); next !== -1 && next < offset; next = source.indexOf('\n', next + 1)) {
    line += 1;
    start = next + 1;
  }
  return { line, column: offset - start + 1 };
}

/** Reads one expression on its own, e.g. the text of a string annotation; undefined when it is none. */
export function parseExpression(text: string): Expression | undefined {
  // As an argument: line breaks are free, and nothing but one whole expression can stand there.
  const file = parsePython(`_(${text}\n)`);
  const [only, ...more] = file.statements;
  if (file.syntaxError !== undefined || more.length > 0 || only?.kind !== 'expression') return undefined;
  if (only.value.kind !== 'call' || only.value.callee.kind !== 'name' || only.value.callee.id !== '_') return undefined;
  const [argument, ...others] = only.value.args;
  return argument?.kind === 'positional' && others.length === 0 ? argument.value : undefined;
}
