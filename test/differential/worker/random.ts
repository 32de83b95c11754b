import type { JsonObject } from '@slipway/prefect/json';
import { canonical } from './canonical.ts';
import type { Answer, Case } from './cases.ts';
import { isCrashForNothing, ourRandomRequestsGiven, type Request } from './differences.ts';
import { ourJob, requestsFor, SUFFIX } from './our-job.ts';
import { randomCase } from './random-cases.ts';

/** Both send a Job and not the same one, or one of the two refuses: what is sent, or why nothing is. */
export interface Difference {
  readonly kind: 'differs' | 'only ours sends' | 'only ours refuses';
  readonly theirs: string;
  readonly ours: string;
}

export type Verdict = { readonly kind: 'same' } | { readonly kind: 'both refuse' } | Difference;

/** Cases of these seeds: `seed`, `seed + 1`, … */
export function randomCases(seed: number, count: number): Case[] {
  return Array.from({ length: count }, (_none, index) => randomCase(seed + index));
}

/** @returns how ours stands to Prefect's, where the listed differences are none. */
export async function judge(given: Case, answer: Answer): Promise<Verdict> {
  const ours = await ourAnswer(given);
  if ('error' in answer) {
    if ('error' in ours) return { kind: 'both refuse' };
    if (isCrashForNothing(answer.error)) return { kind: 'same' };
    return { kind: 'only ours sends', theirs: answer.error, ours: lines(ours.requests) };
  }
  const theirs = lines(ourRandomRequestsGiven(answer.requests, 'error' in ours ? [] : ours.requests, SUFFIX));
  if ('error' in ours) return { kind: 'only ours refuses', theirs, ours: ours.error };
  const sent = lines(ours.requests);
  return sent === theirs ? { kind: 'same' } : { kind: 'differs', theirs, ours: sent };
}

async function ourAnswer(given: Case): Promise<{ readonly requests: Request[] } | { readonly error: string }> {
  try {
    return { requests: await requestsFor(await ourJob(given)) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { error: `${error.name}: ${error.message}` };
  }
}

/** Names of Secrets and owners are compared in the kept cases alone: they come from the Job's, which may differ. */
function lines(requests: readonly Request[]): string {
  const text = canonical(requests.map(({ method, path, body }): JsonObject => ({ method, path, body })));
  return text
    .replace(/"[^"]*-env-[0-9a-f]{10}"/g, '"environment"')
    .replace(/("kind": "Job",\n *"name": )".*"/g, '$1"job"');
}

/** The lines of one text that are not in the other, as `- theirs` and `+ ours`, at most so many. */
export function changedLines(theirs: string, ours: string, most = 12): string[] {
  const [a, b] = [theirs.split('\n'), ours.split('\n')];
  const inB = new Set(b);
  const inA = new Set(a);
  return [
    ...a
      .filter((line) => !inB.has(line))
      .slice(0, most)
      .map((line) => `- ${line.trim()}`),
    ...b
      .filter((line) => !inA.has(line))
      .slice(0, most)
      .map((line) => `+ ${line.trim()}`),
  ];
}
