import jsonpatch from 'fast-json-patch';
import * as z from 'zod';
import { isJsonObject, type Json, type JsonObject, SpelledNumber } from '../json.ts';

const pointer = z.string({ error: 'must be a text such as /job_configuration/job_manifest/spec' });
const value = z.custom<Json>((given) => given !== undefined, 'is missing');

const Operation = z.discriminatedUnion(
  'op',
  [
    z.object({ op: z.literal(['add', 'replace', 'test']), path: pointer, value }),
    z.object({ op: z.literal('remove'), path: pointer }),
    z.object({ op: z.literal(['move', 'copy']), path: pointer, from: pointer }),
  ],
  { error: 'must be one of add, remove, replace, move, copy, test' },
);

/** One operation of a patch that cannot be carried out; the ones before it were, the ones after it were not tried. */
export interface PatchFailure {
  /** Position in the patch, from 0. */
  readonly index: number;
  /** The operation's path, empty when it has none. */
  readonly path: string;
  readonly message: string;
}

export type PatchResult =
  | { readonly ok: true; readonly document: Json }
  | { readonly ok: false; readonly failure: PatchFailure };

/** Carries out a JSON Patch (RFC 6902) on a copy; the spelling of numbers is kept. Never throws for a bad patch. */
export function applyJsonPatch(document: Json, patch: readonly Json[]): PatchResult {
  let current = encoded(document);
  for (const [index, item] of patch.entries()) {
    const parsed = Operation.safeParse(encoded(item));
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const where = issue === undefined || issue.path.length === 0 ? 'it' : `"${issue.path.join('.')}"`;
      return failed(index, item, `is no operation of RFC 6902: ${where} ${issue?.message ?? 'is wrong'}`);
    }
    try {
      current = jsonpatch.applyOperation(current, parsed.data, true, true, true, index).newDocument;
    } catch (error) {
      return failed(index, item, explain(error, parsed.data.op));
    }
  }
  return { ok: true, document: decoded(current) };
}

function failed(index: number, item: Json, message: string): PatchResult {
  const path = isJsonObject(item) && typeof item.path === 'string' ? item.path : '';
  return { ok: false, failure: { index, path, message } };
}

const REASONS: Readonly<Record<string, string>> = {
  OPERATION_PATH_INVALID: 'the path must be empty or begin with "/"',
  OPERATION_PATH_CANNOT_ADD: 'what should contain it does not exist: add its parents first',
  OPERATION_PATH_UNRESOLVABLE: 'there is nothing at this path',
  OPERATION_FROM_UNRESOLVABLE: 'there is nothing at "from"',
  OPERATION_PATH_ILLEGAL_ARRAY_INDEX: 'an item of a list is named by its number, or "-" for the end',
  OPERATION_VALUE_OUT_OF_BOUNDS: 'the list is not that long',
  TEST_OPERATION_FAILED: 'the value at this path is another one than the test expects',
};

/** The library's messages repeat the whole template; only their name is used. */
function explain(error: unknown, op: string): string {
  const name = error instanceof Error ? error.name : '';
  if (op === 'add' && name === 'OPERATION_PATH_UNRESOLVABLE') return 'what should contain it is no mapping and no list';
  return REASONS[name] ?? 'this path is not allowed';
}

/** The library clones by way of JSON text, which would lose how numbers are spelt: they travel as marked texts. */
const MARK = '\u0000number ';

function encoded(json: Json): Json {
  if (json instanceof SpelledNumber) return MARK + json.source;
  if (Array.isArray(json)) return json.map(encoded);
  return isJsonObject(json) ? mapValues(json, encoded) : json;
}

function decoded(json: Json): Json {
  if (typeof json === 'string' && json.startsWith(MARK)) return new SpelledNumber(json.slice(MARK.length));
  if (Array.isArray(json)) return json.map(decoded);
  return isJsonObject(json) ? mapValues(json, decoded) : json;
}

function mapValues(mapping: JsonObject, change: (value: Json) => Json): JsonObject {
  return Object.fromEntries(Object.entries(mapping).map(([key, member]) => [key, change(member)]));
}
