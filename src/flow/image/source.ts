import type { ParameterSchema } from '../model.ts';
import type { CodePlace } from './model.ts';

/** The input `schema`: where parameter schemas come from (design.md, "Interface of the action"). */
export type SchemaPolicy = 'auto' | 'static' | 'image';

/** Where one deployment's schema comes from. */
export type SchemaSource =
  /** What was read from the source. */
  | { readonly from: 'source' }
  | { readonly from: 'image'; readonly place: Extract<CodePlace, { kind: 'image' }> }
  /** The image is there at deploy only; a plan cannot ask it. */
  | { readonly from: 'image at deploy' }
  /** An image was wanted and there is none to ask. */
  | { readonly from: 'nowhere'; readonly why: string };

/** The decision, pure: `auto` asks an image only for what the source does not say exactly. */
export function schemaSource(
  policy: SchemaPolicy,
  read: ParameterSchema['kind'],
  place: CodePlace,
  mode: 'plan' | 'deploy',
): SchemaSource {
  if (policy === 'static' || (policy === 'auto' && read === 'exact')) return { from: 'source' };
  if (place.kind === 'elsewhere') return { from: 'nowhere', why: place.why };
  return mode === 'plan' ? { from: 'image at deploy' } : { from: 'image', place };
}
