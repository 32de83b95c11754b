import type { SyntaxNode } from '@lezer/common';
import type { ClassStatement, Expression, FunctionStatement, Parameter, Statement, TypeParameter } from './ast.ts';
import {
  children,
  isError,
  readArguments,
  readExpression,
  readItems,
  readParameters,
  readTypeDef,
} from './expressions.ts';

/** Statements nested deeper than this are not looked into. */
const DEEPEST = 60;

/** Reads the statements directly inside a node (the script, or a body after its colon). Never throws. */
export function readStatements(node: SyntaxNode, source: string, depth = 0): Statement[] {
  if (depth > DEEPEST) return [];
  return children(node).flatMap((child) => {
    if (child.name === 'StatementGroup') return readStatements(child, source, depth + 1);
    const statement = readStatement(child, source, depth);
    return statement === undefined ? [] : [statement];
  });
}

function readStatement(node: SyntaxNode, source: string, depth: number): Statement | undefined {
  const span = { from: node.from, to: node.to };
  const kids = children(node);
  const bodies = kids.filter((kid) => kid.name === 'Body');
  const read = (body: SyntaxNode | undefined): Statement[] => (body ? readStatements(body, source, depth + 1) : []);

  switch (node.name) {
    case 'DecoratedStatement': {
      const decorators = kids.filter((kid) => kid.name === 'Decorator').map((kid) => readDecorator(kid, source));
      const inner = kids.find((kid) => kid.name === 'FunctionDefinition' || kid.name === 'ClassDefinition');
      if (inner === undefined) return { ...span, kind: 'other' };
      return inner.name === 'FunctionDefinition'
        ? readFunction(inner, source, decorators, depth)
        : readClass(inner, source, decorators, depth);
    }
    case 'FunctionDefinition':
      return readFunction(node, source, [], depth);
    case 'ClassDefinition':
      return readClass(node, source, [], depth);
    case 'AssignStatement':
      return readAssignment(kids, source, span);
    case 'UpdateStatement':
      return { ...span, kind: 'update', target: expressionOf(kids[0], source, span) };
    case 'DeleteStatement':
      return { ...span, kind: 'delete', targets: readItems(kids.slice(1), (kid) => expressionOf(kid, source, span)) };
    case 'ImportStatement':
      return readImport(kids, source, span);
    case 'ExpressionStatement': {
      const value = readTuple(kids, source, span);
      return { ...span, kind: 'expression', value };
    }
    case 'TypeDefinition': {
      const name = kids[1];
      const value = kids.at(-1);
      if (name === undefined || value === undefined) return { ...span, kind: 'other' };
      const generic = kids.some((kid) => kid.name === 'TypeParamList');
      return { ...span, kind: 'type', name: textOf(name, source), generic, value: readExpression(value, source) };
    }
    case 'IfStatement':
      return {
        ...span,
        kind: 'if',
        branches: bodies.map((body) => ({ test: testOf(body, source), body: read(body) })),
      };
    case 'TryStatement':
      return readTry(kids, span, read);
    case 'WithStatement':
      return { ...span, kind: 'with', targets: namesBeforeBody(kids, source, 'as'), body: bodies.flatMap(read) };
    case 'ForStatement':
      return { ...span, kind: 'maybe', targets: namesBeforeBody(kids, source, 'for'), body: bodies.flatMap(read) };
    case 'WhileStatement':
      return { ...span, kind: 'maybe', targets: [], body: bodies.flatMap(read) };
    case 'MatchStatement': {
      const clauses = bodies.length > 0 ? bodies : kids.filter((kid) => kid.name === 'MatchBody');
      const inside = clauses.flatMap(children).filter((kid) => kid.name === 'MatchClause');
      const clauseBodies = inside.flatMap(children).filter((kid) => kid.name === 'Body');
      return { ...span, kind: 'maybe', targets: [], body: clauseBodies.flatMap(read) };
    }
    case 'ReturnStatement': {
      const rest = kids.slice(1);
      return { ...span, kind: 'return', value: rest.length === 0 ? undefined : readTuple(rest, source, span) };
    }
    case 'RaiseStatement':
      return { ...span, kind: 'raise' };
    default:
      return node.name.endsWith('Statement') ? { ...span, kind: 'other' } : undefined;
  }
}

function textOf(node: SyntaxNode, source: string): string {
  return source.slice(node.from, node.to);
}

function expressionOf(node: SyntaxNode | undefined, source: string, span: { from: number; to: number }): Expression {
  return node === undefined ? { ...span, kind: 'other', what: 'missing' } : readExpression(node, source);
}

/** `a, b` without parentheses is a tuple; one expression is itself. */
function readTuple(nodes: readonly SyntaxNode[], source: string, span: { from: number; to: number }): Expression {
  if (nodes.some(isError)) return { ...span, kind: 'other', what: 'error' };
  const items = readItems(nodes, (kid) => expressionOf(kid, source, span));
  const [only] = items;
  const tuple = nodes.some((node) => node.name === ',') || only?.kind === 'starred';
  return tuple || only === undefined ? { ...span, kind: 'tuple', items } : only;
}

/** A decorator is read as the expression after the `@`. */
function readDecorator(node: SyntaxNode, source: string): Expression {
  const kids = children(node);
  let expression: Expression | undefined;
  for (const kid of kids) {
    if (isError(kid)) return { kind: 'other', what: 'decorator', from: node.from, to: node.to };
    if (kid.name === 'VariableName') {
      const id = textOf(kid, source);
      expression =
        expression === undefined
          ? { kind: 'name', id, from: kid.from, to: kid.to }
          : { kind: 'attribute', value: expression, name: id, from: expression.from, to: kid.to };
    }
    if (kid.name === 'ArgList' && expression !== undefined) {
      expression = {
        kind: 'call',
        callee: expression,
        args: readArguments(kid, source),
        from: expression.from,
        to: kid.to,
      };
    }
  }
  return expression ?? { kind: 'other', what: 'decorator', from: node.from, to: node.to };
}

function readFunction(
  node: SyntaxNode,
  source: string,
  decorators: readonly Expression[],
  depth: number,
): FunctionStatement | undefined {
  const kids = children(node);
  const name = kids.find((kid) => kid.name === 'VariableName');
  if (name === undefined) return undefined;
  const list = kids.find((kid) => kid.name === 'ParamList');
  const body = kids.find((kid) => kid.name === 'Body');
  const returned = kids.find((kid) => kid.name === 'TypeDef');
  const parameters: readonly Parameter[] = list ? readParameters(list, source) : [];
  return {
    kind: 'function',
    name: textOf(name, source).normalize('NFKC'),
    nameAt: name.from,
    async: kids[0]?.name === 'async',
    decorators,
    typeParameters: readTypeParameters(kids, source),
    parameters,
    returns: returned ? readTypeDef(returned, source, 0) : undefined,
    docstring: body ? docstringOf(body, source) : undefined,
    bodyFrom: body?.from ?? node.to,
    body: () => (body ? readStatements(body, source, depth + 1) : []),
    from: decorators[0]?.from ?? node.from,
    to: node.to,
  };
}

function readClass(
  node: SyntaxNode,
  source: string,
  decorators: readonly Expression[],
  depth: number,
): ClassStatement | undefined {
  const kids = children(node);
  const name = kids.find((kid) => kid.name === 'VariableName');
  if (name === undefined) return undefined;
  const args = kids.find((kid) => kid.name === 'ArgList');
  const body = kids.find((kid) => kid.name === 'Body');
  return {
    kind: 'class',
    name: textOf(name, source),
    nameAt: name.from,
    decorators,
    args: args ? readArguments(args, source) : [],
    typeParameters: readTypeParameters(kids, source),
    docstring: body ? docstringOf(body, source) : undefined,
    body: body ? readStatements(body, source, depth + 1) : [],
    from: decorators[0]?.from ?? node.from,
    to: node.to,
  };
}

/** The parameters of `[T: bound, *Ts]`. */
function readTypeParameters(kids: readonly SyntaxNode[], source: string): TypeParameter[] {
  const list = kids.find((kid) => kid.name === 'TypeParamList');
  if (list === undefined) return [];
  return children(list).flatMap((node) => {
    const name = children(node).find((kid) => kid.name === 'VariableName');
    const bound = children(node).find((kid) => kid.name === 'TypeDef');
    if (node.name !== 'TypeParam' || name === undefined) return [];
    return [{ name: textOf(name, source), bound: bound ? readTypeDef(bound, source) : undefined }];
  });
}

/** The text of a string that is the body's first statement. */
function docstringOf(body: SyntaxNode, source: string): string | undefined {
  let first = children(body).find((kid) => kid.name !== ':' && !isError(kid));
  if (first?.name === 'StatementGroup') first = children(first)[0];
  if (first?.name !== 'ExpressionStatement') return undefined;
  const value = readTuple(children(first), source, first);
  return value.kind === 'string' ? value.value : undefined;
}

function readAssignment(kids: readonly SyntaxNode[], source: string, span: { from: number; to: number }): Statement {
  if (kids.some(isError)) return { ...span, kind: 'other' };
  const groups: SyntaxNode[][] = [[]];
  let annotation: Expression | undefined;
  for (const kid of kids) {
    if (kid.name === 'AssignOp') groups.push([]);
    else if (kid.name === 'TypeDef') annotation = readTypeDef(kid, source);
    else groups.at(-1)?.push(kid);
  }
  const expressions = groups.map((group) => readTuple(group, source, span));
  const value = groups.length > 1 ? expressions.at(-1) : undefined;
  return { ...span, kind: 'assign', targets: value ? expressions.slice(0, -1) : expressions, annotation, value };
}

function readImport(kids: readonly SyntaxNode[], source: string, span: { from: number; to: number }): Statement {
  if (kids.some(isError)) return { ...span, kind: 'other' };
  const importAt = kids.findIndex((kid) => kid.name === 'import');
  const names = importedNames(kids.slice(importAt + 1), source);
  if (kids[0]?.name === 'import') {
    return { ...span, kind: 'import', names: names.map(({ name, ...rest }) => ({ module: name, ...rest })) };
  }
  const head = kids
    .slice(1, importAt)
    .map((kid) => textOf(kid, source))
    .join('');
  let level = 0;
  while (head[level] === '.') level += 1;
  const star = kids[importAt + 1]?.name === '*';
  return { ...span, kind: 'from', level, module: head.slice(level), names: star ? '*' : names };
}

function importedNames(nodes: readonly SyntaxNode[], source: string): { name: string; alias?: string }[] {
  const groups: string[][] = [[]];
  for (const node of nodes) {
    if (node.name === ',') groups.push([]);
    else if (node.name !== '(' && node.name !== ')') groups.at(-1)?.push(textOf(node, source));
  }
  return groups.flatMap((words) => {
    const as = words.indexOf('as');
    const name = (as === -1 ? words : words.slice(0, as)).join('');
    const alias = as === -1 ? undefined : words[as + 1];
    if (name === '') return [];
    return [alias === undefined ? { name } : { name, alias }];
  });
}

/** The test in front of an `if` or `elif` body; undefined for `else`. */
function testOf(body: SyntaxNode, source: string): Expression | undefined {
  const before = body.prevSibling;
  if (before === null || before.name === 'else') return undefined;
  return readExpression(before, source);
}

function readTry(
  kids: readonly SyntaxNode[],
  span: { from: number; to: number },
  read: (body: SyntaxNode | undefined) => Statement[],
): Statement {
  const body: Statement[] = [];
  const handlers: Statement[][] = [];
  const last: Statement[] = [];
  let part = 'try';
  for (const kid of kids) {
    if (kid.name === 'try' || kid.name === 'except' || kid.name === 'else' || kid.name === 'finally') part = kid.name;
    if (kid.name !== 'Body') continue;
    if (part === 'except') handlers.push(read(kid));
    else if (part === 'finally') last.push(...read(kid));
    else body.push(...read(kid));
  }
  return { ...span, kind: 'try', body, handlers, last };
}

/** Names bound by the header of `with … as name` and `for name in …`. */
function namesBeforeBody(kids: readonly SyntaxNode[], source: string, after: 'as' | 'for'): string[] {
  const names: string[] = [];
  let binding = false;
  for (const kid of kids) {
    if (kid.name === 'Body') break;
    if (kid.name === after) binding = true;
    else if (kid.name === 'in') binding = false;
    else if (binding && kid.name === 'VariableName') names.push(textOf(kid, source));
    else if (binding && kid.name === ',' && after === 'as') binding = false;
  }
  return names;
}
