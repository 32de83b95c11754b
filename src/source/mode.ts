import type { Revision, RunEvent } from './model.ts';

/** The input `mode` (design.md, "Interface of the action"). */
export type ModeInput = 'auto' | 'deploy' | 'plan';

export interface ModeDecision {
  readonly mode: 'deploy' | 'plan';
  /** For the log, a clause that follows "because": never empty. */
  readonly reason: string;
  /** `deploy` was asked for and is refused: the reason is worth a warning. */
  readonly refused: boolean;
}

/** Anybody with an account starts these, and they run with this repository's secrets. */
const OPEN_TO_STRANGERS: ReadonlySet<string> = new Set(['issue_comment', 'issues', 'discussion', 'discussion_comment']);

/**
 * Whether this run may write.
 *
 * `auto` plans on pull requests and their reviews (also a merge queue's, and a workflow_run that follows a pull request)
 * and deploys otherwise. Whatever the input says, content that strangers can choose never writes: a fork's pull request,
 * pull_request_target (which runs with this repository's secrets), a workflow_run that follows one of the two, and a
 * comment or an issue whose workflow checked out something else than the default branch (anchors/action.md §7, "Event
 * trust"). In plan mode nothing is built, pushed, cached or written to the server.
 *
 * @param allowUntrusted such content is treated like this repository's own (the input `allow-untrusted`).
 */
export function decideMode(
  input: ModeInput,
  event: RunEvent,
  { elsewhere }: Pick<Revision, 'elsewhere'>,
  allowUntrusted: boolean,
): ModeDecision {
  if (input === 'plan') return { mode: 'plan', reason: 'the input `mode` is plan', refused: false };
  const untrusted = allowUntrusted ? undefined : whyUntrusted(event, elsewhere ?? false);
  if (untrusted !== undefined) return { mode: 'plan', reason: untrusted, refused: input === 'deploy' };
  if (input === 'deploy') return { mode: 'deploy', reason: 'the input `mode` is deploy', refused: false };
  const unmerged = whyUnmerged(event);
  if (unmerged !== undefined) return { mode: 'plan', reason: unmerged, refused: false };
  return { mode: 'deploy', reason: `the event is ${nameOf(event)}`, refused: false };
}

function whyUntrusted(event: RunEvent, elsewhere: boolean): string | undefined {
  if (event.kind === 'pull_request') {
    if (event.fromFork)
      return `pull request #${event.number} comes from a fork, and those never write unless \`allow-untrusted\` says so`;
    if (event.target) {
      return `the event is pull_request_target of #${event.number}, which has this repository’s secrets and never writes unless \`allow-untrusted\` says so`;
    }
  }
  if (event.kind === 'workflow_run' && event.fromFork) {
    return 'the workflow that this one follows was started from a fork, and those never write unless `allow-untrusted` says so';
  }
  if (event.kind === 'workflow_run' && event.target === true) {
    return 'the workflow that this one follows ran on pull_request_target, and those never write unless `allow-untrusted` says so';
  }
  if (event.kind === 'other' && OPEN_TO_STRANGERS.has(event.name) && elsewhere) {
    return `anybody can start a workflow by ${event.name}, this one’s checkout is not at the event’s commit, and those never write unless \`allow-untrusted\` says so`;
  }
  return undefined;
}

function whyUnmerged(event: RunEvent): string | undefined {
  if (event.kind === 'pull_request') return `the event is pull request #${event.number}`;
  if (event.kind === 'workflow_run' && event.ofPullRequest)
    return 'the workflow that this one follows ran on a pull request';
  if (event.kind === 'other' && event.name === 'merge_group') return 'the merge queue’s commit is not merged yet';
  return undefined;
}

function nameOf(event: RunEvent): string {
  if (event.kind === 'push') return event.ref === undefined ? 'a push' : `a push to ${event.ref}`;
  if (event.kind === 'other') return event.name === '' ? 'none (not on GitHub Actions)' : event.name;
  return event.kind;
}
