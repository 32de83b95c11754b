import { classScope } from '../attribute.ts';
import { basesOf, evaluate } from '../evaluate.ts';
import type { PythonModule } from '../scope.ts';
import type { PythonClass, Value } from '../value.ts';

/** What pydantic takes a class for. */
export type ClassKind =
  | { readonly kind: 'model' | 'v1 model' | 'enum' | 'dataclass' | 'typed dict' | 'named tuple' | 'plain' }
  | { readonly kind: 'unknown'; readonly reason: string };

/** Longer chains of base classes are a circle. */
const DEEPEST = 30;

/** Per module, since a file that several entries share is another module for each of them. */
const known = new WeakMap<PythonModule, Map<PythonClass['statement'], ClassKind>>();

/** What pydantic takes a class of the repository for, from its decorators and bases. */
export function kindOf(of: PythonClass, depth = 0): ClassKind {
  const kinds = known.get(of.scope.module) ?? new Map<PythonClass['statement'], ClassKind>();
  known.set(of.scope.module, kinds);
  const found = kinds.get(of.statement);
  if (found !== undefined) return found;
  if (depth > DEEPEST) return { kind: 'unknown', reason: `${of.statement.name} is a base of itself` };
  const kind = decide(of, depth);
  kinds.set(of.statement, kind);
  return kind;
}

function decide(of: PythonClass, depth: number): ClassKind {
  const { name } = of.statement;
  const hook = HOOKS.find((hidden) => classScope(of).bindings.names.has(hidden));
  if (hook !== undefined) return { kind: 'unknown', reason: `${name} makes its own schema in ${hook}` };
  let dataclass = false;
  for (const decorator of of.statement.decorators) {
    const effect = decoratorEffect(evaluate(decorator, of.scope, decorator.from));
    if (effect === 'unknown') return { kind: 'unknown', reason: `a decorator of ${name} may change it` };
    if (effect === 'dataclass') dataclass = true;
  }
  const bases = basesOf(of).map((base) => kindOfBase(base, depth));
  const unknown = bases.find((base) => base.kind === 'unknown');
  if (unknown !== undefined) return unknown;
  const special = bases.find((base) => base.kind !== 'plain');
  if (special !== undefined) return special;
  return { kind: dataclass ? 'dataclass' : 'plain' };
}

/** Methods by which a class tells pydantic its schema. */
const HOOKS = [
  '__get_pydantic_core_schema__',
  '__get_pydantic_json_schema__',
  '__get_validators__',
  '__modify_schema__',
];

const HARMLESS = [
  'functools.total_ordering',
  'typing.final',
  'typing.runtime_checkable',
  'enum.unique',
  'enum.verify',
  'attr.s',
  'attr.define',
  'attr.frozen',
  'attrs.define',
  'attrs.frozen',
  'attrs.mutable',
];

function decoratorEffect(decorator: Value): 'dataclass' | 'none' | 'unknown' {
  const callee = decorator.kind === 'call' ? decorator.callee : decorator;
  if (callee.kind !== 'external') return 'unknown';
  if (callee.name === 'dataclasses.dataclass' || callee.name === 'pydantic.dataclasses.dataclass') return 'dataclass';
  return HARMLESS.includes(callee.name) ? 'none' : 'unknown';
}

const BASES: Readonly<Record<string, ClassKind['kind']>> = {
  'pydantic.BaseModel': 'model',
  'pydantic.RootModel': 'model',
  'pydantic.v1.BaseModel': 'v1 model',
  'pydantic.v1.main.BaseModel': 'v1 model',
  'enum.Enum': 'enum',
  'enum.IntEnum': 'enum',
  'enum.StrEnum': 'enum',
  'enum.Flag': 'enum',
  'enum.IntFlag': 'enum',
  'typing.TypedDict': 'typed dict',
  'typing.NamedTuple': 'named tuple',
  'collections.namedtuple': 'named tuple',
  'abc.ABC': 'plain',
  'typing.Generic': 'plain',
};

/** Modules whose classes have no schema of their own once they are subclassed: pydantic looks for the exact type. */
const PLAIN_MODULES = [
  'builtins',
  'typing',
  'datetime',
  'collections',
  'collections.abc',
  'uuid',
  'decimal',
  'pathlib',
  'threading',
  'logging',
  'json',
];

function kindOfBase(base: Value, depth: number): ClassKind {
  if (base.kind === 'class') return kindOf(base.class, depth + 1);
  if (base.kind === 'subscript') return kindOfBase(base.of, depth);
  if (base.kind === 'call') return kindOfBase(base.callee, depth);
  if (base.kind !== 'external') return { kind: 'unknown', reason: 'a base class is not known' };
  // isinstance() refuses such a protocol, and pydantic with it.
  if (base.name === 'typing.Protocol') return { kind: 'unknown', reason: 'a Protocol cannot be checked' };
  const special = BASES[base.name];
  if (special !== undefined && special !== 'unknown') return { kind: special };
  const module = base.name.slice(0, base.name.lastIndexOf('.'));
  if (PLAIN_MODULES.includes(module)) return { kind: 'plain' };
  return { kind: 'unknown', reason: `the base class ${base.name} is not in this repository` };
}

/** A class and what its type variables stand for, as one of the ancestors of another. */
export interface Ancestor {
  readonly class: PythonClass;
  readonly typeArguments: ReadonlyMap<string, Value>;
}

/** The class and its bases of this repository, the farthest first: the order in which fields are collected. */
export function ancestry(of: PythonClass, typeArguments: ReadonlyMap<string, Value> = new Map()): Ancestor[] {
  return linearise({ class: of, typeArguments }, 0).toReversed();
}

/** Python's method resolution order (C3) over the classes of the repository. */
function linearise(of: Ancestor, depth: number): Ancestor[] {
  if (depth > DEEPEST) return [of];
  const bases = basesOf(of.class).flatMap((base): Ancestor[] => {
    const origin = base.kind === 'subscript' ? base.of : base;
    if (origin.kind !== 'class') return [];
    const args = base.kind === 'subscript' ? base.items.map((item) => substituted(item, of.typeArguments)) : [];
    return [{ class: origin.class, typeArguments: bindTypeArguments(origin.class, args) }];
  });
  const lists = [...bases.map((base) => linearise(base, depth + 1)), bases];
  const order = [of];
  for (;;) {
    const waiting = lists.filter((list) => list.length > 0);
    if (waiting.length === 0) return order;
    const heads = waiting.map((list) => list[0]).filter((head) => head !== undefined);
    const next =
      heads.find((head) => !waiting.some((list) => list.slice(1).some((later) => same(later, head)))) ?? heads[0];
    if (next === undefined) return order;
    order.push(next);
    for (const list of lists) {
      const first = list[0];
      if (first !== undefined && same(first, next)) list.shift();
    }
  }
}

function same(a: Ancestor, b: Ancestor): boolean {
  return a.class.statement === b.class.statement;
}

function substituted(value: Value, typeArguments: ReadonlyMap<string, Value>): Value {
  const name = typeVariableName(value);
  return (name === undefined ? undefined : typeArguments.get(name)) ?? value;
}

/** The name of a TypeVar; undefined for anything else. */
export function typeVariableName(value: Value): string | undefined {
  if (value.kind !== 'call' || value.callee.kind !== 'external' || value.callee.name !== 'typing.TypeVar')
    return undefined;
  return value.args[0]?.kind === 'str' ? value.args[0].value : undefined;
}

/** Type variable → argument for `Class[arguments]`. */
export function bindTypeArguments(of: PythonClass, args: readonly Value[]): ReadonlyMap<string, Value> {
  const variables = of.statement.typeParameters.map(({ name }) => name);
  if (variables.length === 0) {
    const generic = basesOf(of).find((base) => base.kind === 'subscript');
    if (generic?.kind === 'subscript') {
      variables.push(...generic.items.map(typeVariableName).filter((name) => name !== undefined));
    }
  }
  return new Map(variables.flatMap((name, index) => (args[index] === undefined ? [] : [[name, args[index]] as const])));
}
