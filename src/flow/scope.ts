import { type Bindings, collectBindings } from './bindings.ts';
import { lineAndColumn, type PythonFile } from './python/parse.ts';
import type { Value } from './value.ts';

/** Finds what a module imports; undefined means that the repository has no such module. */
export type ImportModule = (level: number, dotted: string) => PythonModule | undefined;

/** One Python file of the repository, and how its names and imports are found. */
export class PythonModule {
  /** Relative to the repository's root, with forward slashes, for messages. */
  readonly file: string;
  readonly python: PythonFile;
  readonly importModule: ImportModule;
  readonly scope: Scope;
  /** `from __future__ import annotations`: annotations are text until somebody asks. */
  readonly futureAnnotations: boolean;

  constructor(file: string, python: PythonFile, importModule: ImportModule) {
    this.file = file;
    this.python = python;
    this.importModule = importModule;
    this.scope = { module: this, bindings: collectBindings(python.statements), locals: new Map(), parent: undefined };
    this.futureAnnotations = python.statements.some(
      (statement) =>
        statement.kind === 'from' &&
        statement.module === '__future__' &&
        statement.names !== '*' &&
        statement.names.some(({ name }) => name === 'annotations'),
    );
  }

  /** Why nothing in the module is known: it cannot be read as Python. */
  get unreadable(): string | undefined {
    const { syntaxError, source, isTooLarge } = this.python;
    if (isTooLarge) return `${this.file} is larger than 5 MB`;
    if (syntaxError === undefined) return undefined;
    const { line, column } = lineAndColumn(source, syntaxError.at);
    return `${this.file}:${line}:${column} cannot be read as Python`;
  }

  /** `file:line` of an offset. */
  place(at: number): string {
    return `${this.file}:${lineAndColumn(this.python.source, at).line}`;
  }
}

/** A position after every statement: names as they are when everything has run. */
export const AT_THE_END = Number.POSITIVE_INFINITY;

/** Where names are looked up: a module's or a class's bindings, or a function's arguments, then the scope around. */
export interface Scope {
  readonly module: PythonModule;
  readonly bindings: Bindings;
  /** Names with a value of their own: type parameters, the arguments of a function that is followed. */
  readonly locals: ReadonlyMap<string, Value>;
  readonly parent: Scope | undefined;
}

/** A scope inside another one. */
export function innerScope(parent: Scope, bindings: Bindings, locals: ReadonlyMap<string, Value> = new Map()): Scope {
  return { module: parent.module, bindings, locals, parent };
}
