import { isJsonObject, type Json, type JsonObject } from '@slipway/prefect/json';
import { unresolved } from '@slipway/prefect/template';
import { KNOWN_AT_DEPLOY } from './foresight.ts';
import type { StepRun } from './model.ts';

/** Outputs that are inputs handed on (contracts/deploy.md §2.9), by the end of the function's name. */
const HANDED_ON: readonly (readonly [RegExp, readonly string[]])[] = [
  [/\.(?:push_to_s3|pull_from_s3|push_to_gcs|pull_from_gcs)$/, ['bucket', 'folder']],
  [/\.(?:push_to_azure_blob_storage|pull_from_azure_blob_storage)$/, ['container', 'folder']],
];

/** Names that are filled in elsewhere, or later, whatever a step returns. */
const OTHERS = ['ctx', 'event', 'slipway'];

/** The inputs of a step that its outputs in plan mode hang on; the rest, with what may be secret in it, is not needed. */
export function inputsHandedOn(functionName: string): readonly string[] {
  return HANDED_ON.find(([ending]) => ending.test(functionName))?.[1] ?? [];
}

/**
 * What a step that is not run in plan mode may give to others: nobody can tell from outside, so everything that a later
 * step or the deployment reads, under the step's id or by a name that no other step has, is known at deploy.
 */
export function foreseenOutputs(step: StepRun): JsonObject {
  const outputs: JsonObject = {};
  for (const name of inputsHandedOn(step.step.function)) {
    const value = step.inputs[name];
    if (value !== undefined) outputs[name] = value;
  }
  const ids = [...step.following.map(({ id }) => id), ...OTHERS];
  for (const [first, ...rest] of readLater(step).map(partsOf)) {
    if (first === undefined) continue;
    if (first === step.step.id) setUnknown(outputs, rest);
    else if (!ids.includes(first) && !Object.hasOwn(step.outputs, first)) setUnknown(outputs, [first, ...rest]);
  }
  return outputs;
}

function readLater(step: StepRun): string[] {
  const { name = null, settings } = step.entry;
  const steps = [...step.following, ...(step.pull ?? [])].map(({ inputs }) => inputs);
  return unresolved([name, settings, ...steps]);
}

/** `a.b[0].c` as a lookup reads it. */
function partsOf(path: string): string[] {
  return path.replaceAll('[', '.').replaceAll(']', '').split('.');
}

/** Puts the mark where a path leads, through mappings and lists that it makes on the way. */
function setUnknown(outputs: JsonObject, path: readonly string[]): void {
  const [part, ...rest] = path;
  if (part === undefined || part === '') return;
  outputs[part] = withUnknown(outputs[part], rest);
}

function withUnknown(value: Json | undefined, path: readonly string[]): Json {
  const [part, ...rest] = path;
  if (part === undefined) return value ?? KNOWN_AT_DEPLOY;
  if (/^\d{1,3}$/.test(part)) {
    const items = Array.isArray(value) ? [...value] : [];
    while (items.length <= Number(part)) items.push(KNOWN_AT_DEPLOY);
    items[Number(part)] = withUnknown(items[Number(part)], rest);
    return items;
  }
  const members = isJsonObject(value) ? { ...value } : {};
  members[part] = withUnknown(members[part], rest);
  return members;
}
