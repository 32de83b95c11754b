import { type Document, LineCounter, type ParsedNode, parseAllDocuments, type YAMLParseError } from 'yaml';
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

/** How many characters may be parsed again and again before we give up; a large file gets fewer attempts. */
const MAX_REPARSED = 50_000_000;
const MAX_ATTEMPTS = 500;

/**
 * Parses YAML as leniently as PyYAML where it differs most in practice: PyYAML lets the lines inside quotes, brackets
 * and braces begin at any column, the `yaml` library wants them deeper than their parent. Such lines are indented, which
 * changes no value, until the text parses; when it does not come to that, the first attempt's errors stand.
 *
 * @param text with `\n` as the only line end.
 * @param file for positions, which count in the text as given.
 */
export function parseDocuments(text: string, file: string): Parsed {
  const first = parseOnce(text, file, new Set(), 0);
  if (first.errors.length === 0) return first;
  // Deeper than anything in the file, the `- ` before a key counted in.
  const width = text.split('\n').reduce((most, line) => Math.max(most, line.search(/[^\s?-]|$/)), 0) + 1;
  const attempts = Math.min(MAX_ATTEMPTS, MAX_REPARSED / text.length);
  const indented = new Set<number>();
  let parsed = first;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const [error] = parsed.errors;
    if (error === undefined) return parsed;
    const line = lineToIndent(error, parsed);
    if (line === undefined || indented.has(line)) return first;
    indented.add(line);
    parsed = parseOnce(text, file, indented, width);
  }
  return first;
}

function parseOnce(text: string, file: string, indented: ReadonlySet<number>, width: number): Parsed {
  const source = indent(text, indented, width);
  const lines = new LineCounter();
  const [document, second] = parseAllDocuments<ParsedNode>(source, {
    schema: 'failsafe',
    version: '1.1',
    resolveKnownTags: false,
    merge: false,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
    lineCounter: lines,
  });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(indented.has(line) ? col - width : col, 1) };
  };
  // PyYAML lets a comment follow a closing quote or bracket directly.
  const errors = document?.errors.filter((error) => !error.message.startsWith('Comments must be separated')) ?? [];
  return { document, errors, second: second?.range[0], source, at };
}

function indent(text: string, lines: ReadonlySet<number>, width: number): string {
  if (lines.size === 0) return text;
  const margin = ' '.repeat(width);
  return text
    .split('\n')
    .map((line, index) => (lines.has(index + 1) ? margin + line : line))
    .join('\n');
}

/** The line that an error blames for standing too far left inside quotes or brackets; undefined for other errors. */
function lineToIndent(error: YAMLParseError, parsed: Parsed): number | undefined {
  const isFlow = error.code === 'BAD_INDENT' && error.message.startsWith('Flow ');
  const isQuote = error.code === 'MISSING_CHAR' && error.message.startsWith('Missing closing ');
  if (!isFlow && !isQuote) return undefined;
  // The error stands in that line, or at the end of the last good one.
  const [offset] = error.pos;
  const blank = /^\s*/.exec(parsed.source.slice(offset))?.[0] ?? '';
  return offset + blank.length < parsed.source.length ? parsed.at(offset + blank.length).line : undefined;
}
