import * as z from 'zod';
import { Problem } from '../problem.ts';
import type { Files } from '../world.ts';
import type { RunEvent } from './model.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const repository = z.looseObject({ full_name: z.string().optional() }).nullish();

/** What we read of the payload; everything may be missing (act and hand-written event files are sparse). */
const Payload = z.looseObject({
  number: z.number().optional(),
  ref: z.string().optional(),
  repository,
  pull_request: z
    .looseObject({
      number: z.number().optional(),
      merged: z.boolean().nullish(),
      head: z.looseObject({ sha: z.string().optional(), ref: z.string().optional(), repo: repository }).optional(),
      base: z.looseObject({ repo: repository }).optional(),
    })
    .optional(),
  workflow_run: z
    .looseObject({
      event: z.string().optional(),
      head_sha: z.string().optional(),
      head_branch: z.string().nullish(),
      head_repository: repository,
    })
    .optional(),
});
type Payload = z.infer<typeof Payload>;

/** A review runs on the pull request's test merge as well, with the same payload. */
const PULL_REQUEST_EVENTS: readonly string[] = [
  'pull_request',
  'pull_request_target',
  'pull_request_review',
  'pull_request_review_comment',
];

/**
 * The event that started the run, from GITHUB_EVENT_NAME and the JSON file at GITHUB_EVENT_PATH.
 *
 * Outside GitHub Actions it is `other` with an empty name. Whether a pull request comes from a fork is decided by
 * the repositories' full names; when the payload does not say (a deleted fork has no repository), it counts as one.
 *
 * @throws Problem when the file is missing or no JSON although the event needs it, or a pull request has no number.
 */
export async function readEvent(env: Environment, files: Pick<Files, 'readText'>): Promise<RunEvent> {
  const name = env.GITHUB_EVENT_NAME ?? '';
  if (name === 'push') return { kind: 'push', ref: env.GITHUB_REF };
  if (PULL_REQUEST_EVENTS.includes(name)) {
    return pullRequest(await readPayload(env, files), env, name === 'pull_request_target');
  }
  if (name === 'workflow_run') return workflowRun(await readPayload(env, files), env);
  return { kind: 'other', name };
}

async function readPayload(env: Environment, files: Pick<Files, 'readText'>): Promise<Payload> {
  const path = env.GITHUB_EVENT_PATH;
  const remedy =
    'The runner writes this file; when the action is started by hand, let GITHUB_EVENT_PATH name a file with the webhook’s JSON.';
  if (path === undefined || path === '') {
    throw new Problem(
      `GITHUB_EVENT_PATH is not set, but the event ${env.GITHUB_EVENT_NAME} cannot be judged without it`,
      {
        remedy,
      },
    );
  }
  let text: string;
  try {
    text = await files.readText(path);
  } catch (cause) {
    throw new Problem(`the event file ${path} cannot be read`, { remedy, cause });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Problem(`the event file ${path} is not JSON`, { remedy, cause });
  }
  const parsed = Payload.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Problem(`the event file ${path} is not a webhook payload: ${issue?.path.join('.')}: ${issue?.message}`, {
    remedy,
    cause: parsed.error,
  });
}

function pullRequest(payload: Payload, env: Environment, target: boolean): RunEvent {
  const pull = payload.pull_request;
  const number = payload.number ?? pull?.number ?? numberOfRef(env.GITHUB_REF);
  if (number === undefined) {
    throw new Problem('the event file says of no pull request which number it has', {
      remedy: 'Give the webhook’s JSON with its top-level `number`, as GitHub writes it.',
    });
  }
  const headBranch = pull?.head?.ref ?? nonEmpty(env.GITHUB_HEAD_REF);
  return {
    kind: 'pull_request',
    number,
    headSha: pull?.head?.sha,
    fromFork: !isSame(pull?.head?.repo?.full_name, pull?.base?.repo?.full_name ?? ownRepository(payload, env)),
    target,
    ...(headBranch === undefined ? {} : { headBranch }),
    ...(pull?.merged === true ? { merged: true } : {}),
  };
}

function workflowRun(payload: Payload, env: Environment): RunEvent {
  const run = payload.workflow_run;
  return {
    kind: 'workflow_run',
    headSha: run?.head_sha,
    headBranch: run?.head_branch ?? undefined,
    fromFork: !isSame(run?.head_repository?.full_name, ownRepository(payload, env)),
    ofPullRequest: PULL_REQUEST_EVENTS.includes(run?.event ?? ''),
    ...(run?.event === 'pull_request_target' ? { target: true } : {}),
  };
}

function ownRepository(payload: Payload, env: Environment): string | undefined {
  return payload.repository?.full_name ?? nonEmpty(env.GITHUB_REPOSITORY);
}

function numberOfRef(ref: string | undefined): number | undefined {
  const digits = /^refs\/pull\/(\d+)\//.exec(ref ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** GitHub's names do not mind case; two that are not known are not the same. */
function isSame(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a.toLowerCase() === b.toLowerCase();
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
