import { isJsonObject, type Json, SpelledNumber } from '@slipway/prefect/json';
import { Document, Scalar, YAMLMap, YAMLSeq } from 'yaml';

/** What to write behind a value; undefined: nothing. @param path keys and indices from the root. */
export type Commentary = (path: readonly (string | number)[]) => string | undefined;

/** A JSON value as YAML that Kubernetes' tools read (1.1: `yes` is quoted), with comments behind its leaves. */
export function yamlText(value: Json, comment: Commentary): string {
  const document = new Document(undefined, { version: '1.1' });
  document.contents = node(value, [], comment) as typeof document.contents;
  document.directives = undefined;
  return document.toString({ lineWidth: 0 });
}

function node(value: Json, path: readonly (string | number)[], comment: Commentary): YAMLMap | YAMLSeq | Scalar {
  if (Array.isArray(value) && value.length > 0) {
    const list = new YAMLSeq();
    for (const [index, item] of value.entries()) list.add(node(item, [...path, index], comment));
    return list;
  }
  if (isJsonObject(value) && Object.keys(value).length > 0) {
    const mapping = new YAMLMap();
    for (const [key, member] of Object.entries(value)) mapping.set(key, node(member, [...path, key], comment));
    return mapping;
  }
  const leaf = Array.isArray(value) ? new YAMLSeq() : isJsonObject(value) ? new YAMLMap() : scalar(value);
  if (!(leaf instanceof Scalar)) leaf.flow = true;
  const text = comment(path);
  if (text !== undefined) leaf.comment = ` ${text}`;
  return leaf;
}

/** Numbers keep their spelling: a large integer its digits, `1.0` its zero. */
function scalar(value: string | number | boolean | null | SpelledNumber): Scalar {
  if (!(value instanceof SpelledNumber)) return new Scalar(value);
  if (/^-?\d+$/.test(value.source)) return new Scalar(BigInt(value.source));
  const number = new Scalar(Number(value.source));
  number.minFractionDigits = /\.(\d+)/.exec(value.source)?.[1]?.length ?? 0;
  return number;
}
