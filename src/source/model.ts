/** Which revision this run is about, and what it may be called (anchors/action.md §3). */
export interface Revision {
  /** 40 (or 64) hex digits; undefined without git and without GITHUB_SHA. */
  readonly sha: string | undefined;
  /** `git rev-parse --short` of it, at least 7 digits. */
  readonly shortSha: string | undefined;
  /** Branch name without refs/heads/, when a branch. */
  readonly branch: string | undefined;
  /** GITHUB_REF_NAME: branch or tag name, `12/merge` on pull requests. */
  readonly refName: string | undefined;
  /** The work tree has changes, or git cannot say that it has none; its images get `-dirty` and are never reused. */
  readonly dirty: boolean;
  /** The commit's time in seconds since the epoch, for SOURCE_DATE_EPOCH and the OCI created label. */
  readonly committedAt: number | undefined;
  /** First line of the commit message. */
  readonly message: string | undefined;
  /** `https://github.com/o/r`, credentials stripped. */
  readonly repositoryUrl: string | undefined;
  /** `o/r`. */
  readonly repository: string | undefined;
  /** Why the checked-out commit was chosen, for the log: e.g. "pull request head", "HEAD", "GITHUB_SHA". */
  readonly origin: string;
  /**
   * Present when the work tree does not hold `sha` itself but its test merge with the base branch
   * (`refs/pull/N/merge`, what actions/checkout takes on pull requests): that merge commit, whose files are built.
   */
  readonly mergeSha?: string;
  /** The checkout is at neither the event's commit nor the head that the event speaks of: somebody else chose it. */
  readonly elsewhere?: boolean;
  /** What git says of the work tree's HEAD; absent without a repository that git can read. */
  readonly head?: Head;
  /** What a user should hear of that is no error: uncommitted files, a checkout that is not the event's commit. */
  readonly warnings?: readonly string[];
}

/** The work tree's HEAD, as git knows it. */
export interface Head {
  readonly sha: string;
  /** Abbreviated as git does it here: `core.abbrev`, longer when ambiguous. */
  readonly shortSha: string;
  /** Undefined when HEAD is detached. */
  readonly branch: string | undefined;
  /** Seconds since the epoch (committer's time). */
  readonly committedAt: number;
  /** First line of the message; undefined when it is empty. */
  readonly message: string | undefined;
  /** `remote.origin.url`, credentials stripped. */
  readonly remoteUrl: string | undefined;
  /** Paths that differ from HEAD or are untracked and not ignored, relative to the repository's root. */
  readonly changed: readonly string[];
  /** Why git cannot say whether anything has changed: the work tree counts as changed then. */
  readonly unclear?: string;
}

/** The GitHub event that started the run, as far as the action cares. */
export type RunEvent =
  | { readonly kind: 'push'; readonly ref: string | undefined }
  | {
      readonly kind: 'pull_request';
      readonly number: number;
      readonly headSha: string | undefined;
      readonly fromFork: boolean;
      /** pull_request_target: runs with the base branch's secrets, whoever opened the pull request. */
      readonly target: boolean;
      readonly headBranch?: string;
      /** The event is the closing of a merged pull request: GITHUB_SHA is then a commit of the base branch. */
      readonly merged?: boolean;
    }
  /** Runs after another workflow, with this repository's secrets, also when a fork's pull request started that one. */
  | {
      readonly kind: 'workflow_run';
      readonly headSha: string | undefined;
      readonly headBranch: string | undefined;
      readonly fromFork: boolean;
      readonly ofPullRequest: boolean;
      /** The one before ran on pull_request_target: what it left behind may be anybody's. */
      readonly target?: boolean;
    }
  | { readonly kind: 'other'; readonly name: string };

/** What is sent as a deployment's `version_info` (contracts/deploy.md §4.4). */
export type VersionInfo =
  | { readonly type: 'prefect:simple'; readonly version: string }
  | {
      readonly type: VcsType;
      readonly version: string;
      readonly commit_sha: string;
      readonly message: string;
      readonly branch: string;
      readonly repository: string;
      readonly url: string;
    };

export type VcsType = 'vcs:github' | 'vcs:gitlab' | 'vcs:bitbucket' | 'vcs:azuredevops' | 'vcs:git';
