import { type Bindings, collectBindings, NO_BINDINGS } from './bindings.ts';
import { type Evaluate, findNameIn } from './lookup.ts';
import { canonicalName } from './names.ts';
import type { Expression, TypeParameter } from './python/ast.ts';
import { AT_THE_END, innerScope, type PythonModule, type Scope } from './scope.ts';
import { type PythonClass, unknown, type Value } from './value.ts';

/** Longer chains of base classes are a circle. */
const DEEPEST = 30;

/** Per module, since a file that several entries share is another module for each of them. */
const bodies = new WeakMap<PythonModule, Map<PythonClass['statement'], Bindings>>();

/**
 * The scope of a class's own body.
 *
 * @param boundOf what the bound of a type parameter is; without it a bound counts as unknown, which is enough for all but
 *   the types of fields, and never runs in a circle.
 */
export function classScope(of: PythonClass, boundOf?: (bound: Expression) => Value): Scope {
  const { module } = of.scope;
  const known = bodies.get(module) ?? new Map<PythonClass['statement'], Bindings>();
  bodies.set(module, known);
  const bindings = known.get(of.statement) ?? collectBindings(of.statement.body);
  known.set(of.statement, bindings);
  return innerScope(of.scope, bindings, typeParameters(of.statement.typeParameters, boundOf));
}

/** `class A[T: int]`, `def f[T: (int, str)]` and `def f[T]` make T a TypeVar inside (PEP 695). */
export function typeParameters(
  parameters: readonly TypeParameter[],
  boundOf: (bound: Expression) => Value = () => unknown('the bound of a type parameter'),
): ReadonlyMap<string, Value> {
  return new Map(
    parameters.map(({ name, bound }) => {
      const choices = bound?.kind === 'tuple' ? bound.items.map(boundOf) : [];
      const only = bound === undefined || bound.kind === 'tuple' ? undefined : boundOf(bound);
      const keywords = new Map<string, Value>(only === undefined ? [] : [['bound', only]]);
      const args: Value[] = [{ kind: 'str', value: name }, ...choices];
      return [
        name,
        {
          kind: 'call',
          callee: { kind: 'external', name: 'typing.TypeVar' },
          args,
          keywords,
          complete: true,
          scope: undefined,
        },
      ];
    }),
  );
}

/** `of.name`; stays an attribute where only the running code knows. */
export function findAttribute(of: Value, name: string, evaluate: Evaluate): Value {
  switch (of.kind) {
    case 'unknown':
    case 'undefined':
      return of;
    case 'external':
      return { kind: 'external', name: canonicalName(`${of.name}.${name}`) };
    case 'namespace': {
      const dotted = `${of.dotted}.${name}`;
      const module = of.importModule(0, dotted);
      return module === undefined ? { ...of, dotted } : { kind: 'module', module };
    }
    case 'module':
      return ofModule(of.module, name, evaluate);
    case 'class':
      return ofClass(of.class, name, evaluate) ?? { kind: 'attribute', of, name };
    default:
      return { kind: 'attribute', of, name };
  }
}

function ofModule(module: PythonModule, name: string, evaluate: Evaluate): Value {
  const found = findNameIn(name, module.scope, AT_THE_END, evaluate);
  if (found?.kind === 'perhaps') return unknown(`${name} may come from "from ${found.star} import *"`);
  if (found !== undefined) return found;
  const submodule = module.file.endsWith('__init__.py') ? module.importModule(1, name) : undefined;
  if (submodule !== undefined) return { kind: 'module', module: submodule };
  return unknown(`${module.file} does not define ${name}`);
}

/** A name of the class's own body or of its bases. The members of an enum stay attributes: they are no plain values. */
function ofClass(of: PythonClass, name: string, evaluate: Evaluate, depth = 0): Value | undefined {
  if (depth > DEEPEST) return undefined;
  const scope = classScope(of);
  const bound = scope.bindings.names.get(name)?.at(-1)?.sources[0];
  if (bound !== undefined) {
    if (bound.kind !== 'function' && bound.kind !== 'class' && isEnumClass(of, evaluate)) return undefined;
    const value = findNameIn(name, scope, AT_THE_END, evaluate);
    if (value === undefined || value.kind === 'perhaps') return undefined;
    return value.kind === 'function' ? { kind: 'function', function: { ...value.function, owner: of } } : value;
  }
  for (const base of findBases(of, evaluate)) {
    if (base.kind !== 'class') return undefined;
    const inherited = ofClass(base.class, name, evaluate, depth + 1);
    if (inherited !== undefined) return inherited;
  }
  return undefined;
}

/** The evaluated base classes, without keywords such as metaclass. */
export function findBases(of: PythonClass, evaluate: Evaluate): Value[] {
  return of.statement.args.flatMap((argument) => {
    if (argument.kind === 'keyword' || argument.kind === 'double-star') return [];
    if (argument.kind === 'star') return [unknown('base classes are put together when the code runs')];
    const scope = innerScope(of.scope, NO_BINDINGS, typeParameters(of.statement.typeParameters));
    return [evaluate(argument.value, scope, of.statement.from)];
  });
}

function isEnumClass(of: PythonClass, evaluate: Evaluate, depth = 0): boolean {
  if (depth > DEEPEST) return false;
  return findBases(of, evaluate).some((base) => {
    if (base.kind === 'external') return base.name.startsWith('enum.');
    return base.kind === 'class' && isEnumClass(base.class, evaluate, depth + 1);
  });
}
