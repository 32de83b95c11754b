import { collectBindings } from './bindings.ts';
import { evaluate } from './evaluate.ts';
import type { Statement } from './python/ast.ts';
import { AT_THE_END, innerScope } from './scope.ts';
import { type PythonFunction, unknown, type Value } from './value.ts';

/**
 * What a function of the repository returns for these arguments, when it has one way to return: a single `return`
 * as the last statement of its body. Anything else is unknown.
 */
export function callFunction(
  callee: PythonFunction,
  args: readonly Value[],
  keywords: ReadonlyMap<string, Value> = new Map(),
): Value {
  const { statement, scope } = callee;
  const elsewhere = unknown(`${statement.name} decides when it runs`);
  if (statement.decorators.length > 0 || statement.async) return elsewhere;
  const body = statement.body();
  const last = body.at(-1);
  if (last?.kind !== 'return' || last.value === undefined || returns(body) !== 1) return elsewhere;
  const locals = new Map<string, Value>();
  const plain = statement.parameters.filter((parameter) => parameter.kind === 'plain');
  plain.forEach((parameter, index) => {
    const given = args[index] ?? keywords.get(parameter.name);
    const value = given ?? (parameter.default && evaluate(parameter.default, scope, statement.from));
    locals.set(parameter.name, value ?? unknown(`the argument ${parameter.name}`));
  });
  for (const parameter of statement.parameters) {
    if (parameter.kind !== 'plain') locals.set(parameter.name, unknown(`the arguments ${parameter.name}`));
  }
  return evaluate(last.value, innerScope(scope, collectBindings(body), locals), AT_THE_END);
}

/** Number of return statements of the function itself, nested blocks included. */
function returns(body: readonly Statement[]): number {
  let count = 0;
  for (const statement of body) {
    if (statement.kind === 'return') count += 1;
    else if (statement.kind === 'if')
      count += statement.branches.reduce((sum, branch) => sum + returns(branch.body), 0);
    else if (statement.kind === 'try')
      count += returns([...statement.body, ...statement.handlers.flat(), ...statement.last]);
    else if (statement.kind === 'with' || statement.kind === 'maybe') count += returns(statement.body);
  }
  return count;
}
