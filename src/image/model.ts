import type { Position } from '../project/model.ts';

/** How to build and push one image: a value that two equal build steps share, so equal images are built once. */
export interface ImagePlan {
  /** Repository without tag, with registry host when there is one: `localhost:5000/hello`, `acme/hello`. */
  readonly repository: string;
  /** Tags to push, the first is the main one. Never empty. */
  readonly tags: readonly [string, ...string[]];
  /** Directory sent as build context, absolute. */
  readonly context: string;
  readonly dockerfile: DockerfileSource;
  /** `linux/amd64` …; empty means the builder's own. */
  readonly platforms: readonly string[];
  readonly target: string | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly cacheFrom: readonly string[];
  readonly cacheTo: readonly string[];
  readonly noCache: boolean;
  /** Always ask the registry for newer base images. */
  readonly pull: boolean;
  readonly network: string | undefined;
  readonly addHosts: readonly string[];
  /** What the build may read without keeping it: `id=token,env=TOKEN`, `id=key,src=/absolute/path`. */
  readonly secrets: readonly string[];
  /**
   * Values of secrets by the variable that `secrets` names; for buildx's own environment alone. They never go into a hash
   * or a text that leaves this process.
   */
  readonly secretEnv: Readonly<Record<string, string>>;
  /** Agents or keys to expose: `default`, `id=/absolute/path`. */
  readonly ssh: readonly string[];
  /** More directories, images or addresses by name; paths are absolute. */
  readonly buildContexts: Readonly<Record<string, string>>;
  /** Extra privileges: `network.host`, `security.insecure`. */
  readonly allow: readonly string[];
  readonly shmSize: string | undefined;
  /** What `--provenance` and `--sbom` take; undefined: none, which keeps the digest the same from build to build. */
  readonly provenance: string | undefined;
  readonly sbom: string | undefined;
  readonly builder: string | undefined;
  /** Seconds since the epoch for SOURCE_DATE_EPOCH; undefined outside git. */
  readonly sourceDateEpoch: number | undefined;
  readonly push: boolean;
  /** Why it is built although the registry may hold it already, a clause: `ignore_cache is set`; absent: it need not be. */
  readonly freshBecause?: string;
  /** What may have changed files of the work tree in this run, so that the commit does not say what is built. */
  readonly changedBy?: string;
  /** The step or input that asked for it. */
  readonly where: Position | undefined;
}

export type DockerfileSource =
  | { readonly kind: 'file' /** absolute */; readonly path: string }
  /** Written to a private temporary file, never into the work tree (design.md, difference 14). */
  | {
      readonly kind: 'generated';
      readonly content: string;
      /** What the build leaves out, in place of the context's own ignore file; undefined: that one counts. */
      readonly dockerignore: string | undefined;
    };

/** What came of an ImagePlan. */
export interface BuiltImage {
  readonly plan: ImagePlan;
  /** `repository:tag` of the main tag. */
  readonly image: string;
  /** `repository@sha256:…` as the registry knows it; undefined in plan mode and when nothing was pushed. */
  readonly imageRef: string | undefined;
  readonly digest: string | undefined;
  readonly seconds: number;
  /** It was in the registry already, and nothing was built. */
  readonly isReused?: true;
}
