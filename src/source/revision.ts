import type { Exec, Files } from '../world.ts';
import { readEvent } from './event.ts';
import { type HeadFinding, readHead } from './git.ts';
import type { Head, Revision, RunEvent } from './model.ts';
import { repositoryOf, webUrl } from './remote-url.ts';

type Environment = Readonly<Record<string, string>>;

export interface FindRevisionOptions {
  readonly env: Environment;
  readonly exec: Exec;
  readonly files: Pick<Files, 'readText'>;
  /** The project's directory, absolute; its repository is the one that is asked. */
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Read before; otherwise it is read here. */
  readonly event?: RunEvent;
}

/**
 * Which revision this run is about: what git says of the checkout, named by what the event says
 * (anchors/action.md §3.1). @throws Problem when the event file is needed and unreadable.
 */
export async function findRevision(options: FindRevisionOptions): Promise<Revision> {
  const event = options.event ?? (await readEvent(options.env, options.files));
  const finding = await readHead(options);
  return nameRevision(options.env, event, finding);
}

/**
 * The naming alone, pure. The content rule: a name stands for the commit whose files are built. The one exception is
 * a pull request's test merge, which no user knows by its hash: it is named by the pull request's head, and
 * `mergeSha` says so.
 */
export function nameRevision(env: Environment, event: RunEvent, finding: HeadFinding): Revision {
  const head = 'head' in finding ? finding.head : undefined;
  const eventSha = commitId(env.GITHUB_SHA);
  const built = head?.sha ?? eventSha;
  const pullHead = event.kind === 'pull_request' && event.merged !== true ? event.headSha : undefined;
  const isTestMerge =
    event.kind === 'pull_request' &&
    !event.target &&
    pullHead !== undefined &&
    built === eventSha &&
    built !== pullHead;
  const sha = isTestMerge ? pullHead : built;
  const place = whereOf(event, sha, built, eventSha);
  const branch = branchOf(env, event, place, head);
  const source = sourceOf(env, place, head);
  const warnings = warningsOf(finding, place, sha, eventSha);
  return {
    sha,
    shortSha: abbreviate(sha, head),
    branch,
    refName: nonEmpty(env.GITHUB_REF_NAME) ?? branch,
    dirty: head !== undefined && (head.changed.length > 0 || head.unclear !== undefined),
    committedAt: head?.committedAt,
    message: head?.message,
    repositoryUrl: source.url,
    repository: source.name,
    origin: originOf(event, place, isTestMerge, head),
    ...(isTestMerge && built !== undefined ? { mergeSha: built } : {}),
    ...(place === 'elsewhere' ? { elsewhere: true } : {}),
    ...(head === undefined ? {} : { head }),
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}

/** How the checkout stands to the event: its commit, the head it speaks of, something else, or nobody can say. */
type Place = 'event commit' | 'event head' | 'elsewhere' | 'no event';

function whereOf(
  event: RunEvent,
  sha: string | undefined,
  built: string | undefined,
  eventSha: string | undefined,
): Place {
  const headSha = event.kind === 'pull_request' || event.kind === 'workflow_run' ? event.headSha : undefined;
  if (headSha !== undefined && sha === headSha) return 'event head';
  if (eventSha === undefined) return 'no event';
  return built === eventSha ? 'event commit' : 'elsewhere';
}

function branchOf(env: Environment, event: RunEvent, place: Place, head: Head | undefined): string | undefined {
  if (place === 'event head') {
    return event.kind === 'pull_request' || event.kind === 'workflow_run' ? event.headBranch : undefined;
  }
  if (place === 'event commit') return /^refs\/heads\/(.+)$/s.exec(env.GITHUB_REF ?? '')?.[1];
  return head?.branch;
}

/** The repository the files come from; the runner's variables speak of another one when the checkout is elsewhere. */
function sourceOf(
  env: Environment,
  place: Place,
  head: Head | undefined,
): { url: string | undefined; name: string | undefined } {
  const ofEvent = nonEmpty(env.GITHUB_REPOSITORY);
  const remote = head?.remoteUrl === undefined ? undefined : webUrl(head.remoteUrl);
  if (ofEvent !== undefined && (place !== 'elsewhere' || remote === undefined)) {
    const server = (nonEmpty(env.GITHUB_SERVER_URL) ?? 'https://github.com').replace(/\/+$/, '');
    return { url: `${server}/${ofEvent}`, name: ofEvent };
  }
  return { url: remote, name: head?.remoteUrl === undefined ? undefined : repositoryOf(head.remoteUrl) };
}

function originOf(event: RunEvent, place: Place, isTestMerge: boolean, head: Head | undefined): string {
  if (isTestMerge) return 'pull request head (its test merge with the base branch is checked out)';
  if (place === 'event head') return event.kind === 'workflow_run' ? 'workflow_run head' : 'pull request head';
  if (head !== undefined) return 'HEAD';
  return place === 'no event' ? 'unknown (no git repository, no GITHUB_SHA)' : 'GITHUB_SHA';
}

function warningsOf(
  finding: HeadFinding,
  place: Place,
  sha: string | undefined,
  eventSha: string | undefined,
): string[] {
  const warnings: string[] = [];
  if ('none' in finding) {
    if (finding.none.advice !== undefined) warnings.push(finding.none.advice);
    if (sha !== undefined) {
      warnings.push(`the revision ${sha} is the one the runner names; without a git checkout nothing proves it`);
    }
    return warnings;
  }
  if (place === 'elsewhere') {
    warnings.push(`the checkout is at ${sha}, not at this event’s commit ${eventSha}; names follow the checkout`);
  }
  const { changed, unclear } = finding.head;
  if (unclear !== undefined) {
    warnings.push(`git cannot say whether the work tree is that of ${sha}, so it counts as changed: ${unclear}`);
  }
  if (changed.length > 0) {
    const shown = changed.slice(0, 5).join(', ');
    const more = changed.length > 5 ? ` and ${changed.length - 5} more` : '';
    warnings.push(`the work tree has changes that are not in ${sha}: ${shown}${more}`);
  }
  return warnings;
}

/** At least 7 digits; as long as git makes HEAD's, which it lengthens when the object names here collide. */
function abbreviate(sha: string | undefined, head: Head | undefined): string | undefined {
  return sha?.slice(0, Math.max(7, head?.shortSha.length ?? 0));
}

function commitId(text: string | undefined): string | undefined {
  return text !== undefined && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text) ? text : undefined;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
