import type { JsonObject } from '@slipway/prefect/json';

/** What an entrypoint says of its flow, read without running it (contracts/deploy.md §3). */
export interface Flow {
  /** The entrypoint as written. */
  readonly entrypoint: string;
  /** The flow's name as Prefect would register it. */
  readonly name: string;
  /** The function's own name, for `-n function/deployment` selection. */
  readonly functionName: string;
  readonly description: string | undefined;
  /** `version=` of the decorator, else the hash of the flow's file; undefined when only the running code knows. */
  readonly version: string | undefined;
  readonly parameters: ParameterSchema;
}

/** A parameter schema, or why it cannot be known without running the code (design.md, difference 15). */
export type ParameterSchema =
  | { readonly kind: 'exact'; readonly schema: JsonObject }
  | ({
      readonly kind: 'approximate';
      readonly reasons: readonly string[];
    } & HonestSchema)
  /** The image that can tell is there at deploy only; for a plan. */
  | ({ readonly kind: 'at deploy' } & HonestSchema);

/** Never stricter than Python's: what could not be known is `{title, position}`. */
interface HonestSchema {
  readonly schema: JsonObject;
  /** False when a decorator may have changed which parameters there are. */
  readonly hasAllNames: boolean;
}
