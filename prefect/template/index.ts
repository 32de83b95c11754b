/** Prefect's template language: placeholders in `prefect.yaml`, base job templates and job variables. */
export { type ApplyOptions, applyValues } from './apply.ts';
export { lookup, NotSet } from './lookup.ts';
export { findPlaceholders, type Placeholder, type PlaceholderKind, unresolved } from './placeholder.ts';
export { floatRepr, pythonStr } from './python-str.ts';
export { isTruthy } from './python-truth.ts';
export {
  type ReferenceReaders,
  type ResolveOptions,
  readOnce,
  resolveReferences,
  TemplateError,
  type TemplateErrorReason,
} from './references.ts';
