import type { JsonObject } from '@slipway/prefect/json';
import type { BuiltImage } from '../image/model.ts';
import type { Entry, StepSpec } from '../project/model.ts';

/** Outputs of the steps so far: flat keys, and a mapping under each step's id (contracts/deploy.md §2.1). */
export type StepOutputs = JsonObject;

/** An entry whose build and push steps have run (or, in plan mode, been foreseen). */
export interface Prepared {
  readonly entry: Entry;
  readonly outputs: StepOutputs;
  /** Images this entry's steps built, in order. */
  readonly images: readonly BuiltImage[];
  /** The pull steps as written that apply to this entry; undefined: none written anywhere. */
  readonly pull: readonly StepSpec[] | undefined;
  /** Outputs that only a deploy can know; in plan mode a field that needs one shows as known at deploy. */
  readonly unknown: readonly string[];
}
