/**
 * Creates the Job of a claimed run, once.
 *
 * Failure model. The answer to a create may be lost, and another replica, or this worker before a restart, may have
 * created the same Job: its name is derived from run and claim, so a second create is answered 409 and the Job
 * is adopted when its label names the same run. What passes (throttling, resets, a server that restarts) is tried again
 * under the same name until the worker has to stop. What the cluster refuses ends the run as
 * Crashed, unless its Job is there all the same. The Secrets that a
 * Job refers to are made first, at every try: that costs nothing once they are there.
 */
import * as z from 'zod';
import { fullJitter } from '../backoff.ts';
import { createObject, readObject } from '../k8s/api.ts';
import type { KubernetesConnection } from '../k8s/connection.ts';
import { KubernetesApiError, KubernetesUnreachableError } from '../k8s/errors.ts';
import { FLOW_RUN_LABEL } from '../render/labels.ts';
import type { JobManifest } from '../render/render.ts';
import type { World } from '../world.ts';
import { type Created, readFailure } from './failure.ts';
import type { JobSecrets } from './secrets.ts';

export type Submitted =
  /** `object`: the Job as Kubernetes keeps it. */
  | { readonly kind: 'created'; readonly object: unknown }
  /** It was there already, made for the same run. */
  | { readonly kind: 'adopted'; readonly object: unknown }
  | { readonly kind: 'refused'; readonly message: string }
  /** The worker had to stop first. `mayExist`: the answer to a create was lost. */
  | { readonly kind: 'stopped'; readonly mayExist: boolean };

export interface SubmitPolicy {
  /** Tries at a refusal that may pass, the first one included. */
  readonly maxAttempts: number;
  readonly retryDelayMs: number;
  readonly retryJitterMs: readonly [least: number, most: number];
}

const RETRY = { firstMs: 500, mostMs: 15_000 };

/** When to stop: one signal ends what waits to be tried again, a later one what waits for its answer. */
export interface Stopping {
  readonly stop: AbortSignal;
  readonly cut: AbortSignal;
}

/** Creates the Job, after its Secrets, or finds it made; never rejects because of a signal. */
export async function submitJob(
  job: JobManifest,
  kubernetes: Pick<KubernetesConnection, 'call' | 'server'>,
  secrets: Pick<JobSecrets, 'make'>,
  policy: SubmitPolicy,
  world: World,
  { stop, cut }: Stopping,
): Promise<Submitted> {
  const body = JSON.stringify(job.body);
  let refusals = 0;
  let mayExist = false;
  for (let failures = 1; !stop.aborted; failures += 1) {
    let pauseMs: number;
    let creating: Created = 'secret';
    try {
      await secrets.make(job, kubernetes, cut);
      creating = 'job';
      return { kind: 'created', object: await createObject(kubernetes, 'jobs', job.namespace, body, cut) };
    } catch (error) {
      // It waited for its turn and was not sent.
      if (stop.aborted && error === stop.reason) break;
      if (cut.aborted) return { kind: 'stopped', mayExist: mayExist || creating === 'job' };
      mayExist ||= creating === 'job' && isAmbiguous(error);
      const exists =
        creating === 'job' &&
        error instanceof KubernetesApiError &&
        error.status === 409 &&
        error.reason === 'AlreadyExists';
      const found = exists ? await adopt(job, kubernetes, cut) : undefined;
      if (found !== undefined) return found;
      const failure = exists ? DELETED_MEANWHILE : readFailure(error, job.namespace, creating);
      if (failure.kind === 'passing') {
        world.log.warning(`Creating ${creating} of ${job.namespace}/${job.name}: ${failure.reason}; trying again`);
        pauseMs = fullJitter(failures, RETRY, world.random, failure.afterMs);
      } else {
        refusals += 1;
        const attempts = { never: 1, soon: policy.maxAttempts, long: LONG_ATTEMPTS }[failure.again];
        if (refusals >= attempts) {
          // An error may be told of what was done, and a sweep of another replica may have had room in the meantime.
          const isCertain = attempts === 1 && !mayExist;
          const there = isCertain ? undefined : await adopt(job, kubernetes, cut);
          return there ?? { kind: 'refused', message: failure.message };
        }
        const [least, most] = policy.retryJitterMs;
        pauseMs =
          failure.again === 'long'
            ? fullJitter(refusals + 2, RETRY, world.random)
            : policy.retryDelayMs + least + world.random() * Math.max(0, most - least);
      }
    }
    await world.clock.sleep(pauseMs, stop).catch(() => undefined);
  }
  const found = mayExist ? await adopt(job, kubernetes, cut) : undefined;
  return found ?? { kind: 'stopped', mayExist };
}

/** True when the Job may have been created although the answer says otherwise, or there was none. */
function isAmbiguous(error: unknown): boolean {
  if (error instanceof KubernetesUnreachableError) return error.mayHaveArrived;
  return error instanceof KubernetesApiError && error.status >= 500;
}

const DELETED_MEANWHILE = { kind: 'passing', afterMs: 0, reason: 'a Job of that name was just deleted' } as const;
/** With the pauses between them about a minute: as long as an API server takes to find a new leader of its store. */
const LONG_ATTEMPTS = 8;

const Labelled = z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()).nullish() }) });

/**
 * Looks whether the Job of that name is the one that was to be created: it carries the label for the run that ours does
 * (a user may have set that label, then it is not the run's id).
 *
 * @returns undefined when there is none any more, or it cannot be read now: the next create decides.
 */
async function adopt(
  job: JobManifest,
  kubernetes: Pick<KubernetesConnection, 'call'>,
  signal: AbortSignal,
): Promise<Submitted | undefined> {
  let object: unknown;
  try {
    object = await readObject(kubernetes, 'jobs', job.namespace, job.name, signal);
  } catch (error) {
    if (signal.aborted || error instanceof KubernetesUnreachableError || error instanceof KubernetesApiError) {
      return undefined;
    }
    throw error;
  }
  if (object === undefined) return undefined;
  const labelOf = (of: unknown) => Labelled.parse(of).metadata.labels?.[FLOW_RUN_LABEL];
  if (labelOf(object) === labelOf(job.body)) return { kind: 'adopted', object };
  return {
    kind: 'refused',
    message:
      `Unable to create Kubernetes job: a Job named ${job.name} exists in namespace ${job.namespace} and belongs to ` +
      'something else. Hint: delete or rename it, and run the flow again.',
  };
}
