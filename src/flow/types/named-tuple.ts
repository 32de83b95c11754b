import type { JsonObject } from '@slipway/prefect/json';
import { basesOf } from '../evaluate.ts';
import { type CallValue, isExternal, type PythonClass, type Value } from '../value.ts';
import { annotatedNames, classContext, identityOf, type TypeReader } from './context.ts';
import { NO_FIELD } from './field.ts';
import { describedType, type Field, titleOf } from './fields.ts';
import { ANY, NotKnown, type Type, type Writer } from './type.ts';

/** The type of a NamedTuple class of the repository. */
export function namedTupleType(of: PythonClass, read: TypeReader): Type {
  const { name } = of.statement;
  const fields = (): Field[] => namedTupleFields(of, read);
  return definition(name, identityOf(of), fields, of);
}

function definition(name: string, identity: string, fields: () => readonly Field[], of?: PythonClass): Type {
  return {
    kind: 'definition',
    definition: { name, identity, content: (writer) => content(fields(), writer), ...(of && { class: of }) },
  };
}

/** The fields of a NamedTuple in order. */
export function namedTupleFields(of: PythonClass, read: TypeReader): Field[] {
  const direct = basesOf(of).some((base) => isExternal(base, 'typing.NamedTuple'));
  if (!direct) throw new NotKnown(`the fields of ${of.statement.name} come from its base`);
  const context = classContext(of);
  return annotatedNames(of).map(({ name, annotation, value }) => {
    const { type, info } = read.fieldOf(annotation, value, context);
    return { name, shown: info.alias ?? name, type, info, required: info.default === undefined };
  });
}

function content(fields: readonly Field[], writer: Writer): JsonObject {
  const items = fields.map(({ shown, type, info }) => writer.writeField(describedType(type, info), titleOf(shown)));
  const least = fields.filter((field) => field.required).length;
  return {
    type: 'array',
    ...(items.length > 0 && { prefixItems: items }),
    ...(least > 0 && { minItems: least }),
    maxItems: items.length,
  };
}

/** `namedtuple("Name", "a b")` and `NamedTuple("Name", [("a", int)])`. */
export function functionalNamedTuple(call: CallValue, inner: (value: Value) => Type): Type {
  const [name, fields] = call.args;
  if (name?.kind !== 'str' || fields === undefined || call.args.length > 2)
    throw new NotKnown('a named tuple that is computed');
  if (call.keywords.size > 0) throw new NotKnown('a named tuple with options');
  const read = (): Field[] =>
    named(fields).map(([field, annotation]) => {
      const type = annotation === undefined ? ANY : inner(annotation);
      return { name: field, shown: field, type, info: NO_FIELD, required: true };
    });
  return definition(name.value, `named tuple ${name.value}`, read);
}

function named(fields: Value): (readonly [string, Value | undefined])[] {
  if (fields.kind === 'str') {
    const names = fields.value.replaceAll(',', ' ').split(' ');
    return names.filter((name) => name !== '').map((name) => [name, undefined]);
  }
  if (fields.kind !== 'list' && fields.kind !== 'tuple') throw new NotKnown('the fields of a named tuple are computed');
  return fields.items.map((item) => {
    if (item.kind === 'str') return [item.value, undefined];
    const [name, type] = item.kind === 'tuple' || item.kind === 'list' ? item.items : [];
    if (name?.kind !== 'str') throw new NotKnown('the fields of a named tuple are computed');
    return [name.value, type];
  });
}
