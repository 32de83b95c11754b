import { evaluate } from './evaluate.ts';
import { callFunction } from './follow.ts';
import type { Expression, FunctionStatement, Parameter } from './python/ast.ts';
import { AT_THE_END, type Scope } from './scope.ts';
import { type CallValue, isExternal, type PythonClass, unknown, type Value, whyUnknown } from './value.ts';

/** The function a flow runs, and what its decorators said. */
export interface FlowDefinition {
  readonly kind: 'flow';
  readonly options: FlowOptions;
  readonly target: FlowTarget;
  /** Why the function's signature may not be the flow's: a decorator below `@flow` that is not known. */
  readonly wrappedBy: string | undefined;
}

export type FlowTarget =
  | {
      readonly kind: 'function';
      readonly statement: FunctionStatement;
      readonly scope: Scope;
      readonly owner: PythonClass | undefined;
    }
  | { readonly kind: 'lambda'; readonly parameters: readonly Parameter[]; readonly scope: Scope; readonly at: number };

/** The arguments of `@flow(…)` that decide what is registered. */
export interface FlowOptions {
  readonly name: Value | undefined;
  readonly description: Value | undefined;
  readonly version: Value | undefined;
}

export type FlowAnswer =
  | FlowDefinition
  | { readonly kind: 'no flow' }
  /** It may be a flow, but nobody can say which without running the code. */
  | { readonly kind: 'unclear'; readonly reason: string };

const NO_OPTIONS: FlowOptions = { name: undefined, description: undefined, version: undefined };

/**
 * Prefect's decorators above `@flow` that bind a flow to a work pool: still the same flow (flows.py,
 * bind_flow_to_infrastructure).
 */
const BINDING: readonly string[] = [
  'prefect_kubernetes.decorators.kubernetes',
  'prefect_kubernetes.experimental.kubernetes',
  'prefect_kubernetes.experimental.decorators.kubernetes',
  'prefect_docker.decorators.docker',
  'prefect_docker.experimental.docker',
  'prefect_docker.experimental.decorators.docker',
];

/** Decorators outside the repository that keep the name and the signature of what they wrap (functools.wraps inside). */
const TRANSPARENT: readonly string[] = ['functools.wraps', 'tenacity.retry', 'typing.no_type_check', 'typing.final'];

/**
 * What an object of a module is as a flow: a decorated function, `flow(function)`, `a_flow.with_options(…)`
 * (contracts/deploy.md §3.3). A decorator that is not known is never taken for `flow`, and never for harmless.
 */
export function asFlow(value: Value): FlowAnswer {
  if (value.kind === 'function') return decorated(value.function.statement, value.function.scope, value.function.owner);
  const why = whyUnknown(value);
  if (why !== undefined) return { kind: 'unclear', reason: why };
  if (value.kind !== 'call') return { kind: 'no flow' };
  if (value.callee.kind === 'attribute' && value.callee.name === 'with_options') {
    const inner = asFlow(value.callee.of);
    if (inner.kind !== 'flow') return inner;
    const options = optionsOf(value);
    if (options === undefined) return { kind: 'unclear', reason: 'the options of with_options are computed' };
    return { ...inner, options: overlay(inner.options, options) };
  }
  const [first] = value.args;
  if (isExternal(value.callee, 'prefect.Flow')) return madeByClass(value);
  if (first === undefined) return { kind: 'no flow' };
  // flow(function, name=…) and flow(name=…)(function)
  const maker = flowMaker(isExternal(value.callee, 'prefect.flow') ? { ...value, args: [] } : value.callee);
  if (maker === undefined) {
    return value.callee.kind === 'external' || value.callee.kind === 'call'
      ? { kind: 'unclear', reason: `it is the result of a call that is not known to make a flow` }
      : { kind: 'no flow' };
  }
  if (maker.kind === 'unclear') return maker;
  return made(maker.options, first);
}

/** `Flow(function, name=…)`, the class itself. */
function madeByClass(call: CallValue): FlowAnswer {
  const from = call.args[0] ?? call.keywords.get('fn');
  const options = optionsOf(call);
  if (from === undefined || options === undefined)
    return { kind: 'unclear', reason: 'the arguments of Flow(…) are computed' };
  return made({ ...options, name: call.args[1] ?? options.name }, from);
}

function made(options: FlowOptions, from: Value): FlowAnswer {
  if (from.kind === 'lambda') {
    const target = { kind: 'lambda', parameters: from.parameters, scope: from.scope, at: from.at } as const;
    return { kind: 'flow', options, target, wrappedBy: undefined };
  }
  if (from.kind !== 'function') return { kind: 'unclear', reason: 'the function it is made from is not known' };
  const { statement, scope, owner } = from.function;
  const wrappedBy = statement.decorators
    .map((decorator) => wrapping(decorator, scope))
    .find((name) => name !== undefined);
  return { kind: 'flow', options, target: { kind: 'function', statement, scope, owner }, wrappedBy };
}

/** Reads decorators in the order they are applied, the lowest first. */
function decorated(statement: FunctionStatement, scope: Scope, owner: PythonClass | undefined): FlowAnswer {
  let flow: FlowDefinition | undefined;
  let wrappedBy: string | undefined;
  for (const decorator of statement.decorators.toReversed()) {
    const value = evaluate(decorator, scope, decorator.from);
    const maker = flowMaker(value);
    if (maker?.kind === 'unclear') return maker;
    if (maker !== undefined) {
      if (flow !== undefined) return { kind: 'unclear', reason: '@flow is applied twice' };
      flow = { kind: 'flow', options: maker.options, target: { kind: 'function', statement, scope, owner }, wrappedBy };
      continue;
    }
    if (isExternal(value, 'builtins.staticmethod', 'builtins.classmethod')) continue;
    const effect = decoratorEffect(value);
    if (effect === 'identity') continue;
    const name = sourceOf(decorator, scope);
    if (flow !== undefined)
      return { kind: 'unclear', reason: `the decorator ${name} above @flow may make another flow of it` };
    if (effect === 'other') wrappedBy ??= name;
  }
  if (flow !== undefined) return flow;
  if (wrappedBy === undefined) return { kind: 'no flow' };
  return { kind: 'unclear', reason: `the decorator ${wrappedBy} is not known to make a flow` };
}

function wrapping(decorator: Expression, scope: Scope): string | undefined {
  const value = evaluate(decorator, scope, decorator.from);
  if (isExternal(value, 'builtins.staticmethod', 'builtins.classmethod')) return undefined;
  return decoratorEffect(value) === 'other' ? sourceOf(decorator, scope) : undefined;
}

function sourceOf(decorator: Expression, scope: Scope): string {
  const text = scope.module.python.source.slice(decorator.from, decorator.to);
  const end = text.indexOf('\n');
  return `@${end === -1 ? text : `${text.slice(0, end)}…`}`;
}

/** The options of something that makes a flow out of a function: `flow`, `flow(…)`, `partial(flow, …)`. */
function flowMaker(
  value: Value,
): { kind: 'maker'; options: FlowOptions } | { kind: 'unclear'; reason: string } | undefined {
  if (isExternal(value, 'prefect.flow')) return { kind: 'maker', options: NO_OPTIONS };
  if (value.kind !== 'call') return undefined;
  const partial = isExternal(value.callee, 'functools.partial');
  const [first] = value.args;
  if (partial && first === undefined) return undefined;
  const base = flowMaker(partial && first !== undefined ? first : value.callee);
  if (base === undefined || base.kind === 'unclear') return base;
  if (value.args.length > (partial ? 1 : 0)) return undefined;
  const options = optionsOf(value);
  if (options === undefined)
    return { kind: 'unclear', reason: 'the options of @flow are computed, name= may be among them' };
  return { kind: 'maker', options: overlay(base.options, options) };
}

/** Undefined when hidden arguments may hold a name. */
function optionsOf(call: CallValue): FlowOptions | undefined {
  const hidden = call.complete ? undefined : unknown('the options are computed');
  const name = call.keywords.get('name');
  if (name === undefined && hidden !== undefined) return undefined;
  return {
    name,
    description: call.keywords.get('description') ?? hidden,
    version: call.keywords.get('version') ?? hidden,
  };
}

function overlay(base: FlowOptions, over: FlowOptions): FlowOptions {
  return {
    name: over.name ?? base.name,
    description: over.description ?? base.description,
    version: over.version ?? base.version,
  };
}

/** The marker a followed decorator is called with. */
const DECORATED: Value = { kind: 'external', name: 'the decorated function' };

/**
 * What a decorator makes of a function: the function itself, a function with the same name and signature, or
 * something else. Decorators of the repository are followed.
 */
export function decoratorEffect(decorator: Value): 'identity' | 'wraps' | 'other' {
  const callee = decorator.kind === 'call' ? decorator.callee : decorator;
  if (isExternal(callee, ...TRANSPARENT)) return 'wraps';
  if (isExternal(callee, ...BINDING)) return 'identity';
  if (decorator.kind === 'function') return effectOf(callFunction(decorator.function, [DECORATED]));
  if (decorator.kind !== 'call' || decorator.callee.kind !== 'function') return 'other';
  const made = callFunction(decorator.callee.function, decorator.args, decorator.keywords);
  return made.kind === 'function' ? effectOf(callFunction(made.function, [DECORATED])) : 'other';
}

function effectOf(result: Value): 'identity' | 'wraps' | 'other' {
  if (result === DECORATED) return 'identity';
  if (result.kind !== 'function') return 'other';
  const { statement, scope } = result.function;
  const [only, ...more] = statement.decorators.map((decorator) => evaluate(decorator, scope, AT_THE_END));
  if (only?.kind !== 'call' || more.length > 0) return 'other';
  return isExternal(only.callee, 'functools.wraps') && only.args[0] === DECORATED ? 'wraps' : 'other';
}
