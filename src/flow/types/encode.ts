import { type Json, type JsonObject, SpelledNumber } from '@slipway/prefect/json';
import { floatRepr } from '@slipway/prefect/template';
import { spend } from '../effort.ts';
import { type CallValue, sameValue, type Value, whyUnknown } from '../value.ts';
import { encodeExternalCall } from './external-values.ts';
import { NotKnown } from './type.ts';

/**
 * A value as pydantic writes it into JSON (pydantic_core's serializer in JSON mode). `undefined`: it cannot, and
 * leaves the default out of the schema.
 */
export type Encoded = Json | undefined;

/** Encodes what only the class knows how to write: instances, enum members. */
export type EncodeInstance = (value: Value) => Encoded;

/**
 * Encodes a value.
 *
 * @throws NotKnown when only the running code knows the value.
 */
export function encodeValue(value: Value, instance: EncodeInstance): Encoded {
  if (!spend()) throw new NotKnown('a value without end');
  const inner = (item: Value): Encoded => encodeValue(item, instance);
  switch (value.kind) {
    case 'none':
      return null;
    case 'bool':
    case 'str':
      return value.value;
    case 'int':
      return encodeInt(value.value);
    case 'float':
      return encodeFloat(value.value);
    case 'complex':
      return `${floatRepr(value.imaginary).replace(/\.0$/, '')}j`;
    case 'bytes':
      return decodeUtf8(value.value);
    case 'list':
    case 'tuple':
      return encodeList(value.items.map(inner));
    case 'set':
    case 'frozenset':
      return encodeList(sortedSet(value.items).map(inner));
    case 'dict':
      return encodeDict(value.entries, instance);
    case 'external':
      return encodeExternal(value.name);
    case 'call':
      return encodeCall(value, instance);
    case 'class':
    case 'attribute':
      return instance(value);
    case 'function':
      if (value.function.statement.decorators.length > 0)
        throw new NotKnown(`what became of ${value.function.statement.name}`);
      return undefined;
    case 'lambda':
    case 'module':
    case 'namespace':
    case 'ellipsis':
    case 'union':
    case 'alias':
      return undefined;
    case 'subscript':
      return encodeSubscript(value.of);
    case 'unknown':
    case 'undefined':
      throw new NotKnown(whyUnknown(value) ?? 'a value');
  }
}

function encodeInt(value: bigint): Json {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : new SpelledNumber(String(value));
}

/** As Python writes it, `1.0` and not `1`; JSON has no infinity: such a default is left out. */
function encodeFloat(value: number): Encoded {
  if (!Number.isFinite(value)) return undefined;
  const text = floatRepr(value);
  return text === String(value) ? value : new SpelledNumber(text);
}

/** One character per byte in, text out; undefined when the bytes are no UTF-8. */
function decodeUtf8(bytes: string): string | undefined {
  const raw = Uint8Array.from(bytes, (character) => character.charCodeAt(0));
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw);
  } catch {
    return undefined;
  }
}

function encodeList(items: readonly Encoded[]): Encoded {
  const known = items.filter((item): item is Json => item !== undefined);
  return known.length === items.length ? known : undefined;
}

/** Pydantic sorts what can be sorted; a set of mixed items has no order anybody could foresee. */
function sortedSet(items: readonly Value[]): readonly Value[] {
  const unique = items.filter((item, index) => items.findIndex((other) => sameValue(item, other)) === index);
  if (unique.length < 2) return unique;
  if (unique.every((item) => item.kind === 'str')) {
    return unique.toSorted((a, b) => (a.kind === 'str' && b.kind === 'str' && a.value < b.value ? -1 : 1));
  }
  if (unique.every((item) => item.kind === 'int' || item.kind === 'float')) {
    return unique.toSorted((a, b) => numeric(a) - numeric(b));
  }
  throw new NotKnown('the order of a set');
}

function numeric(value: Value): number {
  return value.kind === 'int' || value.kind === 'float' ? Number(value.value) : 0;
}

function encodeDict(entries: readonly (readonly [Value, Value])[], instance: EncodeInstance): Encoded {
  const out: JsonObject = {};
  for (const [key, value] of entries) {
    const encoded = encodeValue(value, instance);
    const name = encodeKey(encodeValue(key, instance), key);
    if (encoded === undefined || name === undefined) return undefined;
    out[name] = encoded;
  }
  return out;
}

function encodeKey(key: Encoded, value: Value): string | undefined {
  if (typeof key === 'string') return key;
  if (value.kind === 'none') return 'None';
  if (value.kind === 'int') return String(value.value);
  throw new NotKnown('how a dict key is written');
}

function encodeExternal(name: string): Encoded {
  const isModule = !name.includes('.');
  if (isModule || name.startsWith('builtins.') || name.startsWith('typing.')) return undefined;
  throw new NotKnown(`the value of ${name}`);
}

/** `list[int]` is an object nobody can write; an item of anything else is not known. */
function encodeSubscript(of: Value): Encoded {
  if (of.kind === 'external' && (of.name.startsWith('typing.') || of.name.startsWith('builtins.'))) return undefined;
  throw new NotKnown('an item of an object');
}

function encodeCall(call: CallValue, instance: EncodeInstance): Encoded {
  if (call.callee.kind === 'external') {
    const known = encodeExternalCall(call.callee.name, call);
    if (known !== 'unknown') return known;
    throw new NotKnown(`what ${call.callee.name}(…) returns`);
  }
  return instance(call);
}
