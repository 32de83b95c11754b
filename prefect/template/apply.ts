import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { lookup, NotSet } from './lookup.ts';
import { findPlaceholders, type Placeholder, replacePlaceholders } from './placeholder.ts';
import { pythonStr } from './python-str.ts';

export interface ApplyOptions {
  /** The environment that `{{ $NAME }}` reads; nothing else reads it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * What becomes of a placeholder without a value. `remove`: the key of a mapping goes, inside a text it becomes empty.
   * `keep`: it stays as written.
   */
  readonly missing: 'remove' | 'keep';
  /** Placeholders whose names begin with one of these are left untouched, e.g. `ctx.`. */
  readonly skipPrefixes?: readonly string[];
  /**
   * What becomes of a list item that is one placeholder without a value. `drop`, the default, is Prefect's way in both
   * modes; `keep` leaves it for a later pass (design difference 5).
   */
  readonly wholeMissingListItems?: 'drop' | 'keep';
  /** Told of every standard or environment placeholder without a value, so that the caller can warn. */
  readonly onMissing?: (placeholder: Placeholder) => void;
}

/**
 * Fills the standard and environment placeholders of a template (contracts/deploy.md §1.10 "apply_values",
 * prefect/utilities/templating `apply_values`). A text that is one standard placeholder takes the value with its type;
 * in any other text each placeholder becomes Python's `str()` of its value. Block and variable placeholders are left for
 * `resolveReferences`; keys of mappings are never templated. The text is passed over once: placeholders inside values
 * are not filled (contracts/worker.md §4.5). Neither argument is changed; parts without placeholders may be shared.
 *
 * @returns the filled template, or NotSet when all of it was one placeholder without a value.
 */
export function applyValues(template: JsonObject, values: JsonObject, options: ApplyOptions): JsonObject;
export function applyValues(template: Json[], values: JsonObject, options: ApplyOptions): Json[];
export function applyValues(template: Json, values: JsonObject, options: ApplyOptions): Json | NotSet;
export function applyValues(template: Json, values: JsonObject, options: ApplyOptions): Json | NotSet {
  if (typeof template === 'string') return applyToText(template, values, options);
  if (Array.isArray(template)) return applyToList(template, values, options);
  return isJsonObject(template) ? applyToMapping(template, values, options) : template;
}

function applyToMapping(template: JsonObject, values: JsonObject, options: ApplyOptions): JsonObject {
  const entries: [string, Json][] = [];
  for (const [key, value] of Object.entries(template)) {
    const applied = applyValues(value, values, options);
    if (applied !== NotSet) entries.push([key, applied]);
    else if (options.missing === 'keep') entries.push([key, value]);
  }
  return Object.fromEntries(entries);
}

function applyToList(template: readonly Json[], values: JsonObject, options: ApplyOptions): Json[] {
  const items: Json[] = [];
  for (const item of template) {
    const applied = applyValues(item, values, options);
    if (applied !== NotSet) items.push(applied);
    else if (options.wholeMissingListItems === 'keep') items.push(item);
  }
  return items;
}

function applyToText(text: string, values: JsonObject, options: ApplyOptions): Json | NotSet {
  const placeholders = findPlaceholders(text).filter((placeholder) => !isSkipped(placeholder, options));
  const [first] = placeholders;
  if (first === undefined) return text;
  if (first.kind === 'standard' && first.fullMatch === text) {
    const value = lookup(values, first.name);
    if (value === NotSet) options.onMissing?.(first);
    return value;
  }
  return replacePlaceholders(text, (placeholder) => {
    if (placeholder.kind === 'block' || placeholder.kind === 'variable') return undefined;
    if (isSkipped(placeholder, options)) return undefined;
    const value = valueFor(placeholder, values, options.env);
    if (value !== NotSet) return pythonStr(value);
    options.onMissing?.(placeholder);
    return options.missing === 'remove' ? '' : undefined;
  });
}

function isSkipped(placeholder: Placeholder, options: ApplyOptions): boolean {
  return options.skipPrefixes?.some((prefix) => placeholder.name.startsWith(prefix)) ?? false;
}

function valueFor(placeholder: Placeholder, values: JsonObject, env: ApplyOptions['env']): Json | NotSet {
  if (placeholder.kind === 'standard') return lookup(values, placeholder.name);
  const name = placeholder.name.replace(/^\$+/, '');
  return (Object.hasOwn(env, name) ? env[name] : undefined) ?? NotSet;
}
