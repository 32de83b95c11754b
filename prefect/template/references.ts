import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { lookup, NotSet } from './lookup.ts';
import {
  BLOCK_PREFIX,
  findPlaceholders,
  type Placeholder,
  type PlaceholderKind,
  replacePlaceholders,
  VARIABLE_PREFIX,
  wholePlaceholder,
} from './placeholder.ts';
import { pythonStr } from './python-str.ts';

/** Why a reference in a template cannot be filled in. */
export type TemplateErrorReason =
  | 'block-not-found'
  | 'block-path-not-found'
  | 'malformed-block-name'
  | 'malformed-ref'
  | 'structure-inside-text';

/** A reference that cannot be filled in; the message names the reference, says why and what to do, never a value. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  readonly reason: TemplateErrorReason;
  /** The placeholder as written, or the id of a `$ref`. */
  readonly reference: string;

  constructor(reason: TemplateErrorReason, reference: string, message: string) {
    super(message);
    this.reason = reason;
    this.reference = reference;
  }
}

/**
 * How references are read. Each answers undefined for "there is no such thing"; every other failure is thrown and
 * passes through. Deadlines and retries are the reader's.
 */
export interface ReferenceReaders {
  /** The `data` of `GET /block_types/slug/{slug}/block_documents/name/{name}?include_secrets=true`. */
  readonly readBlockDocument: (typeSlug: string, name: string) => Promise<JsonObject | undefined>;
  /** The `data` of `GET /block_documents/{id}?include_secrets=true`. */
  readonly readBlockDocumentById: (id: string) => Promise<JsonObject | undefined>;
  /** The `value` of `GET /variables/name/{name}`. */
  readonly readVariable: (name: string) => Promise<Json | undefined>;
}

/**
 * Readers that ask once for each document and variable, also when it is asked for again before the answer has come. For
 * as long as nothing runs that might change one.
 */
export function readOnce(readers: ReferenceReaders): ReferenceReaders {
  const byName = once((key: string) => {
    const [slug = '', ...name] = key.split('/');
    return readers.readBlockDocument(slug, name.join('/'));
  });
  return {
    readBlockDocument: (slug, name) => byName(`${slug}/${name}`),
    readBlockDocumentById: once(readers.readBlockDocumentById),
    readVariable: once(readers.readVariable),
  };
}

export interface ResolveOptions {
  /** Told of every text that comes out of a block, so that it can be masked wherever it may be printed. */
  readonly onSecret?: (text: string) => void;
}

/**
 * Fills block references, then variables (contracts/deploy.md §1.10 "Blocks", "Variables", worker.md §4.5,
 * prefect/utilities/templating `resolve_block_document_references`, `resolve_variables`). The second phase goes over
 * the result of the first, so a variable placeholder that came out of a block is filled too. A document or variable is
 * read once in one call. A variable that does not exist becomes an empty text. The template is not changed.
 *
 * @throws TemplateError for a block, a path in it or a `$ref` that does not exist, and for a mapping or list within text.
 */
export async function resolveReferences(
  template: Json,
  readers: ReferenceReaders,
  options: ResolveOptions = {},
): Promise<Json> {
  const reading = readOnce(readers);
  const blocks = new Blocks(reading, options.onSecret ?? (() => undefined));
  const withBlocks = await resolveBlocks(template, blocks);
  return await resolveVariables(withBlocks, async (name) => {
    const value = await reading.readVariable(name);
    return value === undefined ? '' : value;
  });
}

async function resolveBlocks(template: Json, blocks: Blocks): Promise<Json> {
  if (typeof template === 'string')
    return await fillText(template, 'block', (placeholder) => blocks.value(placeholder));
  if (Array.isArray(template)) return await eachItem(template, (item) => resolveBlocks(item, blocks));
  if (!isJsonObject(template)) return template;
  const id = blockDocumentId(template);
  return id === undefined ? await eachMember(template, (value) => resolveBlocks(value, blocks)) : await blocks.byId(id);
}

async function resolveVariables(template: Json, read: (name: string) => Promise<Json>): Promise<Json> {
  if (typeof template === 'string') {
    return await fillText(template, 'variable', ({ name }) => read(name.replaceAll(VARIABLE_PREFIX, '')));
  }
  if (Array.isArray(template)) return await eachItem(template, (item) => resolveVariables(item, read));
  return isJsonObject(template) ? await eachMember(template, (value) => resolveVariables(value, read)) : template;
}

/** Fills the placeholders of one kind in a text: typed when it is the whole text, Python's `str()` otherwise. */
async function fillText(
  text: string,
  kind: PlaceholderKind,
  read: (placeholder: Placeholder) => Promise<Json>,
): Promise<Json> {
  const whole = wholePlaceholder(text);
  if (whole?.kind === kind) return await read(whole);
  const texts = new Map<string, string>();
  for (const placeholder of findPlaceholders(text)) {
    if (placeholder.kind !== kind || texts.has(placeholder.fullMatch)) continue;
    const value = await read(placeholder);
    if (kind === 'block' && typeof value === 'object' && (Array.isArray(value) || isJsonObject(value))) {
      throw structureInsideText(placeholder, value);
    }
    texts.set(placeholder.fullMatch, pythonStr(value));
  }
  return replacePlaceholders(text, ({ fullMatch }) => texts.get(fullMatch));
}

/** The id in `{"$ref": {"block_document_id": id}}`; undefined when the mapping is no such reference. */
function blockDocumentId(template: JsonObject): string | undefined {
  if (!Object.hasOwn(template, '$ref')) return undefined;
  const ref = template.$ref;
  const id = isJsonObject(ref) ? (ref.block_document_id ?? null) : ref;
  if (isJsonObject(ref) && (typeof id === 'string' || id === null)) return id === null || id === '' ? undefined : id;
  throw new TemplateError(
    'malformed-ref',
    '$ref',
    'A "$ref" must be a mapping that names a block document, as Prefect reads nothing else here. ' +
      'Write {"$ref": {"block_document_id": "<id of the block document>"}}.',
  );
}

/** Reads block documents and takes values out of them. */
class Blocks {
  readonly #readers: ReferenceReaders;
  readonly #onSecret: (text: string) => void;

  constructor(readers: ReferenceReaders, onSecret: (text: string) => void) {
    this.#readers = readers;
    this.#onSecret = onSecret;
  }

  /** The whole data of a document; unlike a placeholder, a `$ref` does not unwrap a lone `value`. */
  async byId(id: string): Promise<Json> {
    const data = await this.#readers.readBlockDocumentById(id);
    if (data === undefined) {
      throw new TemplateError(
        'block-not-found',
        id,
        `There is no block document with the id ${id}, which is referenced here. It may have been deleted: ` +
          'save the block again and use its new id, or take the reference out.',
      );
    }
    return this.#reveal(data);
  }

  /** The value that `prefect.blocks.<type slug>.<document name>[.<path>]` means. */
  async value(placeholder: Placeholder): Promise<Json> {
    const [typeSlug = '', name = '', ...rest] = placeholder.name.replaceAll(BLOCK_PREFIX, '').split('.');
    if (typeSlug === '' || name === '') {
      throw new TemplateError(
        'malformed-block-name',
        placeholder.fullMatch,
        `${placeholder.fullMatch} does not name a block. ` +
          'Write {{ prefect.blocks.<block type slug>.<block document name> }}.',
      );
    }
    const data = await this.#readers.readBlockDocument(typeSlug, name);
    if (data === undefined) {
      throw new TemplateError(
        'block-not-found',
        placeholder.fullMatch,
        `There is no block "${name}" of type "${typeSlug}", which ${placeholder.fullMatch} refers to. ` +
          'Create it, correct the name, or take the reference out.',
      );
    }
    return this.#reveal(rest.length === 0 ? unwrapped(data) : this.#at(data, rest.join('.'), placeholder));
  }

  #at(data: JsonObject, path: string, placeholder: Placeholder): Json {
    const value = lookup(/^value(?:$|[.[])/.test(path) ? data : unwrapped(data), path);
    if (value !== NotSet) return value;
    throw new TemplateError(
      'block-path-not-found',
      placeholder.fullMatch,
      `The block that ${placeholder.fullMatch} refers to has nothing at "${path}". ` +
        'Correct the part after the block name, or leave it out to get the whole block.',
    );
  }

  #reveal(value: Json): Json {
    for (const text of textsOf(value)) this.#onSecret(text);
    return value;
  }
}

/** A document with nothing but `value` (Secret, JSON, String, …) stands for that value. */
function unwrapped(data: JsonObject): Json {
  const { value } = data;
  return value !== undefined && Object.keys(data).length === 1 ? value : data;
}

function structureInsideText(placeholder: Placeholder, value: Json): TemplateError {
  return new TemplateError(
    'structure-inside-text',
    placeholder.fullMatch,
    `${placeholder.fullMatch} is a ${Array.isArray(value) ? 'list' : 'mapping'} and stands inside a longer text, ` +
      'where only a single value can be put. Add the path to one of its values, or let it be the whole text.',
  );
}

function* textsOf(value: Json): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (Array.isArray(value)) for (const item of value) yield* textsOf(item);
  else if (isJsonObject(value)) for (const member of Object.values(value)) yield* textsOf(member);
}

/** The same function, asked once for each argument. */
function once<T>(read: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (key) => {
    const answer = answers.get(key) ?? read(key);
    answers.set(key, answer);
    return answer;
  };
}

/** One after the other, so that the first error in reading order is the one reported. */
async function eachItem(items: readonly Json[], resolve: (item: Json) => Promise<Json>): Promise<Json[]> {
  const resolved: Json[] = [];
  for (const item of items) resolved.push(await resolve(item));
  return resolved;
}

async function eachMember(mapping: JsonObject, resolve: (value: Json) => Promise<Json>): Promise<JsonObject> {
  const resolved: [string, Json][] = [];
  for (const [key, value] of Object.entries(mapping)) resolved.push([key, await resolve(value)]);
  return Object.fromEntries(resolved);
}
