import type { JsonObject } from '@slipway/prefect/json';

/** Where a worker finds a deployment's code, as far as its image and pull steps say. */
export type CodePlace =
  | {
      readonly kind: 'image';
      /** A reference that docker can run. */
      readonly image: string;
      /** Built by this run, so that Docker's own store may be the only place that has it. */
      readonly isOurs: boolean;
      /** What the pull steps change to, one after the other; none: the image's working directory. */
      readonly directories: readonly string[];
    }
  /** `why` completes "its code …". */
  | { readonly kind: 'elsewhere'; readonly why: string };

/** A flow to be loaded in an image. */
export interface Question {
  readonly image: string;
  readonly isOurs: boolean;
  readonly directories: readonly string[];
  readonly entrypoint: string;
}

/** What Prefect itself says of a flow, in the image. */
export type Answer =
  | {
      readonly kind: 'flow';
      readonly name: string;
      readonly description: string | undefined;
      /** `version=` of the decorator; undefined when it is Prefect's hash of the file. */
      readonly version: string | undefined;
      readonly schema: JsonObject;
    }
  /** The image can be run, the flow cannot be loaded in it. */
  | {
      readonly kind: 'not loaded';
      /** The last line of Python's traceback: `ModuleNotFoundError: No module named 'pandas'`. */
      readonly error: string;
      /** The user's line that raised it, relative to the directory the code lies in. */
      readonly place: { readonly file: string; readonly line: number } | undefined;
    }
  /** Nothing can be asked: no Docker, no such image, no Prefect in it, no end. */
  | { readonly kind: 'not asked'; readonly reason: string; readonly remedy: string };
