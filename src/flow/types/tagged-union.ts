import type { Value } from '../value.ts';
import { enumMemberValue } from './enum.ts';
import { constant } from './field.ts';
import { NotKnown, type Type } from './type.ts';

/**
 * `Field(discriminator="kind")` on a union: each member is chosen by the constants its field can have.
 *
 * @throws NotKnown when a member is no model with such a field.
 */
export function taggedUnion(type: Type, field: string): Type {
  if (type.kind === 'nullable') return { kind: 'nullable', inner: taggedUnion(type.inner, field) };
  const members = type.kind === 'union' ? type.choices : [type];
  const choices = members.flatMap((member): (readonly [string, Type])[] => {
    const tags = member.kind === 'definition' ? member.definition.tags?.(field) : undefined;
    if (tags === undefined) throw new NotKnown(`the constants of ${field} in each member of a union`);
    return tags.map((tag) => [tagText(tag), member]);
  });
  return { kind: 'tagged', field, choices };
}

function tagText(tag: Value): string {
  const json = constant(enumMemberValue(tag) ?? tag);
  if (typeof json === 'string') return json;
  if (json === null || typeof json === 'boolean' || typeof json === 'number') return String(json);
  throw new NotKnown('the constant of a tagged union');
}
