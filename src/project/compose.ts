import { type Alias, isAlias, isMap, isScalar, type ParsedNode, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml';
import { Problem, throwIfAny } from '../problem.ts';
import type { Position } from './model.ts';
import type { YamlNode, YamlPair, YamlScalar } from './nodes.ts';
import { type BadScalar, readScalar, type ScalarValue } from './scalars.ts';

/** How many values aliases and merges may add to what is written; a hostile file multiplies a few lines by millions. */
const MAX_EXPANSION = 100_000;

export const SYNTAX_REMEDY = 'Mend the YAML here; the Prefect CLI would skip the whole file.';

/** Turns the library's nodes into ours, in document order, so that an alias finds the last anchor before it. */
export class Composer {
  readonly #at: (offset: number) => Position;
  /** The source's length when its last line has text and no line end; else -1. */
  readonly #unendedAt: number;
  readonly #anchors = new Map<string, ParsedNode>();
  readonly #composed = new Map<ParsedNode, YamlNode>();
  readonly #open = new Set<ParsedNode>();
  readonly #problems: Problem[] = [];
  #added = 0;

  /**
   * @param at the place of an offset in the source.
   * @param source the text that was parsed.
   */
  constructor(at: (offset: number) => Position, source: string) {
    this.#at = at;
    this.#unendedAt = /\S[^\n]*$/.test(source) ? source.length : -1;
  }

  compose(contents: ParsedNode): YamlNode {
    const root = this.#node(contents);
    throwIfAny(this.#problems);
    this.#refuseBomb(root);
    return root;
  }

  #node(node: ParsedNode): YamlNode {
    const where = this.#at(node.range[0]);
    if (isAlias(node)) return this.#alias(node, where);
    const known = this.#composed.get(node);
    if (known !== undefined) return known;
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    this.#open.add(node);
    const made = this.#collectionOrScalar(node, where);
    this.#open.delete(node);
    this.#composed.set(node, made);
    return made;
  }

  #collectionOrScalar(node: Exclude<ParsedNode, Alias.Parsed>, where: Position): YamlNode {
    if (isScalar(node)) return this.#scalar(node, where);
    return isMap(node) ? this.#map(node, where) : this.#list(node, where);
  }

  #alias(node: Alias.Parsed, where: Position): YamlNode {
    const target = this.#anchors.get(node.source);
    if (target === undefined) {
      return this.#refuse(`the alias *${node.source} has no anchor &${node.source} before it`, where);
    }
    if (this.#open.has(target)) return this.#refuse(`the alias *${node.source} stands inside its own anchor`, where);
    return this.#node(target);
  }

  #scalar(node: Scalar.Parsed, where: Position): YamlNode {
    const content = this.#read(node);
    switch (content.type) {
      case 'bad':
        return this.#refuse(content.reason, where);
      case 'merge':
      case 'value':
        return this.#refuse(`a bare ${content.value} is no value in YAML 1.1; put it in quotes`, where);
      default:
        return { kind: 'scalar', content, source: node.source, where };
    }
  }

  #read(node: Scalar.Parsed): ScalarValue | BadScalar {
    const isBlock = node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED';
    // The library ends a block text with a newline that the file itself may lack; PyYAML does not.
    const isUnended = isBlock && node.range[1] === this.#unendedAt;
    const source = isUnended ? node.source.replace(/\n$/, '') : node.source;
    return readScalar(source, node.type === 'PLAIN' || node.type === undefined, node.tag);
  }

  #map(node: YAMLMap.Parsed, where: Position): YamlNode {
    const tag = shortTag(node.tag) ?? 'map';
    if (tag !== 'map' && tag !== 'set') return this.#refuse(`the tag ${node.tag ?? ''} does not fit a mapping`, where);
    const merged: YamlPair[] = [];
    const own: YamlPair[] = [];
    for (const { key, value } of node.items) {
      const isMerge = isScalar(key) && this.#read(key).type === 'merge';
      const written = isMerge ? undefined : this.#key(key);
      const made: YamlNode = value === null ? emptyAt(written?.where ?? where) : this.#node(value);
      if (isMerge) merged.push(...this.#mergeSource(made));
      else if (written !== undefined) own.push({ key: written, value: made });
    }
    this.#spend(merged.length, where);
    const entries = new Map([...merged, ...own].map((pair) => [keyText(pair.key), pair]));
    if (tag === 'map') return { kind: 'map', entries, where };
    return { kind: 'list', items: [...entries.values()].map((pair) => pair.key), where };
  }

  /** What `<<` brings in: later sources of a list give way to earlier ones, and all to the mapping's own keys. */
  #mergeSource(source: YamlNode): YamlPair[] {
    if (source.kind === 'map') return [...source.entries.values()];
    if (source.kind === 'list' && source.items.every((item) => item.kind === 'map')) {
      return source.items.toReversed().flatMap((item) => [...item.entries.values()]);
    }
    this.#refuse('`<<` merges a mapping or a list of mappings', source.where);
    return [];
  }

  #key(node: ParsedNode | null): YamlScalar | undefined {
    if (node === null) return undefined;
    // `=` is text as a key; `<<` was taken for a merge before.
    if (isScalar(node) && this.#read(node).type === 'value') {
      return {
        kind: 'scalar',
        content: { type: 'text', value: '=' },
        source: node.source,
        where: this.#at(node.range[0]),
      };
    }
    const key = this.#node(node);
    if (key.kind === 'scalar') return key;
    this.#refuse('a list or mapping cannot be a key', key.where);
    return undefined;
  }

  #list(node: YAMLSeq.Parsed, where: Position): YamlNode {
    const tag = shortTag(node.tag) ?? 'seq';
    if (tag === 'seq') {
      return { kind: 'list', items: node.items.map((item) => this.#node(item as ParsedNode)), where };
    }
    if (tag !== 'omap' && tag !== 'pairs') return this.#refuse(`the tag ${node.tag ?? ''} does not fit a list`, where);
    const pairs = node.items.map((item): YamlNode => {
      const only = this.#node(item as ParsedNode);
      const pair = only.kind === 'map' && only.entries.size === 1 ? [...only.entries.values()][0] : undefined;
      if (pair === undefined) return this.#refuse(`each item of !!${tag} is a mapping with one key`, only.where);
      return { kind: 'list', items: [pair.key, pair.value], where: only.where };
    });
    return { kind: 'list', items: pairs, where };
  }

  #refuse(reason: string, where: Position): YamlScalar {
    this.#problems.push(new Problem(`${where.file}: ${reason}`, { remedy: SYNTAX_REMEDY, where }));
    return emptyAt(where);
  }

  #spend(values: number, where: Position): void {
    this.#added += values;
    if (this.#added > MAX_EXPANSION) throw tooMany(where);
  }

  /** Counts what aliases would expand to, and how deep, without expanding them. */
  #refuseBomb(root: YamlNode): void {
    const measured = new Map<YamlNode, { readonly size: number; readonly depth: number }>();
    const measure = (node: YamlNode): { readonly size: number; readonly depth: number } => {
      const known = measured.get(node);
      if (known !== undefined) return known;
      let size = 1;
      let depth = 1;
      for (const inner of childrenOf(node).map(measure)) {
        size += inner.size;
        depth = Math.max(depth, inner.depth + 1);
      }
      measured.set(node, { size, depth });
      return { size, depth };
    };
    const { size, depth } = measure(root);
    if (size - measured.size > MAX_EXPANSION) throw tooMany(root.where);
    if (depth > MAX_DEPTH) throw tooDeep(root.where);
  }
}

/** Beyond this Python's own stack would not do either, and no prefect.yaml comes near it. */
const MAX_DEPTH = 200;

/** The refusal of a file whose nesting no stack can hold. */
export function tooDeep(where: Position, cause?: unknown): Problem {
  return new Problem(`${where.file} is nested too deeply`, {
    remedy: 'Flatten the nested lists or mappings.',
    where,
    cause,
  });
}

function tooMany(where: Position): Problem {
  return new Problem(`${where.file}: aliases and merges expand to more than ${MAX_EXPANSION} values`, {
    remedy: 'Write out what you need instead of nesting aliases in aliases.',
    where,
  });
}

function childrenOf(node: YamlNode): YamlNode[] {
  if (node.kind === 'map') return [...node.entries.values()].map((pair) => pair.value);
  return node.kind === 'list' ? [...node.items] : [];
}

function emptyAt(where: Position): YamlScalar {
  return { kind: 'scalar', content: { type: 'null', value: null }, source: '', where };
}

/** A key as pydantic dumps it: `True` is `true`, None is `None`, numbers as Python prints them. */
function keyText(key: YamlScalar): string {
  const { type, value } = key.content;
  if (value === null) return 'None';
  return type === 'text' ? value : JSON.stringify(value).replaceAll('"', '');
}

/** `set` for `!!set`; undefined for no tag and for the non-specific `!`. */
function shortTag(tag: string | undefined): string | undefined {
  return tag === '!' ? undefined : tag?.replace('tag:yaml.org,2002:', '');
}
