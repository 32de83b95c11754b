import type { Scope } from '../scope.ts';
import type { CallValue, Value } from '../value.ts';
import { whyUnknown } from '../value.ts';
import type { Constraint } from './constraint.ts';
import { functionalEnum } from './enum.ts';
import { applyConstraints, constant } from './field.ts';
import { knownType } from './known.ts';
import { functionalNamedTuple } from './named-tuple.ts';
import { ANY, NoSchema, NotKnown, type Type, unionOf } from './type.ts';
import { functionalTypedDict } from './typed-dict.ts';

/** pydantic's `con…` functions: what they constrain, and whether their first argument is the item type. */
const CONSTRAINED: Readonly<Record<string, string>> = {
  'pydantic.conint': 'builtins.int',
  'pydantic.confloat': 'builtins.float',
  'pydantic.constr': 'builtins.str',
  'pydantic.conbytes': 'builtins.bytes',
  'pydantic.condecimal': 'decimal.Decimal',
  'pydantic.condate': 'datetime.date',
};

const CONSTRAINED_CONTAINERS: Readonly<Record<string, Type & { kind: 'array' }>> = {
  'pydantic.conlist': { kind: 'array', items: undefined, list: true, json: {} },
  'pydantic.conset': { kind: 'array', items: undefined, list: false, json: { uniqueItems: true } },
  'pydantic.confrozenset': { kind: 'array', items: undefined, list: false, json: { uniqueItems: true } },
};

/**
 * The type that a call makes: `NewType`, `TypeVar`, `conint(gt=0)`, `namedtuple(…)`, `Enum("Name", …)` and the like.
 *
 * @throws NotKnown for any other call, pydantic's create_model among them.
 */
export function callType(
  call: CallValue,
  inner: (value: Value) => Type,
  aliasType: (name: string, value: () => Value, scope: Scope) => Type,
): Type {
  const name = call.callee.kind === 'external' ? call.callee.name : '';
  if (!call.complete) throw new NotKnown('a type whose arguments are computed');
  const [first, second] = call.args;
  switch (name) {
    case 'typing.NewType':
      return inner(second ?? call.keywords.get('tp') ?? { kind: 'none' });
    case 'typing.TypeVar':
      return typeVariable(call, inner);
    case 'typing.ForwardRef':
      if (first?.kind === 'str') return inner(first);
      break;
    case 'typing.TypeAliasType': {
      const value = second ?? call.keywords.get('value');
      if (first?.kind === 'str' && value !== undefined && call.scope !== undefined && !call.keywords.has('type_params'))
        return aliasType(first.value, () => value, call.scope);
      break;
    }
    case 'collections.namedtuple':
    case 'typing.NamedTuple':
      return functionalNamedTuple(call, inner);
    case 'typing.TypedDict':
      return functionalTypedDict(call, inner);
    case 'enum.Enum':
    case 'enum.IntEnum':
    case 'enum.StrEnum':
      return functionalEnum(call);
    default:
  }
  const scalar = CONSTRAINED[name];
  const type = scalar === undefined ? undefined : knownType(scalar);
  if (type !== undefined) return applyConstraints(type, keywordConstraints(call));
  const container = CONSTRAINED_CONTAINERS[name];
  if (container !== undefined) {
    const item = first ?? call.keywords.get('item_type');
    return applyConstraints({ ...container, items: item && inner(item) }, keywordConstraints(call));
  }
  if (call.callee.kind === 'class') throw new NoSchema('an object that is no type');
  throw new NotKnown(
    whyUnknown(call.callee) ?? `a type that ${name === '' ? 'a call' : name} makes when the code runs`,
  );
}

function keywordConstraints(call: CallValue): Constraint[] {
  return [...call.keywords].flatMap(([name, value]) => {
    if (value.kind === 'none' || name === 'item_type') return [];
    return [{ name, value: constant(value) }];
  });
}

function typeVariable(call: CallValue, inner: (value: Value) => Type): Type {
  const [, ...choices] = call.args;
  const fallback = call.keywords.get('default');
  if (fallback !== undefined) return inner(fallback);
  if (choices.length > 0) return unionOf(choices.map(inner));
  const bound = call.keywords.get('bound');
  return bound === undefined || bound.kind === 'none' ? ANY : inner(bound);
}
