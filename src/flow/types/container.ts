import type { Value } from '../value.ts';
import { ANY, NoSchema, type Type } from './type.ts';

/** What pydantic makes of Python's containers. */
export type Container = 'list' | 'iterable' | 'set' | 'tuple' | 'dict' | 'counter';

const CONTAINERS: Readonly<Record<string, Container>> = {
  list: 'list',
  deque: 'iterable',
  Iterable: 'iterable',
  Sequence: 'list',
  MutableSequence: 'list',
  Generator: 'iterable',
  set: 'set',
  frozenset: 'set',
  tuple: 'tuple',
  dict: 'dict',
  defaultdict: 'dict',
  OrderedDict: 'dict',
  Mapping: 'dict',
  MutableMapping: 'dict',
  Counter: 'counter',
};

/** Names that mean different things in `typing` and in `collections.abc`. */
const CONTAINERS_OF_TYPING: Readonly<Record<string, Container>> = {
  List: 'list',
  Deque: 'iterable',
  Set: 'set',
  FrozenSet: 'set',
  AbstractSet: 'set',
  MutableSet: 'set',
  Tuple: 'tuple',
  Dict: 'dict',
  DefaultDict: 'dict',
};

/** Which container a canonical name is; undefined when it is none. */
export function containerOf(name: string): Container | undefined {
  const dot = name.lastIndexOf('.');
  const module = name.slice(0, dot);
  const own = name.slice(dot + 1);
  if (module === 'collections.abc' && (own === 'Set' || own === 'MutableSet')) return 'set';
  if (module === 'typing')
    return CONTAINERS_OF_TYPING[own] ?? (own[0] === own[0]?.toUpperCase() ? CONTAINERS[own] : undefined);
  return ['builtins', 'collections', 'collections.abc'].includes(module) ? CONTAINERS[own] : undefined;
}

/**
 * The type of a container with these arguments; without any it holds anything.
 *
 * @throws NoSchema for a tuple pydantic refuses.
 */
export function containerType(container: Container, items: readonly Value[], inner: (value: Value) => Type): Type {
  const [first, second] = items;
  switch (container) {
    case 'list':
    case 'iterable':
      return { kind: 'array', items: first && inner(first), list: container === 'list', json: {} };
    case 'set':
      return { kind: 'array', items: first && inner(first), list: false, json: { uniqueItems: true } };
    case 'dict':
      return { kind: 'dict', keys: first && inner(first), values: second && inner(second), json: {} };
    case 'counter':
      return {
        kind: 'dict',
        keys: first && inner(first),
        values: first && inner({ kind: 'external', name: 'builtins.int' }),
        json: {},
      };
    case 'tuple':
      if (first === undefined) return { kind: 'tuple', items: [], rest: ANY, json: {} };
      if (first.kind === 'tuple' && first.items.length === 0)
        return { kind: 'tuple', items: [], rest: undefined, json: {} };
      if (items.at(-1)?.kind !== 'ellipsis')
        return { kind: 'tuple', items: items.map(inner), rest: undefined, json: {} };
      if (items.length !== 2) throw new NoSchema('a tuple of open length has one type');
      return { kind: 'tuple', items: [], rest: inner(first), json: {} };
  }
}
