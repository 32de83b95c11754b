import type { Json, JsonObject } from '@slipway/prefect/json';
import type { ReferenceReaders } from '@slipway/prefect/template';
import type { BuiltImage, ImagePlan } from '../image/model.ts';
import type { Entry, Project, StepSpec } from '../project/model.ts';
import type { Revision } from '../source/model.ts';
import type { World } from '../world.ts';
import type { Building, BuildQueue } from './build-queue.ts';

/** Outputs of the steps so far: flat keys, and a mapping under each step's id (contracts/deploy.md §2.1). */
export type StepOutputs = JsonObject;

/** An entry whose build and push steps have run (or, in plan mode, been foreseen). */
export interface Prepared {
  readonly entry: Entry;
  /** In plan mode, what only a deploy can know is there as `KNOWN_AT_DEPLOY` (src/steps/foresight.ts). */
  readonly outputs: StepOutputs;
  /** The action's own image, if any, then what this entry's steps built, in order. */
  readonly images: readonly BuiltImage[];
  /** The pull steps as written that apply to this entry; undefined: none written anywhere. */
  readonly pull: readonly StepSpec[] | undefined;
  /** Outputs that only a deploy can know, as dotted paths: `sha.stdout`, `stdout`. Empty after a deploy. */
  readonly unknown: readonly string[];
}

/** `deploy` runs the steps, `plan` foresees them: nothing runs that writes. */
export type StepMode = 'deploy' | 'plan';

/** How to sign in to a registry, from a push step's `credentials` input. */
export interface PushCredentials {
  readonly username: string;
  readonly password: string;
  /** As written, e.g. `registry.example.com` or `https://index.docker.io/v1/`; undefined: the image's own registry. */
  readonly registry: string | undefined;
}

/** What the interpreter needs beside the entries. */
export interface PrepareContext {
  readonly world: World;
  readonly project: Project;
  readonly revision: Revision;
  readonly mode: StepMode;
  /**
   * What programs need to speak to the same server as the action, laid over the job's environment where they start; not
   * for templates, whose values end up in deployments. Holds secrets.
   */
  readonly programEnv: Readonly<Record<string, string>>;
  /** Reads blocks and variables that steps refer to. */
  readonly readers: ReferenceReaders;
  /** Builds, and pushes when the plan says so; not called in plan mode. */
  readonly buildImage: (plan: ImagePlan, credentials: PushCredentials | undefined) => Promise<BuiltImage>;
  /** The image of the input `image`, which is there before the first step. */
  readonly ownImage: BuiltImage | undefined;
  /** What a generated Dockerfile begins with (the input `base-image`). */
  readonly baseImage: string;
  /** The buildx builder to use (the input `builder`); undefined: buildx's current one. */
  readonly builder: string | undefined;
  /** What Prefect puts before an `image_name` without a slash (setting deployments.default_docker_build_namespace). */
  readonly dockerNamespace: string | undefined;
}

/** One step as its function sees it. */
export interface StepRun {
  readonly context: PrepareContext;
  /** Whose steps these are. */
  readonly entry: Entry;
  readonly step: StepSpec;
  /** Inputs with every placeholder filled in. */
  readonly inputs: JsonObject;
  /** The directory that relative paths start from: the project's, until a step changes it. */
  readonly directory: string;
  /** The environment of the job, without what belongs to the action itself. */
  readonly env: Readonly<Record<string, string>>;
  /** Outputs of the steps before, and the steps after this one, in order. */
  readonly outputs: StepOutputs;
  readonly following: readonly StepSpec[];
  /** The pull steps that apply to the deployment. */
  readonly pull: readonly StepSpec[] | undefined;
  readonly images: ImageMemo;
  /** The step of this run, of whichever entry, that may have changed files of the work tree; undefined: none. */
  readonly changedBy: string | undefined;
}

/** What a step comes to. */
export interface StepResult {
  readonly outputs: JsonObject;
  /** True when the function gave no outputs at all, so that nothing stands under the step's id either. */
  readonly hasNone?: boolean;
  /** The directory from now on; undefined: unchanged. */
  readonly directory?: string;
  /** What it builds or pushes. */
  readonly image?: Building;
  /** An output that is known only when the image is built. */
  readonly late?: { readonly name: string; readonly from: (image: BuiltImage) => Json };
}

/** What Docker steps of all entries share, so that equal images are built once (contracts/deploy.md §2.7, "Memo"). */
export interface ImageMemo {
  /** By the plan's key without `push`. */
  readonly built: Map<string, Building>;
  /** The build behind each `repository:tag`. */
  readonly byName: Map<string, NamedBuild>;
  /** Tags that were made up for builds without one, by the build's own inputs. */
  readonly defaultTags: Map<string, string>;
  readonly queue: BuildQueue;
}

/** A build and what it was asked for; what was built may be an equal plan's. */
export interface NamedBuild {
  readonly plan: ImagePlan;
  readonly built: Building;
}

/** A function that steps may name. */
export interface StepFunction {
  /** Inputs it takes; `any`: more than can be listed here, it checks them itself. */
  readonly inputs: readonly string[] | 'any';
  readonly required: readonly string[];
  /** True when running it changes no file of the work tree; absent: nobody knows. */
  readonly onlyReads?: (run: StepRun) => boolean;
  /** Runs it, or in plan mode foresees it. */
  readonly run: (run: StepRun) => Promise<StepResult>;
}
