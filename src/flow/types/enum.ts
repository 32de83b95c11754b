import type { Json, JsonObject } from '@slipway/prefect/json';
import { classScope } from '../attribute.ts';
import { NO_BINDINGS } from '../bindings.ts';
import { cleandoc } from '../docstring.ts';
import { basesOf, evaluate } from '../evaluate.ts';
import { innerScope } from '../scope.ts';
import type { CallValue, PythonClass, Value } from '../value.ts';
import { kindOf } from './class-kind.ts';
import { identityOf } from './context.ts';
import { constant } from './field.ts';
import { jsonType } from './json-type.ts';
import { NotKnown, type Type } from './type.ts';

/** The members of an enum, aliases included, with their values. */
export type Members = ReadonlyMap<string, Value>;

/** Bases that are themselves enums, and the type their values are made to be. */
const ENUM_BASES: Readonly<Record<string, Mixin>> = {
  'enum.Enum': undefined,
  'enum.IntEnum': 'int',
  'enum.StrEnum': 'str',
  'enum.Flag': undefined,
  'enum.IntFlag': 'int',
};

type Mixin = 'int' | 'str' | 'float' | undefined;

/** The type of an enum class of the repository. */
export function enumType(of: PythonClass): Type {
  const { name, docstring } = of.statement;
  const members = enumMembers(of);
  const description = docstring === undefined ? '' : cleandoc(docstring);
  return enumDefinition(name, identityOf(of), members, description, of);
}

function enumDefinition(name: string, identity: string, members: Members, description: string, of?: PythonClass): Type {
  const values = [...members.values()].map(constant);
  const shape: JsonObject = {
    enum: values,
    title: name,
    ...typeOfAll(values),
    ...(description !== '' && { description }),
  };
  // An enum without members is checked with isinstance() and has no name of its own.
  if (values.length === 0) return { kind: 'plain', json: shape, limits: 'none' };
  return { kind: 'definition', definition: { name, identity, content: () => shape, ...(of && { class: of }) } };
}

function typeOfAll(values: readonly Json[]): JsonObject {
  const types = new Set(values.map(jsonType));
  const [only] = types;
  return types.size === 1 && only !== undefined && only !== 'null' ? { type: only } : {};
}

/**
 * The members of an enum class.
 *
 * @throws NotKnown when a value is computed or changed by the class's own `__new__`.
 */
export function enumMembers(of: PythonClass): Members {
  const bodies = classScope(of).bindings.names;
  for (const hook of ['__new__', '_generate_next_value_']) {
    if (bodies.has(hook)) throw new NotKnown(`${of.statement.name} makes its own values in ${hook}`);
  }
  const { mixin, flag, strings } = traitsOf(of);
  const ignored = new Set(['_ignore_']);
  const members = new Map<string, Value>();
  // auto() counts on from the values before a mixed-in type makes them its own.
  const written = new Map<string, Value>();
  for (const statement of of.statement.body) {
    if (
      statement.kind === 'if' ||
      statement.kind === 'try' ||
      statement.kind === 'maybe' ||
      statement.kind === 'with'
    ) {
      throw new NotKnown(`the members of ${of.statement.name} depend on a condition`);
    }
    if (statement.kind !== 'assign' || statement.value === undefined) continue;
    for (const target of statement.targets) {
      if (target.kind !== 'name') throw new NotKnown(`the members of ${of.statement.name} are computed`);
      // Inside the body, a member's name is its value, the one that auto() gave it too.
      const scope = innerScope(classScope(of), NO_BINDINGS, members);
      const value = evaluate(statement.value, scope, statement.from);
      if (target.id === '_ignore_') for (const name of namesIn(value)) ignored.add(name);
      if (isHidden(target.id) || ignored.has(target.id) || isDescriptor(value)) continue;
      const own = memberValue(target.id, value, written, { flag, strings });
      written.set(target.id, own);
      members.set(target.id, converted(own, mixin, of));
    }
  }
  return members;
}

function namesIn(value: Value): string[] {
  if (value.kind === 'str') return value.value.replaceAll(',', ' ').split(' ');
  if (value.kind !== 'list' && value.kind !== 'tuple') return [];
  return value.items.flatMap((item) => (item.kind === 'str' ? [item.value] : []));
}

function isHidden(name: string): boolean {
  return name.startsWith('__') || (name.startsWith('_') && name.endsWith('_'));
}

/** Functions and properties in an enum's body are no members. */
function isDescriptor(value: Value): boolean {
  return value.kind === 'lambda' || value.kind === 'function';
}

interface Traits {
  readonly mixin: Mixin;
  readonly flag: boolean;
  /** StrEnum: auto() is the lower-case name. */
  readonly strings: boolean;
}

function traitsOf(of: PythonClass, depth = 0): Traits {
  const traits = { mixin: undefined as Mixin, flag: false, strings: false };
  for (const base of depth > 20 ? [] : basesOf(of)) {
    if (base.kind === 'class') {
      const inherited = traitsOf(base.class, depth + 1);
      traits.mixin ??= inherited.mixin;
      traits.flag ||= inherited.flag;
      traits.strings ||= inherited.strings;
      if (
        classScope(base.class).bindings.names.has('_generate_next_value_') ||
        classScope(base.class).bindings.names.has('__new__')
      ) {
        throw new NotKnown(`${base.class.statement.name} makes the values of its members`);
      }
    }
    if (base.kind !== 'external') continue;
    if (base.name in ENUM_BASES) traits.mixin ??= ENUM_BASES[base.name];
    else if (base.name === 'builtins.int' || base.name === 'builtins.str' || base.name === 'builtins.float') {
      traits.mixin = base.name === 'builtins.int' ? 'int' : base.name === 'builtins.str' ? 'str' : 'float';
    } else if (base.name !== 'builtins.object')
      throw new NotKnown(`the values of ${of.statement.name} are made by ${base.name}`);
    traits.flag ||= base.name === 'enum.Flag' || base.name === 'enum.IntFlag';
    traits.strings ||= base.name === 'enum.StrEnum';
  }
  return traits;
}

function memberValue(name: string, value: Value, before: Members, traits: { flag: boolean; strings: boolean }): Value {
  if (value.kind !== 'call' || value.callee.kind !== 'external' || value.callee.name !== 'enum.auto') return value;
  if (traits.strings) return { kind: 'str', value: name.toLowerCase() };
  const numbers = [...before.values()].flatMap((earlier) => (earlier.kind === 'int' ? [earlier.value] : []));
  let highest = 0n;
  for (const number of numbers) if (number > highest) highest = number;
  if (!traits.flag) return { kind: 'int', value: highest + 1n };
  return { kind: 'int', value: 1n << BigInt(highest === 0n ? 0 : highest.toString(2).length) };
}

/** A mixed-in int, str or float makes the value one of its own kind. */
function converted(value: Value, mixin: Mixin, of: PythonClass): Value {
  if (mixin === undefined || value.kind === mixin) return value;
  if (mixin === 'str' && value.kind === 'int') return { kind: 'str', value: String(value.value) };
  if (mixin === 'float' && value.kind === 'int') return { kind: 'float', value: Number(value.value) };
  throw new NotKnown(`the values of ${of.statement.name} are converted`);
}

/** The value of `Class.MEMBER`; undefined when it is no member of an enum of the repository. */
export function enumMemberValue(value: Value): Value | undefined {
  if (value.kind !== 'attribute' || value.of.kind !== 'class' || kindOf(value.of.class).kind !== 'enum')
    return undefined;
  return enumMembers(value.of.class).get(value.name);
}

/** `Enum("Color", "RED GREEN")`, a list of names, pairs or a mapping. */
export function functionalEnum(call: CallValue): Type {
  const [name, names] = call.args;
  const given = names ?? call.keywords.get('names');
  if (name?.kind !== 'str' || given === undefined || call.args.length > 2)
    throw new NotKnown('an enum whose members are computed');
  if ([...call.keywords.keys()].some((key) => key !== 'names' && key !== 'module' && key !== 'qualname')) {
    throw new NotKnown('an enum made with options');
  }
  const strings = call.callee.kind === 'external' && call.callee.name === 'enum.StrEnum';
  const members = new Map<string, Value>();
  pairsIn(given).forEach(([member, value], index) => {
    const own: Value = strings
      ? { kind: 'str', value: member.toLowerCase() }
      : { kind: 'int', value: BigInt(index + 1) };
    members.set(member, value ?? own);
  });
  return enumDefinition(name.value, `enum ${name.value}`, members, '');
}

function pairsIn(given: Value): (readonly [string, Value | undefined])[] {
  if (given.kind === 'str')
    return given.value
      .replaceAll(',', ' ')
      .split(' ')
      .filter((word) => word !== '')
      .map((word) => [word, undefined]);
  if (given.kind === 'dict') return given.entries.map(([key, value]) => [textOf(key), value]);
  if (given.kind !== 'list' && given.kind !== 'tuple') throw new NotKnown('an enum whose members are computed');
  return given.items.map((item) => {
    if (item.kind === 'str') return [item.value, undefined];
    if (item.kind !== 'tuple' && item.kind !== 'list') throw new NotKnown('an enum whose members are computed');
    return [textOf(item.items[0]), item.items[1]];
  });
}

function textOf(value: Value | undefined): string {
  if (value?.kind !== 'str') throw new NotKnown('an enum whose members are computed');
  return value.value;
}
