import { classScope } from '../attribute.ts';
import { evaluate } from '../evaluate.ts';
import type { Expression, Statement } from '../python/ast.ts';
import { parseExpression } from '../python/parse.ts';
import { AT_THE_END, type Scope } from '../scope.ts';
import { type PythonClass, unknown, type Value } from '../value.ts';
import type { FieldInfo } from './field.ts';
import { NotKnown, type Type } from './type.ts';

/** What an annotation is read in. */
export interface TypeContext {
  /** What the text of a string annotation means; `undefined` values where Python would not find a name. */
  readonly forward: (text: string) => Value;
  /** What the type variables of a generic class stand for, by their names. */
  readonly typeArguments: ReadonlyMap<string, Value>;
}

/** The context of the fields of a class: text annotations see the whole module, later definitions too. */
export function classContext(of: PythonClass, typeArguments: ReadonlyMap<string, Value> = new Map()): TypeContext {
  return scopeContext(fieldScope(of), typeArguments);
}

/** The context of something written in a scope, looked at when all of it has run. */
export function scopeContext(scope: Scope, typeArguments: ReadonlyMap<string, Value> = new Map()): TypeContext {
  return {
    typeArguments,
    forward: (text) => {
      const expression = parseExpression(text);
      return expression === undefined ? unknown(`the annotation '${text}'`) : evaluate(expression, scope, AT_THE_END);
    },
  };
}

/** How classes read the annotations of their fields; passed in, since classes and annotations contain each other. */
export interface TypeReader {
  readonly typeOf: (annotation: Value, context: TypeContext) => Type;
  readonly fieldOf: (
    annotation: Value,
    value: Value | undefined,
    context: TypeContext,
  ) => { readonly type: Type; readonly info: FieldInfo };
}

/** Where the fields of a class are written: its type parameters have their bounds. */
function fieldScope(of: PythonClass): Scope {
  return classScope(of, (bound) => evaluate(bound, of.scope, AT_THE_END));
}

/** The evaluated annotation of a statement in a class's body. */
function annotationIn(of: PythonClass, annotation: Expression): Value {
  const scope = fieldScope(of);
  return evaluate(annotation, scope, scope.module.futureAnnotations ? AT_THE_END : annotation.from);
}

/** One `name: annotation = value` of a class's body. */
export interface AnnotatedName {
  readonly name: string;
  readonly annotation: Value;
  readonly value: Value | undefined;
}

/**
 * The annotated names of a class's own body, in order.
 *
 * @throws NotKnown when some of them stand inside an `if` or `try`.
 */
export function annotatedNames(of: PythonClass): AnnotatedName[] {
  return of.statement.body.flatMap((statement): AnnotatedName[] => {
    if (hidesFields(statement)) throw new NotKnown(`some fields of ${of.statement.name} depend on a condition`);
    if (statement.kind !== 'assign' || statement.annotation === undefined) return [];
    const [target] = statement.targets;
    if (target?.kind !== 'name') return [];
    const value = statement.value && evaluate(statement.value, classScope(of), statement.from);
    return [{ name: target.id, annotation: annotationIn(of, statement.annotation), value }];
  });
}

function hidesFields(statement: Statement): boolean {
  const inside = (body: readonly Statement[]): boolean =>
    body.some((inner) => (inner.kind === 'assign' && inner.annotation !== undefined) || hidesFields(inner));
  switch (statement.kind) {
    case 'if':
      return statement.branches.some((branch) => inside(branch.body));
    case 'try':
      return inside([...statement.body, ...statement.handlers.flat(), ...statement.last]);
    case 'with':
    case 'maybe':
      return inside(statement.body);
    default:
      return false;
  }
}

/** True for `ClassVar` and `ClassVar[…]`, also as text. */
export function isClassVariable(annotation: Value, context: TypeContext): boolean {
  return isWrapper(annotation, 'typing.ClassVar', context);
}

/** True for an annotation that is this special form, with or without an argument. */
export function isWrapper(annotation: Value, name: string, context: TypeContext): boolean {
  if (annotation.kind === 'str') return isWrapper(context.forward(annotation.value), name, context);
  if (annotation.kind === 'subscript') return isWrapper(annotation.of, name, context);
  return annotation.kind === 'external' && annotation.name === name;
}

/** What makes a class of the repository this class and no other. */
export function identityOf(of: PythonClass, suffix = ''): string {
  return `${of.scope.module.file}:${of.statement.from}${suffix}`;
}
