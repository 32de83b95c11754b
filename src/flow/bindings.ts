import type { ClassStatement, Expression, FunctionStatement, Statement } from './python/ast.ts';

/** Where a name gets its value from. */
export type Source =
  | { readonly kind: 'import'; readonly module: string; readonly whole: boolean }
  | { readonly kind: 'from'; readonly level: number; readonly module: string; readonly name: string }
  /** `at` is where the statement begins: it does not see its own binding. */
  | { readonly kind: 'expression'; readonly expression: Expression; readonly at: number }
  /** One of several targets: `a, b = 1, 2`. */
  | {
      readonly kind: 'unpacked';
      readonly expression: Expression;
      readonly at: number;
      readonly index: number;
      readonly of: number;
    }
  | { readonly kind: 'function'; readonly statement: FunctionStatement }
  | { readonly kind: 'class'; readonly statement: ClassStatement }
  | { readonly kind: 'type'; readonly statement: Statement & { readonly kind: 'type' } }
  /** Bound to something that is not followed: a loop variable, an updated value. */
  | { readonly kind: 'opaque'; readonly reason: string };

/** One statement that binds a name, with all the values it may get there. */
export interface Binding {
  readonly at: number;
  readonly sources: readonly Source[];
  /** False when the statement may also leave the name as it was. */
  readonly always: boolean;
  /** The value changes in place: `x[0] = 1` or `x.append(1)`; a call changes only lists, sets and dicts. */
  readonly change?: 'assignment' | 'call';
}

/** `from module import *`, which may bind any name. */
export interface StarImport {
  readonly at: number;
  readonly level: number;
  readonly module: string;
}

/** The names that the statements of a module or a class body bind, in order. */
export interface Bindings {
  readonly names: ReadonlyMap<string, readonly Binding[]>;
  readonly stars: readonly StarImport[];
}

export const NO_BINDINGS: Bindings = { names: new Map<string, readonly Binding[]>(), stars: [] };

interface Collected {
  readonly names: Map<string, Binding[]>;
  readonly stars: StarImport[];
}

/**
 * Collects what a body binds when it runs from top to bottom. `if TYPE_CHECKING:` and `if __name__ == "__main__":`
 * do not run; of other conditional statements every branch may have run.
 */
export function collectBindings(statements: readonly Statement[]): Bindings {
  const collected: Collected = { names: new Map(), stars: [] };
  for (const statement of statements) collect(statement, collected);
  return collected;
}

function bind(collected: Collected, name: string, at: number, source: Source): void {
  push(collected, name, { at, sources: [source], always: true });
}

function push(collected: Collected, name: string, binding: Binding): void {
  const list = collected.names.get(name);
  if (list === undefined) collected.names.set(name, [binding]);
  else list.push(binding);
}

function collect(statement: Statement, into: Collected): void {
  const at = statement.from;
  switch (statement.kind) {
    case 'function':
    case 'class':
      bind(
        into,
        statement.name,
        at,
        statement.kind === 'class' ? { kind: 'class', statement } : { kind: 'function', statement },
      );
      return;
    case 'type':
      bind(into, statement.name, at, { kind: 'type', statement });
      return;
    case 'import':
      for (const { module, alias } of statement.names) {
        const [root] = module.split('.');
        if (alias !== undefined) bind(into, alias, at, { kind: 'import', module, whole: true });
        else if (root !== undefined) bind(into, root, at, { kind: 'import', module, whole: false });
      }
      return;
    case 'from': {
      const { level, module } = statement;
      if (statement.names === '*') {
        into.stars.push({ at, level, module });
        return;
      }
      for (const { name, alias } of statement.names)
        bind(into, alias ?? name, at, { kind: 'from', level, module, name });
      return;
    }
    case 'assign':
      if (statement.value === undefined) return;
      for (const target of statement.targets) assign(target, statement.value, at, into);
      return;
    case 'update':
      change(statement.target, at, into, 'is changed by an assignment such as +=');
      return;
    case 'delete':
      for (const target of statement.targets) change(target, at, into, 'is deleted');
      return;
    case 'expression': {
      const { value } = statement;
      if (value.kind !== 'call' || value.callee.kind !== 'attribute') return;
      const object = value.callee.value;
      if (object.kind === 'name') push(into, object.id, { at, sources: [], always: true, change: 'call' });
      return;
    }
    case 'with':
      for (const name of statement.targets)
        bind(into, name, at, { kind: 'opaque', reason: 'is bound by a with statement' });
      for (const inner of statement.body) collect(inner, into);
      return;
    case 'maybe': {
      const looped: Source = { kind: 'opaque', reason: 'is bound in a loop or match statement' };
      for (const name of statement.targets) push(into, name, { at, sources: [looped], always: false });
      merge([collectBindings(statement.body)], false, at, into);
      return;
    }
    case 'if':
      collectIf(statement.branches, at, into);
      return;
    case 'try': {
      const handlers = statement.handlers.filter((body) => !body.some((inner) => inner.kind === 'raise'));
      merge([statement.body, ...handlers].map(collectBindings), true, at, into);
      for (const inner of statement.last) collect(inner, into);
      return;
    }
    default:
  }
}

function collectIf(
  branches: readonly { readonly test: Expression | undefined; readonly body: readonly Statement[] }[],
  at: number,
  into: Collected,
): void {
  const possible: Bindings[] = [];
  let complete = false;
  for (const branch of branches) {
    const runs = branch.test === undefined ? true : staticTest(branch.test);
    if (runs === false) continue;
    possible.push(collectBindings(branch.body));
    complete = runs === true;
    if (complete) break;
  }
  merge(possible, complete, at, into);
}

/** True or false when every interpreter that imports the file takes the same way; undefined otherwise. */
function staticTest(test: Expression): boolean | undefined {
  if (test.kind === 'boolean') return test.value;
  if (test.kind === 'name' && test.id === 'TYPE_CHECKING') return false;
  if (test.kind === 'attribute' && test.name === 'TYPE_CHECKING') return false;
  if (test.kind === 'unary' && test.operator === 'not') {
    const inner = staticTest(test.operand);
    return inner === undefined ? undefined : !inner;
  }
  if (test.kind === 'binary' && test.left.kind === 'name' && test.left.id === '__name__') return false;
  return undefined;
}

/**
 * The names of alternative branches: each may have got any of their values.
 *
 * @param complete one of the branches certainly ran.
 */
function merge(branches: readonly Bindings[], complete: boolean, at: number, into: Collected): void {
  for (const branch of branches) into.stars.push(...branch.stars);
  const names = new Set(branches.flatMap((branch) => [...branch.names.keys()]));
  for (const name of names) {
    const alternatives = branches.map((branch) => branch.names.get(name) ?? []);
    const always = complete && alternatives.every((list) => list.some((binding) => binding.always));
    const changed = alternatives.flat().find((binding) => binding.change !== undefined);
    if (changed !== undefined) {
      push(into, name, changed);
      continue;
    }
    const sources = alternatives.flatMap((list) => list.slice(list.findLastIndex((binding) => binding.always)));
    push(into, name, { at, sources: sources.flatMap((binding) => binding.sources), always });
  }
}

function assign(target: Expression, value: Expression, at: number, into: Collected): void {
  if (target.kind === 'name') {
    bind(into, target.id, at, { kind: 'expression', expression: value, at });
    return;
  }
  if (target.kind === 'tuple' || target.kind === 'list') {
    const of = target.items.some((item) => item.kind === 'starred') ? -1 : target.items.length;
    target.items.forEach((item, index) => {
      const name = item.kind === 'starred' ? item.value : item;
      if (name.kind === 'name') bind(into, name.id, at, { kind: 'unpacked', expression: value, at, index, of });
    });
    return;
  }
  change(target, at, into, 'is changed after its definition');
}

/** `x += 1`, `del x`, `x[0] = 1`, `x.a = 1`: x is no longer what it was bound to. */
function change(target: Expression, at: number, into: Collected, reason: string): void {
  if (target.kind === 'name') {
    bind(into, target.id, at, { kind: 'opaque', reason });
    return;
  }
  if (target.kind !== 'attribute' && target.kind !== 'subscript') return;
  if (target.value.kind !== 'name') return;
  push(into, target.value.id, { at, sources: [{ kind: 'opaque', reason }], always: true, change: 'assignment' });
}
