import {
  type Document,
  isCollection,
  isScalar,
  type ParsedNode,
  parseAllDocuments,
  visit,
  type YAMLParseError,
} from 'yaml';
import { continuedLines } from './continued-lines.ts';
import type { Position } from './model.ts';

/** What the library made of a text, and where its offsets are in the file. */
export interface Parsed {
  /** The first document; undefined when there is none. */
  readonly document: Document.Parsed<ParsedNode> | undefined;
  /** What is wrong with it, in the order found. */
  readonly errors: readonly YAMLParseError[];
  /** The offset at which a second one begins. */
  readonly second: number | undefined;
  /** The text that the offsets count in. */
  readonly source: string;
  at(offset: number): Position;
}

/**
 * Parses YAML as leniently as PyYAML where it differs most in practice: PyYAML lets the lines inside quotes, brackets
 * and braces begin at any column, the `yaml` library wants them deeper than their parent. When that is what it complains
 * of, such lines are indented, which changes no value, and the text is parsed once more; when it does not parse then
 * either, or one of the lines does not stand inside such a node, the first attempt's errors stand.
 *
 * @param text with `\n` as the only line end.
 * @param file for positions, which count in the text as given.
 */
export function parseDocuments(text: string, file: string): Parsed {
  const first = parseOnce(text, file, new Set(), 0);
  if (!first.errors.some(isOfIndentation)) return first;
  // Deeper than anything in the file, the `- ` before a key counted in.
  const width = text.split('\n').reduce((most, line) => Math.max(most, line.search(/[^\s?-]|$/)), 0) + 1;
  const indented = continuedLines(text);
  if (indented.size === 0 || width * indented.size > MAX_MARGIN) return first;
  const second = parseOnce(text, file, indented, width);
  return second.errors.length === 0 && standInside(second, indented) ? second : first;
}

/** How many blanks may be added: a deep file with many such lines is none that anybody wrote. */
const MAX_MARGIN = 10_000_000;

function parseOnce(text: string, file: string, indented: ReadonlySet<number>, width: number): Parsed {
  const source = indent(text, indented, width);
  const starts = lineStarts(source);
  const [document, second] = parseAllDocuments<ParsedNode>(source, {
    schema: 'failsafe',
    version: '1.1',
    resolveKnownTags: false,
    merge: false,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
    keepSourceTokens: true,
  });
  const at = (offset: number): Position => {
    const line = lineOf(Math.min(offset, source.length), starts);
    const column = offset - (starts[line - 1] ?? 0) + 1;
    return { file, line, column: Math.max(indented.has(line) ? column - width : column, 1) };
  };
  // PyYAML lets a comment follow a closing quote or bracket directly.
  const errors = document?.errors.filter((error) => !error.message.startsWith('Comments must be separated')) ?? [];
  return { document, errors, second: second?.range[0], source, at };
}

/** Where each line begins. The library's own counter loses lines after some errors. */
function lineStarts(source: string): number[] {
  const starts = [0];
  for (let end = source.indexOf('\n'); end !== -1; end = source.indexOf('\n', end + 1)) starts.push(end + 1);
  return starts;
}

/** The line an offset is in, from 1. */
function lineOf(offset: number, starts: readonly number[]): number {
  let [first, behind] = [0, starts.length];
  while (behind - first > 1) {
    const middle = (first + behind) >>> 1;
    if ((starts[middle] ?? 0) <= offset) first = middle;
    else behind = middle;
  }
  return first + 1;
}

function indent(text: string, lines: ReadonlySet<number>, width: number): string {
  if (lines.size === 0) return text;
  const margin = ' '.repeat(width);
  return text
    .split('\n')
    .map((line, index) => (lines.has(index + 1) ? margin + line : line))
    .join('\n');
}

function isOfIndentation(error: YAMLParseError): boolean {
  return (
    (error.code === 'BAD_INDENT' && error.message.startsWith('Flow ')) ||
    (error.code === 'MISSING_CHAR' && error.message.startsWith('Missing closing '))
  );
}

/** Whether each of these lines begins inside quotes, brackets or braces, where its indentation means nothing. */
function standInside({ document, at }: Parsed, lines: ReadonlySet<number>): boolean {
  const inside = new Set<number>();
  visit(document ?? null, {
    Node: (_key, node) => {
      const isQuoted = isScalar(node) && (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE');
      if (!isQuoted && !(isCollection(node) && node.flow === true)) return undefined;
      const [start, end] = node.range ?? [0, 0];
      for (let line = at(start).line + 1; line <= at(end).line; line += 1) inside.add(line);
      return visit.SKIP;
    },
  });
  return [...lines].every((line) => inside.has(line));
}
