import type { JsonObject } from '@slipway/prefect/json';
import { spend } from '../effort.ts';
import type { Scope } from '../scope.ts';
import type { PythonClass, Value } from '../value.ts';
import { sameValue, whyUnknown } from '../value.ts';
import { bindTypeArguments, kindOf, typeVariableName } from './class-kind.ts';
import { callType } from './constructed.ts';
import { containerOf, containerType } from './container.ts';
import { scopeContext, type TypeContext } from './context.ts';
import { dataclassType } from './dataclass.ts';
import { enumType } from './enum.ts';
import { applyConstraints, applyMetadata, type FieldInfo, isField, mergeFields, NO_FIELD, readField } from './field.ts';
import { isAbstract, knownType } from './known.ts';
import { modelType } from './model.ts';
import { namedTupleType } from './named-tuple.ts';
import { taggedUnion } from './tagged-union.ts';
import { ANY, NoSchema, NotKnown, NULL, type Type, unionOf, type Writer } from './type.ts';
import { typedDictType } from './typed-dict.ts';

/** Deeper nesting is a type that contains itself without a name. */
const DEEPEST = 60;

/**
 * The type an annotation stands for, as pydantic would build it.
 *
 * @param annotation the evaluated annotation.
 * @throws NotKnown, NoSchema
 */
export function typeOf(annotation: Value, context: TypeContext, depth = 0): Type {
  if (depth > DEEPEST || !spend()) throw new NotKnown('a type without end');
  const inner = (value: Value): Type => typeOf(value, context, depth + 1);
  switch (annotation.kind) {
    case 'none':
      return NULL;
    case 'str':
      return inner(resolved(annotation.value, context));
    case 'external':
      return externalType(annotation.name);
    case 'class':
      return classType(annotation.class, [], inner);
    case 'union':
      return unionOf(unionMembers(annotation, context).map(inner));
    case 'alias':
      if (annotation.generic) throw new NotKnown(`the generic alias ${annotation.name}`);
      return aliasType(annotation.name, annotation.value, annotation.scope);
    case 'subscript':
      return genericType(annotation.of, annotation.items, context, inner);
    case 'call': {
      const variable = typeVariableName(annotation);
      const argument = variable === undefined ? undefined : context.typeArguments.get(variable);
      return argument === undefined ? callType(annotation, inner, aliasType) : inner(argument);
    }
    default:
      throw new NotKnown(whyUnknown(annotation) ?? 'an annotation that is no type');
  }
}

function resolved(text: string, context: TypeContext): Value {
  const value = context.forward(text);
  if (value.kind === 'undefined') throw new NoSchema(`the name ${value.name} in '${text}' is not defined`);
  return value;
}

function externalType(name: string): Type {
  if (name === 'typing.Callable' || name === 'collections.abc.Callable') return { kind: 'callable' };
  const known = knownType(name) ?? bareContainer(name);
  if (known !== undefined) return known;
  throw new NotKnown(`${name} is not in this repository`);
}

function bareContainer(name: string): Type | undefined {
  const container = containerOf(name);
  return container === undefined ? undefined : containerType(container, [], () => ANY);
}

function genericType(of: Value, items: readonly Value[], context: TypeContext, inner: (value: Value) => Type): Type {
  if (of.kind === 'class') return classType(of.class, items, inner);
  if (of.kind === 'subscript' && of.of.kind === 'external' && of.of.name === 'typing.Annotated') {
    return annotatedType([...of.items, ...items], context, inner);
  }
  if (of.kind !== 'external') throw new NotKnown(whyUnknown(of) ?? 'a generic type that is put together in the code');
  const [first] = items;
  const only = (): Type => inner(first ?? { kind: 'external', name: 'typing.Any' });
  switch (of.name) {
    case 'typing.Optional':
      return unionOf(
        unionMembers({ kind: 'union', items: [first ?? { kind: 'none' }, { kind: 'none' }] }, context).map(inner),
      );
    case 'typing.Union':
      return unionOf(unionMembers({ kind: 'union', items }, context).map(inner));
    case 'typing.Literal':
      return literalType(items);
    case 'typing.Annotated':
      return annotatedType(items, context, inner);
    case 'typing.Required':
    case 'typing.NotRequired':
    case 'typing.ReadOnly':
    case 'pydantic.SkipValidation':
    case 'pydantic.Secret':
    case 'typing.Unpack':
      if (of.name === 'typing.Unpack') throw new NotKnown('Unpack[…]');
      return only();
    case 'typing.Type':
    case 'builtins.type':
    case 'typing.TypeGuard':
      return ANY;
    case 'typing.Callable':
    case 'collections.abc.Callable':
      return { kind: 'callable' };
    case 'pydantic.Json':
      return { kind: 'json text', content: only() };
    case 're.Pattern':
    case 'typing.Pattern':
    case 'os.PathLike':
      return externalType(of.name);
    default:
  }
  const container = containerOf(of.name);
  if (container !== undefined) return containerType(container, items, inner);
  if (isAbstract(of.name)) return ANY;
  throw new NotKnown(`${of.name} is not in this repository`);
}

/** Unions inside unions are one union; a repeated member counts once. */
function unionMembers(value: Value, context: TypeContext): readonly Value[] {
  const items = unionItems(value, context);
  if (items === undefined) return [value];
  const members = items.flatMap((item) => unionMembers(item, context));
  return members.filter((member, index) => members.findIndex((other) => sameValue(member, other)) === index);
}

function unionItems(value: Value, context: TypeContext): readonly Value[] | undefined {
  if (value.kind === 'union') return value.items;
  if (value.kind === 'str') {
    const meant = context.forward(value.value);
    return meant.kind === 'union' || meant.kind === 'subscript' ? unionItems(meant, context) : undefined;
  }
  if (value.kind !== 'subscript' || value.of.kind !== 'external') return undefined;
  if (value.of.name === 'typing.Optional') return [...value.items, { kind: 'none' }];
  return value.of.name === 'typing.Union' ? value.items : undefined;
}

function literalType(items: readonly Value[]): Type {
  const values = items.flatMap((item): readonly Value[] => {
    const nested = item.kind === 'subscript' && item.of.kind === 'external' && item.of.name === 'typing.Literal';
    return nested ? item.items : [item];
  });
  const unknown = values.map(whyUnknown).find((reason) => reason !== undefined);
  if (unknown !== undefined) throw new NotKnown(unknown);
  return { kind: 'literal', values };
}

function annotatedType(items: readonly Value[], context: TypeContext, inner: (value: Value) => Type): Type {
  const { type, info } = fieldOf(
    { kind: 'subscript', of: { kind: 'external', name: 'typing.Annotated' }, items },
    undefined,
    context,
    inner,
  );
  const described = Object.keys(info.json).length + Object.keys(info.extra).length > 0;
  const shown: Type = described ? { kind: 'with', inner: type, json: { ...info.json, ...info.extra } } : type;
  return info.default === undefined ? shown : { kind: 'default', inner: shown, value: info.default };
}

/** The type and the field description of an annotation with its default. */
export interface ReadField {
  readonly type: Type;
  readonly info: FieldInfo;
}

/**
 * Reads a field of a class or a parameter: the outermost `Annotated` and a `Field(…)` default are one description.
 *
 * @param value the default as written; a `Field(…)` call describes the field.
 */
export function fieldOf(
  annotation: Value,
  value: Value | undefined,
  context: TypeContext,
  inner: (value: Value) => Type = (part) => typeOf(part, context),
): ReadField {
  let plainAnnotation = annotation.kind === 'str' ? resolved(annotation.value, context) : annotation;
  const metadata: Value[] = [];
  while (
    plainAnnotation.kind === 'subscript' &&
    plainAnnotation.of.kind === 'external' &&
    plainAnnotation.of.name === 'typing.Annotated'
  ) {
    const [of, ...more] = plainAnnotation.items;
    metadata.unshift(...more);
    plainAnnotation = of ?? { kind: 'external', name: 'typing.Any' };
    if (plainAnnotation.kind === 'str') plainAnnotation = resolved(plainAnnotation.value, context);
  }
  const assigned = isField(value)
    ? readField(value)
    : value === undefined || value.kind === 'ellipsis'
      ? NO_FIELD
      : { ...NO_FIELD, default: value };
  const infos = [...metadata.filter(isField).map(readField), assigned];
  const info = infos.reduce(mergeFields, NO_FIELD);
  let type = inner(plainAnnotation);
  if (info.discriminator !== undefined) type = taggedUnion(type, info.discriminator);
  for (const piece of metadata) {
    type = isField(piece) ? applyConstraints(type, readField(piece).constraints) : applyMetadata(type, piece);
  }
  return { type: applyConstraints(type, assigned.constraints), info };
}

/** Whether a `Field(…)` inside `Annotated` may hold the default, for an annotation that could not be read. */
export function mayBringDefault(annotation: Value, context: TypeContext): boolean {
  const value = annotation.kind === 'str' ? resolved(annotation.value, context) : annotation;
  if (value.kind !== 'subscript' || value.of.kind !== 'external' || value.of.name !== 'typing.Annotated') return false;
  const [of, ...metadata] = value.items;
  if (of !== undefined && mayBringDefault(of, context)) return true;
  return metadata.some((piece) => {
    if (piece.kind !== 'call' || !isField(piece)) return piece.kind === 'unknown';
    const { args, complete, keywords } = piece;
    return !complete || args.length > 0 || keywords.has('default') || keywords.has('default_factory');
  });
}

/** A named alias is a definition; what it stands for is read where it is written. */
function aliasType(name: string, value: () => Value, scope: Scope): Type {
  const content = (writer: Writer): JsonObject => {
    const type = typeOf(value(), scopeContext(scope));
    if (type.kind !== 'definition') return writer.write(type);
    // Pydantic gives the alias an enum's content, and a class's only while nothing else in the same core schema refers to it.
    if (type.definition.class !== undefined && kindOf(type.definition.class).kind === 'enum')
      return type.definition.content(writer);
    throw new NotKnown(`the alias ${name} of ${type.definition.name}`);
  };
  return { kind: 'definition', definition: { name, identity: `alias ${scope.module.file} ${name}`, content } };
}

function classType(of: PythonClass, args: readonly Value[], _inner: (value: Value) => Type): Type {
  const kind = kindOf(of);
  const read = { typeOf, fieldOf };
  switch (kind.kind) {
    case 'model':
      return modelType(of, args, read);
    case 'enum':
      return enumType(of);
    case 'dataclass':
      return dataclassType(of, bindTypeArguments(of, args), args, read);
    case 'typed dict':
      return typedDictType(of, bindTypeArguments(of, args), args, read);
    case 'named tuple':
      return namedTupleType(of, read);
    case 'v1 model':
      throw new NotKnown(`${of.statement.name} is a pydantic v1 model`);
    case 'plain':
      return ANY;
    case 'unknown':
      throw new NotKnown(kind.reason);
  }
}
