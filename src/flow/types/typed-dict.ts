import { evaluate } from '../evaluate.ts';
import { type CallValue, isExternal, type PythonClass, type Value } from '../value.ts';
import { ancestry } from './class-kind.ts';
import { annotatedNames, classContext, identityOf, type TypeContext, type TypeReader } from './context.ts';
import { NO_FIELD } from './field.ts';
import { type Field, objectSchema } from './fields.ts';
import { classKeywords } from './model.ts';
import { readConfig } from './model-config.ts';
import { NotKnown, type Type } from './type.ts';

const QUALIFIERS = ['typing.Required', 'typing.NotRequired', 'typing.ReadOnly'];

/** The type of a TypedDict class of the repository. */
export function typedDictType(
  of: PythonClass,
  typeArguments: ReadonlyMap<string, Value>,
  args: readonly Value[],
  read: TypeReader,
): Type {
  if (args.length > 0) throw new NotKnown(`the generic TypedDict ${of.statement.name}`);
  const { name } = of.statement;
  return {
    kind: 'definition',
    definition: {
      name,
      identity: identityOf(of),
      class: of,
      content: (writer) => ({
        ...objectSchema(typedDictFields(of, typeArguments, read), writer),
        ...classKeywords(name, readConfig([]), of.statement.docstring),
      }),
      tags: (field) => {
        const found = typedDictFields(of, typeArguments, read).find((candidate) => candidate.name === field);
        return found?.type.kind === 'literal' ? found.type.values : undefined;
      },
    },
  };
}

function typedDictFields(of: PythonClass, typeArguments: ReadonlyMap<string, Value>, read: TypeReader): Field[] {
  const fields = new Map<string, Field>();
  for (const ancestor of ancestry(of, typeArguments)) {
    const context = classContext(ancestor.class, ancestor.typeArguments);
    const total = totality(ancestor.class);
    for (const { name, annotation } of annotatedNames(ancestor.class)) {
      if (name === '__pydantic_config__') throw new NotKnown('the configuration of a TypedDict');
      const { value, required } = qualified(annotation, total, context);
      const { type, info } = read.fieldOf(value, undefined, context);
      fields.set(name, { name, shown: info.alias ?? name, type, info, required });
    }
  }
  return [...fields.values()];
}

function totality(of: PythonClass): boolean {
  let total = true;
  for (const argument of of.statement.args) {
    if (argument.kind !== 'keyword') continue;
    if (argument.name !== 'total') throw new NotKnown(`the option ${argument.name} of a TypedDict`);
    const value = evaluate(argument.value, of.scope, of.statement.from);
    if (value.kind !== 'bool') throw new NotKnown('the option total of a TypedDict is computed');
    total = value.value;
  }
  return total;
}

/** Takes `Required[…]`, `NotRequired[…]` and `ReadOnly[…]` off an annotation. */
function qualified(annotation: Value, total: boolean, context: TypeContext): { value: Value; required: boolean } {
  let value = annotation.kind === 'str' ? context.forward(annotation.value) : annotation;
  let required = total;
  while (value.kind === 'subscript' && isExternal(value.of, ...QUALIFIERS)) {
    if (isExternal(value.of, 'typing.Required')) required = true;
    if (isExternal(value.of, 'typing.NotRequired')) required = false;
    value = value.items[0] ?? { kind: 'none' };
  }
  return { value, required };
}

/** `TypedDict("Name", {"key": type}, total=False)`. */
export function functionalTypedDict(call: CallValue, inner: (value: Value) => Type): Type {
  const [name, items] = call.args;
  if (name?.kind !== 'str' || items?.kind !== 'dict') throw new NotKnown('a TypedDict whose keys are computed');
  const total = call.keywords.get('total');
  if ((total !== undefined && total.kind !== 'bool') || call.keywords.size > (total === undefined ? 0 : 1)) {
    throw new NotKnown('the options of a TypedDict');
  }
  const fields = items.entries.map(([key, annotation]): Field => {
    if (key.kind !== 'str') throw new NotKnown('a TypedDict whose keys are computed');
    const wrapped =
      annotation.kind === 'subscript' && isExternal(annotation.of, ...QUALIFIERS) ? annotation : undefined;
    const optional = wrapped !== undefined && isExternal(wrapped.of, 'typing.NotRequired');
    const forced = wrapped !== undefined && isExternal(wrapped.of, 'typing.Required');
    const required = forced || (!optional && (total === undefined || total.value));
    const type = inner(wrapped?.items[0] ?? annotation);
    return { name: key.value, shown: key.value, type, info: NO_FIELD, required };
  });
  return {
    kind: 'definition',
    definition: {
      name: name.value,
      identity: `typed dict ${name.value}`,
      content: (writer) => ({ ...objectSchema(fields, writer), title: name.value }),
    },
  };
}
