import { isCollection, isScalar, Lexer, type Pair, type ParsedNode, type Scalar, visit } from 'yaml';
import type { Parsed } from './parse.ts';

/** A place where PyYAML refuses what the `yaml` library takes, and why. */
export interface Refusal {
  readonly offset: number;
  readonly reason: string;
}

/** PyYAML looks for the `:` of a key no further than this. */
const MAX_KEY = 1024;

/**
 * What PyYAML's scanner, parser and composer refuse although YAML 1.2 has it: an anchor named twice, a key in brackets
 * over several lines, a key of nothing, `?` within text in brackets, tabs anywhere but in texts and comments. A file
 * that Prefect's CLI cannot read is refused here too, so that both say the same of it.
 */
export function pyyamlRefusals({ document, source, at }: Parsed): Refusal[] {
  const refusals: Refusal[] = [];
  const anchors = new Set<string>();
  visit(document ?? null, {
    Node: (_key, node, path) => {
      const [offset] = node.range ?? [0];
      const anchor = 'anchor' in node ? node.anchor : undefined;
      if (anchor !== undefined) {
        if (anchors.has(anchor)) refusals.push({ offset, reason: `the anchor &${anchor} is there already` });
        anchors.add(anchor);
      }
      const holder = path.findLast(isCollection);
      const isPlain = isScalar(node) && node.type === 'PLAIN';
      if (isPlain && holder?.flow === true && node.source?.includes('?') === true) {
        refusals.push({ offset, reason: 'text in brackets or braces that holds a `?` stands in quotes' });
      }
    },
    Pair: (_key, pair) => {
      const refusal = refusedKey(pair as Pair<ParsedNode, ParsedNode | null>, at);
      if (refusal !== undefined) refusals.push(refusal);
    },
  });
  if (source.includes('\t')) refusals.push(...tabs(source));
  return refusals.sort((a, b) => a.offset - b.offset);
}

function refusedKey({ key, srcToken }: Pair<ParsedNode, ParsedNode | null>, at: Parsed['at']): Refusal | undefined {
  const colon = srcToken?.sep?.find((token) => token.type === 'map-value-ind');
  const isExplicit = srcToken?.start.some((token) => token.type === 'explicit-key-ind') ?? true;
  if (colon === undefined || isExplicit) return undefined;
  const properties = srcToken?.start.filter((token) => token.type === 'anchor' || token.type === 'tag') ?? [];
  const isNothing = srcToken?.key === undefined || srcToken.key === null || isEmptyScalar(key);
  if (isNothing && properties.length === 0) return { offset: colon.offset, reason: 'there is no key before the `:`' };
  const start = properties[0]?.offset ?? key.range[0];
  if (at(start).line === at(colon.offset).line && colon.offset - start <= MAX_KEY) return undefined;
  return {
    offset: start,
    reason: `a key and its \`:\` stand in one line, not more than ${MAX_KEY} characters apart; or is a comma missing?`,
  };
}

function isEmptyScalar(node: ParsedNode): node is Scalar.Parsed {
  return isScalar(node) && node.type === 'PLAIN' && node.source === '';
}

/** What the lexer says before the text of a scalar without quotes, also of a block. */
const SCALAR = '\u001f';

function tabs(source: string): Refusal[] {
  const refusals: Refusal[] = [];
  let offset = 0;
  let isScalarNext = false;
  let isBlockNext = false;
  for (const lexeme of new Lexer().lex(source)) {
    if (lexeme === '\u0002' || lexeme === '\u0018') continue;
    if (lexeme === SCALAR) {
      isScalarNext = true;
      continue;
    }
    const first = lexeme[0] ?? '';
    const isText = (isScalarNext && isBlockNext) || (!isScalarNext && ['"', "'", '#'].includes(first));
    const tab = isText ? -1 : lexeme.indexOf('\t');
    if (tab !== -1) {
      refusals.push({ offset: offset + tab, reason: 'there is a tab; use blanks, or put text with a tab in quotes' });
    }
    isBlockNext = !isScalarNext && (first === '|' || first === '>' || (isBlockNext && /[\s#]/.test(first)));
    isScalarNext = false;
    offset += lexeme.length;
  }
  return refusals;
}
