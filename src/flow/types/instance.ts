import type { Json, JsonObject } from '@slipway/prefect/json';
import { classScope } from '../attribute.ts';
import { basesOf, evaluate } from '../evaluate.ts';
import { AT_THE_END } from '../scope.ts';
import { type CallValue, isExternal, type PythonClass, sameValue, type Value } from '../value.ts';
import { fieldOf, typeOf } from './annotation.ts';
import { ancestry, bindTypeArguments, kindOf } from './class-kind.ts';
import { coerce } from './coerce.ts';
import type { TypeReader } from './context.ts';
import { dataclassFields } from './dataclass.ts';
import { type Encoded, encodeValue } from './encode.ts';
import { enumMembers, enumMemberValue } from './enum.ts';
import type { FieldInfo } from './field.ts';
import type { Field } from './fields.ts';
import { decoratedMethods, modelFields, rootField } from './model.ts';
import { readConfig } from './model-config.ts';
import { namedTupleFields } from './named-tuple.ts';
import { NotKnown } from './type.ts';

const READER: TypeReader = { typeOf: (annotation, context) => typeOf(annotation, context), fieldOf };

/**
 * Encodes classes of the repository, their members and instances as pydantic writes them.
 *
 * @throws NotKnown where validators or constructors of the class decide.
 */
export function encodeInstance(value: Value): Encoded {
  if (value.kind === 'class') return undefined;
  const member = enumMemberValue(value);
  if (member !== undefined) return encodeValue(member, encodeInstance);
  if (value.kind === 'attribute') {
    const of = enumMemberValue(value.of);
    if (of !== undefined && value.name === 'value') return encodeValue(of, encodeInstance);
    if (of !== undefined && value.name === 'name' && value.of.kind === 'attribute') return value.of.name;
  }
  if (value.kind !== 'call') throw new NotKnown('an attribute of an object');
  const callee = value.callee.kind === 'subscript' ? value.callee.of : value.callee;
  if (callee.kind !== 'class') throw new NotKnown('what a function returns');
  if (!value.complete) throw new NotKnown(`the arguments of ${callee.class.statement.name}(…)`);
  const args = value.callee.kind === 'subscript' ? value.callee.items : [];
  return construct(callee.class, args, value);
}

function construct(of: PythonClass, typeArguments: readonly Value[], call: CallValue): Encoded {
  const kind = kindOf(of);
  switch (kind.kind) {
    case 'model':
      return model(of, typeArguments, call);
    case 'dataclass':
      return dataclass(of, call);
    case 'named tuple':
      return namedTuple(of, call);
    case 'enum':
      return enumCall(of, call);
    case 'typed dict':
      return written([...call.keywords].map(([name, value]) => [name, encodeValue(value, encodeInstance)]));
    case 'plain':
      return plainInstance(of);
    case 'v1 model':
      throw new NotKnown(`${of.statement.name} is a pydantic v1 model`);
    case 'unknown':
      throw new NotKnown(kind.reason);
  }
}

/** An object of no special kind cannot be written; one that is also a str, dict … can, in a way its class decides. */
function plainInstance(of: PythonClass): Encoded {
  for (const { class: ancestor } of ancestry(of)) {
    for (const base of basesOf(ancestor)) {
      const origin = base.kind === 'subscript' ? base.of : base;
      if (origin.kind === 'class' || isExternal(origin, 'builtins.object', 'abc.ABC', 'typing.Generic')) continue;
      throw new NotKnown(`an instance of ${of.statement.name}`);
    }
  }
  return undefined;
}

const BEHAVIOUR = [
  'pydantic.field_validator',
  'pydantic.model_validator',
  'pydantic.validator',
  'pydantic.root_validator',
  'pydantic.field_serializer',
  'pydantic.model_serializer',
  'pydantic.computed_field',
];

/** Refuses classes whose own code decides what an instance holds. */
function refuseOwnCode(lineage: readonly { readonly class: PythonClass }[], methods: readonly string[]): void {
  for (const { class: of } of lineage) {
    const { names } = classScope(of).bindings;
    const own = methods.find((method) => names.has(method));
    const decorator = decoratedMethods(of).find((method) => {
      const callee = method.decorator.kind === 'call' ? method.decorator.callee : method.decorator;
      return isExternal(callee, ...BEHAVIOUR);
    });
    const decides = own ?? decorator?.name;
    if (decides !== undefined) throw new NotKnown(`what ${of.statement.name}.${decides} does`);
  }
}

function model(of: PythonClass, typeArguments: readonly Value[], call: CallValue): Encoded {
  const lineage = ancestry(of, bindTypeArguments(of, typeArguments));
  refuseOwnCode(lineage, ['__init__', 'model_post_init', '__new__']);
  const config = readConfig(lineage);
  const root = rootField(lineage, READER);
  if (root !== undefined) {
    const given = call.args[0] ?? call.keywords.get('root');
    if (given === undefined) throw new NotKnown(`an instance of ${of.statement.name}`);
    return coerce(root.type, given, encodeInstance);
  }
  if (call.args.length > 0) throw new NotKnown(`an instance of ${of.statement.name}`);
  const fields = modelFields(lineage, config, READER);
  const accepted = new Set(fields.flatMap((field) => [field.shown, field.name]));
  const extra = [...call.keywords.keys()].find((name) => !accepted.has(name));
  if (extra !== undefined && config.extra === 'allow') throw new NotKnown(`the extra field ${extra}`);
  return written(
    fields
      .filter((field) => field.info.excluded !== true)
      .map((field) => {
        const given = call.keywords.get(field.shown) ?? call.keywords.get(field.name);
        const name = field.info.writtenAlias ?? config.alias?.(field.name) ?? field.name;
        return [name, given === undefined ? defaultOf(field) : coerce(field.type, given, encodeInstance)];
      }),
  );
}

function dataclass(of: PythonClass, call: CallValue): Encoded {
  const lineage = ancestry(of);
  refuseOwnCode(lineage, ['__post_init__', '__init__', '__new__']);
  const fields = dataclassFields(lineage, READER);
  const positional = fields.filter((field) => field.init && !field.keywordOnly);
  const pydantic = of.statement.decorators.some((decorator) => {
    const value = evaluate(decorator, of.scope, decorator.from);
    return isExternal(value.kind === 'call' ? value.callee : value, 'pydantic.dataclasses.dataclass');
  });
  return written(
    fields
      .filter((field) => !field.initOnly)
      .map((field) => {
        if (field.info.alias !== undefined) throw new NotKnown(`the alias of ${field.name}`);
        const at = positional.indexOf(field);
        const given = (at === -1 ? undefined : call.args[at]) ?? call.keywords.get(field.name);
        if (given === undefined) return [field.name, defaultOf(field)];
        return [field.name, pydantic ? coerce(field.type, given, encodeInstance) : encodeValue(given, encodeInstance)];
      }),
  );
}

function namedTuple(of: PythonClass, call: CallValue): Encoded {
  const items = namedTupleFields(of, READER).map((field, index) => {
    const given = call.args[index] ?? call.keywords.get(field.name);
    return given === undefined ? defaultOf(field) : encodeValue(given, encodeInstance);
  });
  return items.every((item) => item !== undefined) ? items : undefined;
}

/** `Color("red")` is the member with that value. */
function enumCall(of: PythonClass, call: CallValue): Encoded {
  const [wanted] = call.args;
  const member = [...enumMembers(of).values()].find((value) => wanted !== undefined && sameValue(value, wanted));
  if (member === undefined || call.args.length !== 1) throw new NotKnown(`a member of ${of.statement.name}`);
  return encodeValue(member, encodeInstance);
}

/** An object with these properties; undefined when one of them cannot be written. */
function written(properties: readonly (readonly [string, Encoded])[]): JsonObject | undefined {
  const known = properties.filter((entry): entry is readonly [string, Json] => entry[1] !== undefined);
  return known.length === properties.length ? Object.fromEntries(known) : undefined;
}

function defaultOf(field: Field): Encoded {
  const { info, name } = field;
  if (info.default !== undefined) return encodeValue(info.default, encodeInstance);
  return encodeValue(madeBy(info, name), encodeInstance);
}

/** What a default factory makes: an empty container, or what a lambda without arguments says. */
function madeBy(info: FieldInfo, name: string): Value {
  const { factory } = info;
  if (factory === undefined) throw new NotKnown(`the field ${name}, which has no value`);
  if (factory.kind === 'lambda' && factory.parameters.length === 0)
    return evaluate(factory.body, factory.scope, AT_THE_END);
  if (isExternal(factory, 'builtins.dict')) return { kind: 'dict', entries: [] };
  if (isExternal(factory, 'builtins.list', 'builtins.tuple', 'builtins.set', 'builtins.frozenset'))
    return { kind: 'list', items: [] };
  throw new NotKnown(`what makes the field ${name}`);
}
