import type { SyntaxNode } from '@lezer/common';
import type { Argument, DictEntry, Expression, Parameter } from './ast.ts';
import { readString, resolveEscapes, stringShape } from './literals.ts';

/** Deeper than any hand-written expression; below it a generated one cannot exhaust the stack. */
const DEEPEST = 150;

/** Every child of a node, anonymous punctuation included. */
export function children(node: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) found.push(child);
  return found.filter((child) => child.name !== 'Comment');
}

/** True for the parser's error nodes; they stand where the text is no Python it knows. */
export function isError(node: SyntaxNode): boolean {
  return node.type.isError;
}

/** Reads one expression of the tree. Never throws: what it does not know is `other`. */
export function readExpression(node: SyntaxNode, source: string, depth = 0): Expression {
  const span = { from: node.from, to: node.to };
  const other: Expression = { ...span, kind: 'other', what: node.name };
  if (depth > DEEPEST) return other;
  const kids = children(node);
  if (kids.some(isError)) return other;
  const read = (child: SyntaxNode | undefined): Expression =>
    child === undefined ? other : readExpression(child, source, depth + 1);
  const text = (child: SyntaxNode | undefined): string => (child ? source.slice(child.from, child.to) : '');

  switch (node.name) {
    case 'VariableName':
      return { ...span, kind: 'name', id: text(node).normalize('NFKC') };
    case 'Number':
      return { ...span, kind: 'number', text: text(node) };
    case 'None':
      return { ...span, kind: 'none' };
    case 'Boolean':
      return { ...span, kind: 'boolean', value: text(node) === 'True' };
    case 'Ellipsis':
      return { ...span, kind: 'ellipsis' };
    case 'String':
    case 'FormatString':
    case 'ContinuedString':
      return readStrings(node.name === 'ContinuedString' ? kids : [node], source, span, read);
    case 'ParenthesizedExpression':
      return kids.length === 3 ? read(kids[1]) : other;
    case 'TupleExpression':
      return { ...span, kind: 'tuple', items: readItems(kids.slice(1, -1), read) };
    case 'ArrayExpression':
      return { ...span, kind: 'list', items: readItems(kids.slice(1, -1), read) };
    case 'SetExpression':
      return { ...span, kind: 'set', items: readItems(kids.slice(1, -1), read) };
    case 'DictionaryExpression':
      return { ...span, kind: 'dict', entries: readEntries(kids.slice(1, -1), read) };
    case 'CallExpression':
      return kids[1]?.name === 'ArgList'
        ? { ...span, kind: 'call', callee: read(kids[0]), args: readArguments(kids[1], source, depth + 1) }
        : other;
    case 'MemberExpression': {
      const last = kids.at(-1);
      if (last?.name === 'PropertyName') return { ...span, kind: 'attribute', value: read(kids[0]), name: text(last) };
      const inside = kids.slice(2, -1);
      if (inside.some((kid) => kid.name === ':')) return other;
      return { ...span, kind: 'subscript', value: read(kids[0]), items: readItems(inside, read) };
    }
    case 'UnaryExpression':
      return { ...span, kind: 'unary', operator: text(kids[0]), operand: read(kids[1]) };
    case 'BinaryExpression':
      return kids.length === 3
        ? { ...span, kind: 'binary', operator: text(kids[1]), left: read(kids[0]), right: read(kids[2]) }
        : other;
    case 'ConditionalExpression':
      return { ...span, kind: 'conditional', body: read(kids[0]), test: read(kids[2]), otherwise: read(kids[4]) };
    case 'LambdaExpression': {
      const list = kids.find((kid) => kid.name === 'ParamList');
      return { ...span, kind: 'lambda', parameters: list ? readParameters(list, source) : [], body: read(kids.at(-1)) };
    }
    default:
      return other;
  }
}

/** Comma-separated expressions, with `*x` as `starred`. */
export function readItems(nodes: readonly SyntaxNode[], read: (node: SyntaxNode | undefined) => Expression) {
  const items: Expression[] = [];
  for (let index = 0; index < nodes.length; index += 1) {
    const node = nodes[index];
    if (node === undefined || node.name === ',') continue;
    if (node.name === '*') {
      index += 1;
      const value = read(nodes[index]);
      items.push({ kind: 'starred', value, from: node.from, to: value.to });
    } else {
      items.push(read(node));
    }
  }
  return items;
}

function readEntries(nodes: readonly SyntaxNode[], read: (node: SyntaxNode | undefined) => Expression): DictEntry[] {
  const entries: DictEntry[] = [];
  for (let index = 0; index < nodes.length; index += 1) {
    const node = nodes[index];
    if (node === undefined || node.name === ',') continue;
    if (node.name === '**') {
      index += 1;
      entries.push({ key: undefined, value: read(nodes[index]) });
    } else {
      index += 2;
      entries.push({ key: read(node), value: read(nodes[index]) });
    }
  }
  return entries;
}

/** The arguments of a call, a decorator or a class statement. */
export function readArguments(list: SyntaxNode, source: string, depth = 0): Argument[] {
  const nodes = children(list).slice(1, -1);
  const read = (child: SyntaxNode): Expression => readExpression(child, source, depth + 1);
  const missing = (at: SyntaxNode): Expression => ({ kind: 'other', what: 'missing', from: at.from, to: at.to });
  const groups: SyntaxNode[][] = [[]];
  for (const node of nodes) {
    if (node.name === ',') groups.push([]);
    else groups.at(-1)?.push(node);
  }
  return groups.flatMap((group): Argument[] => {
    const [first, second, third] = group;
    if (first === undefined) return [];
    if (first.name === '*') return [{ kind: 'star', value: second ? read(second) : missing(first) }];
    if (first.name === '**') return [{ kind: 'double-star', value: second ? read(second) : missing(first) }];
    if (second?.name === 'AssignOp' && source.slice(second.from, second.to) === '=') {
      const name = source.slice(first.from, first.to);
      return [{ kind: 'keyword', name, value: third ? read(third) : missing(first), from: first.from }];
    }
    // `f(x for x in y)` and `f(a := 1)` are one positional argument that is not looked into.
    if (group.length > 1) return [{ kind: 'positional', value: missing(first) }];
    return [{ kind: 'positional', value: read(first) }];
  });
}

/** The parameters of a function or lambda, in order; the markers `/` and `*` are left out. */
export function readParameters(list: SyntaxNode, source: string): Parameter[] {
  const parameters: Parameter[] = [];
  let kind: Parameter['kind'] = 'plain';
  const kids = children(list);
  for (let index = 0; index < kids.length; index += 1) {
    const node = kids[index];
    if (node === undefined) continue;
    if (node.name === ',') kind = 'plain';
    if (node.name === '*') kind = 'star';
    if (node.name === '**') kind = 'double-star';
    if (node.name !== 'VariableName') continue;
    let annotation: Expression | undefined;
    let value: Expression | undefined;
    let to = node.to;
    const type = kids[index + 1];
    if (type?.name === 'TypeDef') {
      annotation = readTypeDef(type, source);
      to = type.to;
      index += 1;
    }
    const assigned = kids[index + 2];
    if (kids[index + 1]?.name === 'AssignOp' && assigned !== undefined) {
      value = readExpression(assigned, source);
      to = assigned.to;
      index += 2;
    }
    const name = source.slice(node.from, node.to).normalize('NFKC');
    parameters.push({ name, kind, annotation, default: value, from: node.from, to });
  }
  return parameters;
}

/**
 * The expression after `:` in `name: expression`.
 *
 * @param at position among the node's children; 0 for `-> expression`, whose arrow stands outside.
 */
export function readTypeDef(node: SyntaxNode, source: string, at = 1): Expression {
  const kids = children(node);
  const inner = kids[at];
  if (inner === undefined || kids.length !== at + 1 || isError(inner)) {
    return { kind: 'other', what: 'annotation', from: node.from, to: node.to };
  }
  return readExpression(inner, source);
}

/** Adjacent literals are one string; with an f-string among them, one `format`. */
function readStrings(
  nodes: readonly SyntaxNode[],
  source: string,
  span: { from: number; to: number },
  read: (node: SyntaxNode | undefined) => Expression,
): Expression {
  const parts: (string | Expression)[] = [];
  let bytes = 0;
  for (const node of nodes) {
    const literal = source.slice(node.from, node.to);
    if (node.name === 'FormatString') {
      const read1 = readFormat(node, source, read);
      if (read1 === undefined) return { ...span, kind: 'other', what: 'escape' };
      parts.push(...read1);
      continue;
    }
    const value = readString(literal);
    if (value.kind === 'undecoded') return { ...span, kind: 'other', what: 'escape' };
    if (value.kind === 'bytes') bytes += 1;
    parts.push(value.value);
  }
  const texts = parts.filter((part) => typeof part === 'string');
  if (texts.length < parts.length) return { ...span, kind: 'format', parts };
  return { ...span, kind: bytes > 0 && bytes === nodes.length ? 'bytes' : 'string', value: texts.join('') };
}

function readFormat(
  node: SyntaxNode,
  source: string,
  read: (node: SyntaxNode | undefined) => Expression,
): (string | Expression)[] | undefined {
  const shape = stringShape(source.slice(node.from, node.to));
  const parts: (string | Expression)[] = [];
  let at = node.from + shape.start;
  const literal = (to: number): string | undefined => {
    const content = source.slice(at, to).replaceAll('{{', '{').replaceAll('}}', '}');
    return shape.raw ? content : resolveEscapes(content, false);
  };
  for (const kid of children(node).filter((child) => child.name === 'FormatReplacement')) {
    const before = literal(kid.from);
    if (before === undefined) return undefined;
    const inside = children(kid);
    // `{x!r}`, `{x:>5}` and `{x=}` change the text in ways that are not followed.
    const plain = inside.length === 3;
    parts.push(before, plain ? read(inside[1]) : { kind: 'other', what: 'format', from: kid.from, to: kid.to });
    at = kid.to;
  }
  const last = literal(node.to - shape.quotes);
  if (last === undefined) return undefined;
  return [...parts, last];
}
