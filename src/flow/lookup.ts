import type { Binding, Source, StarImport } from './bindings.ts';
import { deeper } from './effort.ts';
import { canonicalName, isBuiltin, starBinds } from './names.ts';
import type { Expression } from './python/ast.ts';
import { AT_THE_END, type Scope } from './scope.ts';
import { sameValue, unknown, type Value } from './value.ts';

/** Evaluates an expression in a scope; passed in because names and expressions are defined by each other. */
export type Evaluate = (expression: Expression, scope: Scope, before: number) => Value;

/** Values already found, and `busy` for one that is being looked for. */
const found = new WeakMap<Source, Value | 'busy'>();

/** What a name means: the innermost scope that binds it, then the builtins; `undefined` when nothing does. */
export function findName(name: string, scope: Scope, before: number, evaluate: Evaluate): Value {
  let uncertain: string | undefined;
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
    const value = findNameIn(name, at, before, evaluate);
    if (value?.kind === 'perhaps') uncertain = value.star;
    else if (value !== undefined) return value;
  }
  if (isBuiltin(name)) return { kind: 'external', name: `builtins.${name}` };
  if (uncertain !== undefined) return unknown(`${name} may come from "from ${uncertain} import *"`);
  return { kind: 'undefined', name };
}

/** What a name means in one scope alone; undefined when the scope does not bind it. */
export function findNameIn(
  name: string,
  scope: Scope,
  before: number,
  evaluate: Evaluate,
): Value | { readonly kind: 'perhaps'; readonly star: string } | undefined {
  if (scope.module.unreadable !== undefined) return unknown(scope.module.unreadable);
  const local = scope.locals.get(name);
  if (local !== undefined) return local;
  const bindings = (scope.bindings.names.get(name) ?? []).filter((binding) => binding.at < before);
  const last = bindings.findLastIndex((binding) => binding.always && binding.change === undefined);
  const relevant = bindings.slice(Math.max(last, 0));
  const sources = relevant.filter((binding) => binding.change === undefined).flatMap((binding) => binding.sources);
  if (sources.length === 0) return fromStars(name, scope, before, evaluate);
  const [first, ...rest] = sources.map((source) => sourceValue(source, scope, evaluate));
  if (first === undefined) return undefined;
  const different = rest.find((value) => !sameValue(first, value));
  if (different !== undefined) return unknown(`${name} gets its value in more than one way`);
  return afterChanges(name, first, relevant);
}

function afterChanges(name: string, value: Value, bindings: readonly Binding[]): Value {
  // A change inside an imported module's own objects (np.x = 1) is not a change of what the name refers to.
  if (value.kind === 'external' || value.kind === 'module' || value.kind === 'namespace') return value;
  const container = value.kind === 'list' || value.kind === 'dict' || value.kind === 'set';
  const changed = bindings.some(({ change }) => change === 'assignment' || (change === 'call' && container));
  return changed ? unknown(`${name} is changed after its definition`) : value;
}

function fromStars(name: string, scope: Scope, before: number, evaluate: Evaluate) {
  if (name.startsWith('_')) return undefined;
  let uncertain: string | undefined;
  for (const star of scope.bindings.stars.toReversed()) {
    if (star.at >= before) continue;
    const value = fromStar(name, star, scope, evaluate);
    if (value?.kind === 'perhaps') uncertain ??= value.star;
    else if (value !== undefined) return value;
  }
  return uncertain === undefined ? undefined : ({ kind: 'perhaps', star: uncertain } as const);
}

function fromStar(name: string, star: StarImport, scope: Scope, evaluate: Evaluate) {
  const module = scope.module.importModule(star.level, star.module);
  if (module !== undefined) return findNameIn(name, module.scope, AT_THE_END, evaluate);
  const binds = starBinds(star.module, name);
  if (binds === undefined) return { kind: 'perhaps', star: `${'.'.repeat(star.level)}${star.module}` } as const;
  return binds ? ({ kind: 'external', name: canonicalName(`${star.module}.${name}`) } as const) : undefined;
}

function sourceValue(source: Source, scope: Scope, evaluate: Evaluate): Value {
  const known = found.get(source);
  if (known === 'busy') return unknown('the definition refers to itself');
  if (known !== undefined) return known;
  found.set(source, 'busy');
  try {
    const value = deeper(unknown('too many names refer to each other'), () => compute(source, scope, evaluate));
    found.set(source, value);
    return value;
  } finally {
    // A file that must be read first ends the evaluation with an exception; it begins anew afterwards.
    if (found.get(source) === 'busy') found.delete(source);
  }
}

function compute(source: Source, scope: Scope, evaluate: Evaluate): Value {
  switch (source.kind) {
    case 'expression':
      return evaluate(source.expression, scope, source.at);
    case 'unpacked': {
      const value = evaluate(source.expression, scope, source.at);
      const known = (value.kind === 'tuple' || value.kind === 'list') && value.items.length === source.of;
      return (known ? value.items[source.index] : undefined) ?? unknown('the value is unpacked when the code runs');
    }
    case 'function':
      return { kind: 'function', function: { statement: source.statement, scope, owner: undefined } };
    case 'class':
      return { kind: 'class', class: { statement: source.statement, scope } };
    case 'type': {
      const { name, generic, value } = source.statement;
      return { kind: 'alias', name, generic, scope, value: () => evaluate(value, scope, AT_THE_END) };
    }
    case 'import':
      return imported(source.module, source.whole, scope);
    case 'from':
      return importedFrom(source, scope, evaluate);
    case 'opaque':
      return unknown(`a name ${source.reason}`);
  }
}

function imported(dotted: string, whole: boolean, scope: Scope): Value {
  const [root = dotted] = dotted.split('.');
  const { importModule } = scope.module;
  const module = importModule(0, whole ? dotted : root);
  if (module !== undefined) return { kind: 'module', module };
  if (!whole && root !== dotted && importModule(0, dotted) !== undefined) {
    return { kind: 'namespace', dotted: root, importModule };
  }
  return { kind: 'external', name: canonicalName(whole ? dotted : root) };
}

function importedFrom(source: Source & { kind: 'from' }, scope: Scope, evaluate: Evaluate): Value {
  const { level, module: dotted, name } = source;
  const { importModule } = scope.module;
  const module = importModule(level, dotted);
  // A package that imports its own submodule does not have the name yet.
  if (module !== undefined && module !== scope.module) {
    const value = findNameIn(name, module.scope, AT_THE_END, evaluate);
    if (value?.kind === 'perhaps') return unknown(`${name} may come from "from ${value.star} import *"`);
    if (value !== undefined) return value;
  }
  const submodule = importModule(level, dotted === '' ? name : `${dotted}.${name}`);
  if (submodule !== undefined) return { kind: 'module', module: submodule };
  if (module !== undefined) return unknown(`${module.file} does not define ${name}`);
  if (level > 0) return unknown(`no module ${'.'.repeat(level)}${dotted} in the repository`);
  return { kind: 'external', name: canonicalName(`${dotted}.${name}`) };
}
