import { readFileSync } from 'node:fs';
import ts from 'typescript';

/** Where a test stands in its file: the titles of the groups around it, then its own, as the source spells them. */
export type TitlePath = readonly string[];

/** The tests of a file in order. `it.each` counts once, under its title with the `%s` in it. */
export function testTitles(file: string): TitlePath[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  return titlesBelow(source, []);
}

function titlesBelow(node: ts.Node, groups: TitlePath): TitlePath[] {
  const found: TitlePath[] = [];
  ts.forEachChild(node, (child) => {
    const title = titleOf(child);
    if (title === undefined) found.push(...titlesBelow(child, groups));
    else if (title.kind === 'test') found.push([...groups, title.text]);
    else found.push(...titlesBelow(child, [...groups, title.text]));
  });
  return found;
}

function titleOf(node: ts.Node): { readonly kind: 'group' | 'test'; readonly text: string } | undefined {
  if (!ts.isCallExpression(node)) return undefined;
  const [first] = node.arguments;
  if (first === undefined || !ts.isStringLiteralLike(first)) return undefined;
  const name = calledName(node.expression);
  if (name === 'describe') return { kind: 'group', text: first.text };
  return name === 'it' || name === 'test' ? { kind: 'test', text: first.text } : undefined;
}

/** `it` of `it(…)`, `it.each(…)(…)` and `it.each<…>(…)(…)`. */
function calledName(expression: ts.Expression): string | undefined {
  if (ts.isIdentifier(expression)) return expression.text;
  const inner = ts.isPropertyAccessExpression(expression) || ts.isCallExpression(expression) ? expression : undefined;
  return inner === undefined ? undefined : calledName(inner.expression);
}
