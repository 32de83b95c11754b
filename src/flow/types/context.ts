import { classScope } from '../attribute.ts';
import { AT_THE_END, evaluate } from '../evaluate.ts';
import { parseExpression } from '../python/parse.ts';
import type { PythonClass, Value } from '../value.ts';
import { unknown } from '../value.ts';

/** What an annotation is read in. */
export interface TypeContext {
  /** What the text of a string annotation means; `undefined` values where Python would not find a name. */
  readonly forward: (text: string) => Value;
  /** What the type variables of a generic class stand for, by their names. */
  readonly typeArguments: ReadonlyMap<string, Value>;
}

/** The context of the fields of a class: text annotations see the whole module, later definitions too. */
export function classContext(of: PythonClass, typeArguments: ReadonlyMap<string, Value> = new Map()): TypeContext {
  return {
    typeArguments,
    forward: (text) => {
      const expression = parseExpression(text);
      return expression === undefined ? unknown(`the annotation '${text}'`) : evaluate(expression, classScope(of), AT_THE_END);
    },
  };
}
