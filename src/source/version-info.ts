import type { Head, Revision, VcsType, VersionInfo } from './model.ts';
import { stripCredentials } from './remote-url.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface VersionWish {
  /** `version_type` as written; undefined tries every VCS type in Prefect's order. */
  readonly type: string | undefined;
  /** `version` as written (or `--version`): wins over what is inferred. */
  readonly version: string | undefined;
  /** The flow's own `version=`, used only when nothing is inferred. */
  readonly flowVersion: string | undefined;
}

export interface InferredVersion {
  /** The deployment's `version`; undefined is sent as null. */
  readonly version: string | undefined;
  readonly info: VersionInfo;
}

/** `version_type` is none of Prefect's; `known` is what it may be. */
export class UnknownVersionType extends Error {
  override readonly name = 'UnknownVersionType';
  readonly known: readonly string[];

  constructor(type: string) {
    super(`unknown version type ${JSON.stringify(type)}`);
    this.known = ['prefect:simple', ...ORDER];
  }
}

const ORDER: readonly VcsType[] = ['vcs:github', 'vcs:gitlab', 'vcs:bitbucket', 'vcs:azuredevops', 'vcs:git'];

/**
 * A deployment's version and `version_info`, as Prefect infers them (contracts/deploy.md §4.4;
 * prefect/_internal/versioning.py and deployments/runner.py of 3.8.8), with credentials taken out of every URL
 * (design.md, difference 9). Every VCS type needs a readable commit with a message in the project's directory.
 *
 * @throws UnknownVersionType for a `type` Prefect does not know.
 */
export function inferVersionInfo(env: Environment, revision: Revision, wish: VersionWish): InferredVersion {
  const written = nonEmpty(wish.version);
  for (const type of typesToTry(wish.type)) {
    const found = READERS[type](env, revision.head);
    if (found === undefined) continue;
    const version = written ?? found.commit_sha.slice(0, 8);
    return { version, info: { type, version, ...found } };
  }
  const version = written ?? nonEmpty(wish.flowVersion);
  return { version, info: { type: 'prefect:simple', version: version ?? '' } };
}

function typesToTry(type: string | undefined): readonly VcsType[] {
  if (type === undefined) return ORDER;
  if (type === 'prefect:simple') return [];
  const known = ORDER.find((candidate) => candidate === type);
  if (known === undefined) throw new UnknownVersionType(type);
  return [known];
}

type Found = Omit<Extract<VersionInfo, { commit_sha: string }>, 'type' | 'version'>;

const READERS: Readonly<Record<VcsType, (env: Environment, head: Head | undefined) => Found | undefined>> = {
  'vcs:github': (env, head) =>
    ofVariables(head, env.GITHUB_SHA, env.GITHUB_REF_NAME, env.GITHUB_REPOSITORY, (sha, repository) =>
      pythonText(env.GITHUB_SERVER_URL, `/${repository}/tree/${sha}`),
    ),
  'vcs:gitlab': (env, head) =>
    ofVariables(head, env.CI_COMMIT_SHA, env.CI_COMMIT_REF_NAME, env.CI_PROJECT_NAME, (sha) =>
      pythonText(env.CI_PROJECT_URL, `/-/tree/${sha}`),
    ),
  'vcs:bitbucket': (env, head) =>
    ofVariables(head, env.BITBUCKET_COMMIT, env.BITBUCKET_BRANCH, env.BITBUCKET_REPO_SLUG, (sha) =>
      pythonText(env.BITBUCKET_GIT_HTTP_ORIGIN, `/src/${sha}`),
    ),
  'vcs:azuredevops': (env, head) =>
    ofVariables(head, env.BUILD_SOURCEVERSION, env.BUILD_SOURCEBRANCHNAME, env.BUILD_REPOSITORY_NAME, (sha) =>
      pythonText(env.BUILD_REPOSITORY_URI, `?version=GC${sha}`),
    ),
  'vcs:git': (_env, head) => {
    const repository = head?.remoteUrl === undefined ? '' : pathOf(head.remoteUrl);
    if (head?.message === undefined || head.remoteUrl === undefined || repository === '') return undefined;
    return {
      commit_sha: head.sha,
      message: head.message,
      branch: head.branch ?? 'HEAD',
      repository,
      url: head.remoteUrl,
    };
  },
};

function ofVariables(
  head: Head | undefined,
  sha: string | undefined,
  branch: string | undefined,
  repository: string | undefined,
  url: (sha: string, repository: string) => string,
): Found | undefined {
  if (head?.message === undefined) return undefined;
  if (!isSet(sha) || !isSet(branch) || !isSet(repository)) return undefined;
  return {
    commit_sha: sha,
    message: head.message,
    branch,
    repository,
    url: stripCredentials(url(sha, repository)),
  };
}

/** Prefect formats the variable as Python does: one that is not set reads `None`. */
function pythonText(variable: string | undefined, rest: string): string {
  return `${variable ?? 'None'}${rest}`;
}

/** The path Python's urlparse finds, without slashes around it and `.git`; an scp-like address is all path. */
function pathOf(remote: string): string {
  const rest = /^[a-z][a-z0-9+.-]*:(.*)$/is.exec(remote)?.[1] ?? remote;
  const path = rest.startsWith('//') ? rest.slice(2).replace(/^[^/?#]*/, '') : rest;
  return (path.split(/[?#]/)[0] ?? '').replace(/^\/+|\/+$/g, '').replace(/\.git$/, '');
}

function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
