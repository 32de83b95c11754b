import type { Json } from '@slipway/prefect/json';
import type { Position } from './model.ts';
import type { ScalarValue } from './scalars.ts';

/**
 * A YAML document as PyYAML would construct it, with the place of every value and key. Aliases share the node they
 * stand for, so a file stays as small in memory as it is on disk; what walks it must expect to meet a node twice.
 */
export type YamlNode = YamlScalar | YamlList | YamlMap;

export interface YamlScalar {
  readonly kind: 'scalar';
  readonly content: Exclude<ScalarValue, { type: 'merge' | 'value' }>;
  /** The text as written, without quotes. */
  readonly source: string;
  readonly where: Position;
}

/** A sequence, a `!!set` (its members) or a `!!omap`/`!!pairs` (lists of two). */
export interface YamlList {
  readonly kind: 'list';
  readonly items: readonly YamlNode[];
  readonly where: Position;
}

export interface YamlMap {
  readonly kind: 'map';
  /** By the key's text as Prefect dumps it (contracts/deploy.md, "Seen on 3.8.8" 4); `key.where` is the key's place. */
  readonly entries: ReadonlyMap<string, YamlPair>;
  readonly where: Position;
}

export interface YamlPair {
  readonly key: YamlScalar;
  readonly value: YamlNode;
}

/**
 * A date or time that was written without quotes: an object in Python, so no text where text is asked for, and its
 * text wherever anything goes.
 */
export class YamlDate {
  readonly text: string;
  readonly hasTime: boolean;

  constructor(text: string, hasTime: boolean) {
    this.text = text;
    this.hasTime = hasTime;
  }
}

/** The value as JSON, as pydantic dumps it in JSON mode: dates as text (contracts/deploy.md §1.1.5). */
export function toJson(node: YamlNode): Json {
  switch (node.kind) {
    case 'scalar':
      return node.content.value;
    case 'list':
      return node.items.map(toJson);
    case 'map':
      // fromEntries defines own keys, so `__proto__` is a key like any other.
      return Object.fromEntries([...node.entries].map(([key, pair]) => [key, toJson(pair.value)]));
  }
}

/** The value for validation: as toJson, with dates as YamlDate, so that they can be told from text. */
export function toPlain(node: YamlNode): unknown {
  switch (node.kind) {
    case 'scalar': {
      const { type, value } = node.content;
      return type === 'date' || type === 'datetime' ? new YamlDate(value, type === 'datetime') : value;
    }
    case 'list':
      return node.items.map(toPlain);
    case 'map':
      return Object.fromEntries([...node.entries].map(([key, pair]) => [key, toPlain(pair.value)]));
  }
}

/** The value under a key of a mapping; undefined when it is no mapping or has no such key. */
export function child(node: YamlNode | undefined, key: string): YamlNode | undefined {
  return node?.kind === 'map' ? node.entries.get(key)?.value : undefined;
}

/** True for an explicit or implicit null. */
export function isNull(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.content.type === 'null';
}

/**
 * The node at a path, or the nearest one above it that exists, and where to point: at the key when the last step is
 * a mapping's key, else at the value.
 */
export function locate(root: YamlNode, path: readonly PropertyKey[]): { node: YamlNode; where: Position } {
  let found = { node: root, where: root.where };
  for (const step of path) {
    if (found.node.kind === 'map') {
      const pair = found.node.entries.get(String(step));
      if (pair === undefined) break;
      found = { node: pair.value, where: pair.key.where };
    } else if (found.node.kind === 'list') {
      const item = found.node.items[Number(step)];
      if (item === undefined) break;
      found = { node: item, where: item.where };
    } else break;
  }
  return found;
}

/** Where each key and list item below a node stands, by dotted path: `work_pool.job_variables.image`, `triggers.0`. */
export function positionsOf(root: YamlNode): Map<string, Position> {
  const positions = new Map<string, Position>();
  const walk = (node: YamlNode, prefix: string): void => {
    if (node.kind === 'map') {
      for (const [key, pair] of node.entries) {
        positions.set(`${prefix}${key}`, pair.key.where);
        walk(pair.value, `${prefix}${key}.`);
      }
    } else if (node.kind === 'list') {
      for (const [index, item] of node.items.entries()) {
        positions.set(`${prefix}${index}`, item.where);
        walk(item, `${prefix}${index}.`);
      }
    }
  };
  walk(root, '');
  return positions;
}
