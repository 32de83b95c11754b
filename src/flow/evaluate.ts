import { classScope, findAttribute, findBases } from './attribute.ts';
import { spend } from './effort.ts';
import { findName, findNameIn } from './lookup.ts';
import { applyBinary, applyUnary, truthOf } from './operators.ts';
import type { Argument, Expression } from './python/ast.ts';
import { readNumber } from './python/literals.ts';
import { AT_THE_END, type Scope } from './scope.ts';
import { type CallValue, type PythonClass, sameValue, unknown, type Value } from './value.ts';

/**
 * What an expression evaluates to, as far as the source says.
 *
 * @param before offset in the scope's module up to which statements have run; names bound later are undefined.
 */
export function evaluate(expression: Expression, scope: Scope, before: number): Value {
  if (!spend()) return unknown('the code describes too much to be followed');
  const inner = (part: Expression): Value => evaluate(part, scope, before);
  switch (expression.kind) {
    case 'none':
    case 'ellipsis':
      return { kind: expression.kind };
    case 'boolean':
      return { kind: 'bool', value: expression.value };
    case 'string':
      return { kind: 'str', value: expression.value };
    case 'bytes':
      return { kind: 'bytes', value: expression.value };
    case 'number': {
      const number = readNumber(expression.text);
      if (number === undefined) return unknown(`${expression.text} is no number`);
      return number.kind === 'complex' ? { kind: 'complex', imaginary: number.value } : number;
    }
    case 'name':
      return lookUp(expression.id, scope, before);
    case 'attribute':
      return attributeOf(inner(expression.value), expression.name);
    case 'call':
      return evaluateCall(inner(expression.callee), expression.args, inner, scope);
    case 'subscript': {
      const of = inner(expression.value);
      const items = expression.items.length === 1 ? tupleItems(expression.items[0]) : expression.items;
      return subscript(of, items.map(inner));
    }
    case 'format': {
      const texts = expression.parts.map((part) => (typeof part === 'string' ? part : textOf(inner(part))));
      return texts.every((text) => text !== undefined)
        ? { kind: 'str', value: texts.join('') }
        : unknown('the text is put together when the code runs');
    }
    case 'list':
    case 'tuple':
    case 'set':
      return collection(expression.kind, expression.items, inner);
    case 'dict':
      return dictionary(expression.entries, inner);
    case 'unary':
      return applyUnary(expression.operator, inner(expression.operand));
    case 'binary':
      return applyBinary(expression.operator, inner(expression.left), inner(expression.right));
    case 'conditional': {
      const truth = truthOf(inner(expression.test));
      if (truth !== undefined) return inner(truth ? expression.body : expression.otherwise);
      const [a, b] = [inner(expression.body), inner(expression.otherwise)];
      return sameValue(a, b) ? a : unknown('the value is chosen when the code runs');
    }
    case 'lambda':
      return { kind: 'lambda', parameters: expression.parameters, body: expression.body, scope, at: expression.from };
    case 'starred':
    case 'other':
      return unknown(`the value at ${scope.module.place(expression.from)} is computed when the code runs`);
  }
}

/** `X[a, b]` and `X[(a, b)]` are the same in Python. */
function tupleItems(item: Expression | undefined): readonly Expression[] {
  if (item === undefined) return [];
  return item.kind === 'tuple' && item.items.length > 0 ? item.items : [item];
}

function textOf(value: Value): string | undefined {
  if (value.kind === 'str') return value.value;
  return value.kind === 'int' ? String(value.value) : undefined;
}

function subscript(of: Value, items: readonly Value[]): Value {
  const [index] = items;
  if (of.kind === 'unknown' || of.kind === 'undefined') return of;
  if ((of.kind === 'list' || of.kind === 'tuple') && index?.kind === 'int') {
    return of.items.at(Number(index.value)) ?? unknown('the index is outside the list');
  }
  if (of.kind === 'dict' && index !== undefined) {
    const found = of.entries.findLast(([key]) => sameValue(key, index));
    return found === undefined ? unknown('the dict has no such key') : found[1];
  }
  return { kind: 'subscript', of, items };
}

function collection(
  kind: 'list' | 'tuple' | 'set',
  expressions: readonly Expression[],
  inner: (part: Expression) => Value,
): Value {
  const items: Value[] = [];
  for (const item of expressions) {
    if (item.kind !== 'starred') {
      items.push(inner(item));
      continue;
    }
    const spread = inner(item.value);
    if (spread.kind !== 'list' && spread.kind !== 'tuple') return unknown('a list is put together when the code runs');
    items.push(...spread.items);
  }
  return { kind, items };
}

function dictionary(
  entries: readonly { readonly key: Expression | undefined; readonly value: Expression }[],
  inner: (part: Expression) => Value,
): Value {
  const all: (readonly [Value, Value])[] = [];
  for (const { key, value } of entries) {
    if (key !== undefined) {
      all.push([inner(key), inner(value)]);
      continue;
    }
    const spread = inner(value);
    if (spread.kind !== 'dict') return unknown('a dict is put together when the code runs');
    all.push(...spread.entries);
  }
  return { kind: 'dict', entries: all };
}

function evaluateCall(
  callee: Value,
  args: readonly Argument[],
  inner: (part: Expression) => Value,
  scope: Scope,
): Value {
  if (callee.kind === 'unknown' || callee.kind === 'undefined') return callee;
  const positional: Value[] = [];
  const keywords = new Map<string, Value>();
  let complete = true;
  for (const argument of args) {
    const value = inner(argument.value);
    if (argument.kind === 'positional') positional.push(value);
    else if (argument.kind === 'keyword') keywords.set(argument.name, value);
    else if (argument.kind === 'star' && (value.kind === 'list' || value.kind === 'tuple'))
      positional.push(...value.items);
    else if (argument.kind === 'double-star' && value.kind === 'dict') {
      for (const [key, item] of value.entries) {
        if (key.kind === 'str') keywords.set(key.value, item);
        else complete = false;
      }
    } else complete = false;
  }
  const call: CallValue = { kind: 'call', callee, args: positional, keywords, complete, scope };
  return complete ? (builtinCall(call) ?? call) : call;
}

/** Constructors of the built-in containers give literals. */
function builtinCall(call: CallValue): Value | undefined {
  if (call.callee.kind !== 'external' || call.args.length > 1) return undefined;
  const [first] = call.args;
  const items = first === undefined ? [] : 'items' in first && first.kind !== 'union' ? first.items : undefined;
  switch (call.callee.name) {
    case 'builtins.dict': {
      const given = first === undefined ? [] : first.kind === 'dict' ? first.entries : undefined;
      if (given === undefined) return undefined;
      const named = [...call.keywords].map(([key, value]) => [{ kind: 'str', value: key } as const, value] as const);
      return { kind: 'dict', entries: [...given, ...named] };
    }
    case 'builtins.list':
    case 'builtins.tuple':
    case 'builtins.frozenset':
    case 'builtins.set': {
      if (items === undefined || first?.kind === 'subscript') return undefined;
      if (call.callee.name === 'builtins.list') return { kind: 'list', items };
      if (call.callee.name === 'builtins.tuple') return { kind: 'tuple', items };
      return { kind: call.callee.name === 'builtins.set' ? 'set' : 'frozenset', items };
    }
    case 'builtins.str':
      return first === undefined ? { kind: 'str', value: '' } : first.kind === 'str' ? first : undefined;
    default:
      return undefined;
  }
}

/** What a name means in a scope, builtins included. */
function lookUp(name: string, scope: Scope, before: number): Value {
  return findName(name, scope, before, evaluate);
}

/** `of.name`. */
export function attributeOf(of: Value, name: string): Value {
  return findAttribute(of, name, evaluate);
}

/** The evaluated base classes, without keywords such as metaclass. */
export function basesOf(of: PythonClass): Value[] {
  return findBases(of, evaluate);
}

/** What a module itself binds a name to when all of it has run; undefined when it does not. */
export function ownName(name: string, scope: Scope): Value | undefined {
  const value = findNameIn(name, scope, AT_THE_END, evaluate);
  return value?.kind === 'perhaps' ? unknown(`${name} may come from "from ${value.star} import *"`) : value;
}

/** The names a class's own body binds. */
export function classNames(of: PythonClass): string[] {
  return [...classScope(of).bindings.names.keys()];
}
