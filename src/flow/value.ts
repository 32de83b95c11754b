import { spend } from './effort.ts';
import type { ClassStatement, Expression, FunctionStatement, Parameter } from './python/ast.ts';
import type { ImportModule, PythonModule, Scope } from './scope.ts';

/**
 * What a Python expression is known to be without running it. A call, an attribute or a subscript of something that
 * is not evaluated here stays as it is written, with its parts evaluated; whoever knows the callee gives it meaning.
 */
export type Value =
  | { readonly kind: 'none' }
  | { readonly kind: 'ellipsis' }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  /** A literal such as `2j`. */
  | { readonly kind: 'complex'; readonly imaginary: number }
  | { readonly kind: 'str'; readonly value: string }
  /** One character per byte. */
  | { readonly kind: 'bytes'; readonly value: string }
  | { readonly kind: 'list' | 'tuple' | 'set' | 'frozenset'; readonly items: readonly Value[] }
  | { readonly kind: 'dict'; readonly entries: readonly (readonly [Value, Value])[] }
  /** A module or an object outside the repository by its canonical dotted name: `typing.Optional`, `builtins.int`. */
  | { readonly kind: 'external'; readonly name: string }
  | { readonly kind: 'module'; readonly module: PythonModule }
  /** A folder of modules without `__init__.py`. */
  | { readonly kind: 'namespace'; readonly dotted: string; readonly importModule: ImportModule }
  | { readonly kind: 'class'; readonly class: PythonClass }
  | { readonly kind: 'function'; readonly function: PythonFunction }
  | {
      readonly kind: 'lambda';
      readonly parameters: readonly Parameter[];
      readonly body: Expression;
      readonly scope: Scope;
      readonly at: number;
    }
  | CallValue
  | { readonly kind: 'attribute'; readonly of: Value; readonly name: string }
  | { readonly kind: 'subscript'; readonly of: Value; readonly items: readonly Value[] }
  /** `X | Y` of types. */
  | { readonly kind: 'union'; readonly items: readonly Value[] }
  /** `type Name = …` (PEP 695); its value is evaluated when used. */
  | {
      readonly kind: 'alias';
      readonly name: string;
      readonly generic: boolean;
      readonly scope: Scope;
      readonly value: () => Value;
    }
  /** Not defined where it is used: Python raises NameError. */
  | { readonly kind: 'undefined'; readonly name: string }
  | { readonly kind: 'unknown'; readonly reason: string };

export interface CallValue {
  readonly kind: 'call';
  readonly callee: Value;
  readonly args: readonly Value[];
  readonly keywords: ReadonlyMap<string, Value>;
  /** False when `*args` or `**kwargs` hide some of the arguments. */
  readonly complete: boolean;
  /** Where the call is written; undefined for one that is not (an operator's). */
  readonly scope: Scope | undefined;
}

/** A class statement of the repository, and the scope it stands in. */
export interface PythonClass {
  readonly statement: ClassStatement;
  readonly scope: Scope;
}

/** A function statement of the repository, and the scope it stands in. */
export interface PythonFunction {
  readonly statement: FunctionStatement;
  readonly scope: Scope;
  /** The class it is a method of. */
  readonly owner: PythonClass | undefined;
}

export const NONE: Value = { kind: 'none' };

/** An unknown with its reason, to be shown to a person. */
export function unknown(reason: string): Value {
  return { kind: 'unknown', reason };
}

/** True when the value is an object outside the repository with one of these canonical names. */
export function isExternal(value: Value, ...names: readonly string[]): boolean {
  return value.kind === 'external' && names.includes(value.name);
}

/** Why a value is not known, or undefined when it is. */
export function whyUnknown(value: Value): string | undefined {
  if (value.kind === 'unknown') return value.reason;
  if (value.kind === 'undefined') return `the name ${value.name} is not defined`;
  return undefined;
}

/** True when two values are certainly the same object or equal constants. */
export function sameValue(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (!spend()) return false;
  switch (a.kind) {
    case 'none':
    case 'ellipsis':
      return a.kind === b.kind;
    case 'bool':
    case 'int':
    case 'float':
    case 'str':
    case 'bytes':
      return a.kind === b.kind && a.value === b.value;
    case 'external':
      return b.kind === 'external' && a.name === b.name;
    case 'module':
      return b.kind === 'module' && a.module === b.module;
    case 'class':
      return b.kind === 'class' && a.class.statement === b.class.statement;
    case 'function':
      return b.kind === 'function' && a.function.statement === b.function.statement;
    case 'list':
    case 'tuple':
      return a.kind === b.kind && sameItems(a.items, b.items);
    case 'union':
      return b.kind === 'union' && sameItems(a.items, b.items);
    case 'subscript':
      return b.kind === 'subscript' && sameValue(a.of, b.of) && sameItems(a.items, b.items);
    default:
      return false;
  }
}

function sameItems(a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((item, index) => sameValue(item, b[index] ?? NONE));
}
