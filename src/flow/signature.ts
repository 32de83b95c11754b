import { typeParameters } from './attribute.ts';
import { NO_BINDINGS } from './bindings.ts';
import type { FlowTarget } from './decorator.ts';
import { evaluate } from './evaluate.ts';
import type { Expression, Parameter } from './python/ast.ts';
import { parseExpression } from './python/parse.ts';
import { innerScope, type Scope } from './scope.ts';
import { kindOf } from './types/class-kind.ts';
import type { TypeContext } from './types/context.ts';
import { unknown, type Value } from './value.ts';

/** One parameter of a flow's function, its annotation and default evaluated. */
export interface SignatureParameter {
  readonly name: string;
  /** Index in the signature, `self` included. */
  readonly position: number;
  readonly annotation: Value;
  /** The default as written. */
  readonly value: Value | undefined;
  readonly context: TypeContext;
}

export interface Signature {
  readonly parameters: readonly SignatureParameter[];
  readonly reasons: readonly string[];
}

const ANY: Value = { kind: 'external', name: 'typing.Any' };

/**
 * The signature the way `inspect.signature(fn, eval_str=True)` gives it to Prefect: text annotations are evaluated
 * where the function stands, and when one of them cannot be, all of them stay text, which pydantic then looks up in a
 * module of Prefect's own (contracts/deploy.md §3.4, cases f30 and g19).
 */
export function readSignature(target: FlowTarget): Signature {
  const before = target.kind === 'function' ? target.statement.from : target.at;
  const list = target.kind === 'function' ? target.statement.parameters : target.parameters;
  const own = target.kind === 'function' ? target.statement.typeParameters : [];
  const scope = innerScope(
    target.scope,
    NO_BINDINGS,
    typeParameters(own, (bound) => evaluate(bound, target.scope, before)),
  );
  const returns = target.kind === 'function' ? target.statement.returns : undefined;
  const annotations = list.map((parameter) => parameter.annotation);
  const texts = [...annotations, returns].filter((annotation) => annotation !== undefined && isText(annotation, scope));
  const undefinedName = texts.some((text) => text !== undefined && hasUndefined(evaluateText(text, scope, before)));
  const context = forwardContext(target.scope);
  const annotationOf = ({ annotation }: Parameter): Value => {
    if (annotation === undefined) return ANY;
    if (!isText(annotation, scope)) return evaluate(annotation, scope, before);
    return undefinedName ? { kind: 'str', value: textOf(annotation, scope) } : evaluateText(annotation, scope, before);
  };
  const parameters = list.map((parameter, position): SignatureParameter => {
    const value = parameter.default && evaluate(parameter.default, scope, before);
    return { name: parameter.name, position, annotation: annotationOf(parameter), value, context };
  });
  const old = parameters.find(({ annotation }) => mentionsV1Model(annotation));
  if (old === undefined) return { parameters, reasons: [] };
  return {
    parameters: parameters.map((parameter) => ({ ...parameter, annotation: ANY })),
    reasons: [`parameter ${old.name} is a pydantic v1 model`],
  };
}

function isText(annotation: Expression, scope: Scope): boolean {
  return annotation.kind === 'string' || scope.module.futureAnnotations;
}

/** The annotation as the text Python keeps of it. */
function textOf(annotation: Expression, scope: Scope): string {
  if (annotation.kind === 'string' && !scope.module.futureAnnotations) return annotation.value;
  return scope.module.python.source.slice(annotation.from, annotation.to);
}

function evaluateText(annotation: Expression, scope: Scope, before: number): Value {
  if (annotation.kind !== 'string' || scope.module.futureAnnotations) return evaluate(annotation, scope, before);
  const expression = parseExpression(annotation.value);
  return expression === undefined
    ? unknown(`the annotation '${annotation.value}'`)
    : evaluate(expression, scope, before);
}

/** True when evaluating the value would have raised NameError. Aliases make values share their parts: each is seen once. */
function hasUndefined(value: Value, seen: Set<Value> = new Set()): boolean {
  if (seen.has(value)) return false;
  seen.add(value);
  const inside = (part: Value): boolean => hasUndefined(part, seen);
  switch (value.kind) {
    case 'undefined':
      return true;
    case 'subscript':
      return inside(value.of) || value.items.some(inside);
    case 'union':
    case 'list':
    case 'tuple':
      return value.items.some(inside);
    case 'call':
      return inside(value.callee) || value.args.some(inside);
    default:
      return false;
  }
}

/** What pydantic finds for a text annotation of a parameter: builtins, and the imports of Prefect's v2_schema module. */
const PREFECT_NAMES: ReadonlyMap<string, Value> = new Map(
  [
    ['typing', 'typing'],
    ['t', 'typing'],
    ['pydantic', 'pydantic'],
    ['inspect', 'inspect'],
  ].map(([name = '', module = '']) => [name, { kind: 'external', name: module }]),
);

function forwardContext(scope: Scope): TypeContext {
  const prefect: Scope = { module: scope.module, bindings: NO_BINDINGS, locals: PREFECT_NAMES, parent: undefined };
  return {
    typeArguments: new Map(),
    forward: (text) => {
      const expression = parseExpression(text);
      return expression === undefined ? unknown(`the annotation '${text}'`) : evaluate(expression, prefect, 0);
    },
  };
}

/** One v1 model as an annotation or among its arguments switches the whole signature to pydantic v1's generator. */
function mentionsV1Model(annotation: Value): boolean {
  const parts = annotation.kind === 'subscript' || annotation.kind === 'union' ? annotation.items : [annotation];
  return parts.some((part) => {
    if (part.kind === 'external') return part.name.startsWith('pydantic.v1.');
    return part.kind === 'class' && kindOf(part.class).kind === 'v1 model';
  });
}
