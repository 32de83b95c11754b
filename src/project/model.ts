import type { Json, JsonObject } from '@slipway/prefect/json';

/** A place in one of the user's files; line and column count from 1. */
export interface Position {
  /** Path relative to the repository's root, with forward slashes, as GitHub's annotations want it. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One step of `build`, `push` or `pull`: `{fully.qualified.function: inputs}` (contracts/deploy.md §2.1). */
export interface StepSpec {
  /** The fully qualified Python name, e.g. `prefect.deployments.steps.run_shell_script`. */
  readonly function: string;
  /** Inputs as written, placeholders and all, without `id` and `requires`. */
  readonly inputs: JsonObject;
  readonly id: string | undefined;
  /** Pip specifiers the step wants importable, as written. */
  readonly requires: readonly string[];
  /** The whole step as written, `{function: inputs}`: what a pull step is sent as, after templating. */
  readonly raw: JsonObject;
  readonly where: Position;
}

/**
 * The steps of one phase. `absent` and `null` inherit from the top level where the contract says so, a list (also
 * an empty one) does not (contracts/deploy.md §1.6).
 */
export type StepList =
  | { readonly kind: 'absent' }
  | { readonly kind: 'null'; readonly where: Position }
  | { readonly kind: 'list'; readonly steps: readonly StepSpec[]; readonly where: Position };

/** What a deployment entry may say; keys that are not written are not there. */
export interface Entry {
  /** As written, untemplated; undefined when the entry has none. */
  readonly name: string | undefined;
  readonly entrypoint: string | undefined;
  readonly build: StepList;
  readonly push: StepList;
  readonly pull: StepList;
  /**
   * Every other key of the deployment as a plain JSON value, placeholders and all: version, version_type, tags,
   * description, schedule(s), paused, concurrency_limit, parameters, enforce_parameter_schema, work_pool, triggers, sla.
   * YAML's null stays null. Tags are a list of text already.
   */
  readonly settings: JsonObject;
  /** Where the entry begins, and where each of its keys stands (dotted path: `work_pool.job_variables.image`). */
  readonly where: Position;
  readonly positions: ReadonlyMap<string, Position>;
}

/** One entry of the top-level `work_pools:` list (design.md, "Interface of the action"); only written keys are there. */
export interface WorkPoolEntry {
  readonly name: string;
  readonly type: string | undefined;
  readonly description?: string | null;
  readonly paused?: boolean;
  readonly concurrency_limit?: number | null;
  readonly queues?: readonly WorkQueueEntry[];
  readonly base_job_template?: BaseJobTemplateSource;
  readonly variables?: JsonObject;
  /** RFC 6902 operations on the template. */
  readonly patch?: readonly Json[];
  readonly where: Position;
  readonly positions: ReadonlyMap<string, Position>;
}

export interface WorkQueueEntry {
  readonly name: string;
  readonly priority?: number;
  readonly concurrency_limit?: number | null;
  readonly description?: string | null;
  readonly paused?: boolean;
}

export type BaseJobTemplateSource =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly path: string; readonly where: Position }
  | { readonly kind: 'inline'; readonly template: JsonObject };

/** prefect.yaml, checked, with the position of everything a message may want to point at. */
export interface Project {
  /** The project's directory, absolute; everything relative in prefect.yaml is relative to it. */
  readonly directory: string;
  /** prefect.yaml's path relative to the repository's root. */
  readonly file: string;
  readonly name: string | undefined;
  readonly build: StepList;
  readonly push: StepList;
  readonly pull: StepList;
  readonly entries: readonly Entry[];
  readonly workPools: readonly WorkPoolEntry[];
  /** Things a user should hear of that are not errors, e.g. tags written as one string. */
  readonly warnings: readonly { readonly message: string; readonly where: Position }[];
}
