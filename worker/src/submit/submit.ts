/**
 * Creates the Job of a claimed run, once.
 *
 * Failure model. The answer to a create may be lost, and another replica, or this worker before a restart, may have
 * created the same Job: its name is derived from run and Scheduled state, so a second create is answered 409 and the Job
 * is adopted when its label names the same run. What passes (throttling, resets, a server that restarts) is tried again
 * under the same name until the worker has to stop. What the cluster refuses ends the run as Crashed.
 */
import { z } from 'zod';
import { fullJitter } from '../backoff.ts';
import { createJob, readObject } from '../k8s/api.ts';
import type { KubernetesConnection } from '../k8s/connection.ts';
import { KubernetesApiError } from '../k8s/errors.ts';
import type { JobManifest } from '../render/render.ts';
import type { World } from '../world.ts';
import { readFailure } from './failure.ts';

export type Submitted =
  | { readonly kind: 'created' }
  /** It was there already, made for the same run. */
  | { readonly kind: 'adopted' }
  | { readonly kind: 'refused'; readonly message: string };

export interface SubmitPolicy {
  /** Tries at a refusal that may pass, the first one included. */
  readonly maxAttempts: number;
  readonly retryDelayMs: number;
  readonly retryJitterMs: readonly [least: number, most: number];
}

export const FLOW_RUN_LABEL = 'prefect.io/flow-run-id';
const RETRY = { firstMs: 500, mostMs: 15_000 };

/** Creates the Job or finds it made. @param signal aborted when the worker has to stop now. */
export async function submitJob(
  job: JobManifest,
  flowRunId: string,
  kubernetes: KubernetesConnection,
  policy: SubmitPolicy,
  world: World,
  signal: AbortSignal,
): Promise<Submitted> {
  const body = JSON.stringify(job.body);
  let refusals = 0;
  for (let failures = 1; ; failures += 1) {
    signal.throwIfAborted();
    try {
      await createJob(kubernetes, job.namespace, body, signal);
      return { kind: 'created' };
    } catch (error) {
      if (signal.aborted) throw error;
      if (error instanceof KubernetesApiError && error.status === 409 && error.reason === 'AlreadyExists') {
        const adopted = await adopt(job, flowRunId, kubernetes, signal).catch(() => undefined);
        if (adopted !== undefined) return adopted;
        await world.clock.sleep(fullJitter(failures, RETRY, world.random), signal);
        continue;
      }
      const failure = readFailure(error, job.namespace);
      if (failure.kind === 'passing') {
        world.log.warning(`Creating Job ${job.namespace}/${job.name}: ${failure.reason}; trying again`);
        await world.clock.sleep(fullJitter(failures, RETRY, world.random, failure.afterMs), signal);
        continue;
      }
      refusals += 1;
      if (!failure.again || refusals >= policy.maxAttempts) return { kind: 'refused', message: failure.message };
      const [least, most] = policy.retryJitterMs;
      await world.clock.sleep(policy.retryDelayMs + least + world.random() * (most - least), signal);
    }
  }
}

const Labelled = z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()).optional() }) });

async function adopt(
  job: JobManifest,
  flowRunId: string,
  kubernetes: KubernetesConnection,
  signal: AbortSignal,
): Promise<Submitted | undefined> {
  const existing = await readObject(kubernetes, 'jobs', job.namespace, job.name, signal);
  // Deleted between the two calls: the next create decides.
  if (existing === undefined) return undefined;
  const labels = Labelled.parse(existing).metadata.labels ?? {};
  if (labels[FLOW_RUN_LABEL] === flowRunId) return { kind: 'adopted' };
  return {
    kind: 'refused',
    message:
      `Unable to create Kubernetes job: a Job named ${job.name} exists in namespace ${job.namespace} and belongs to ` +
      'something else. Hint: delete or rename it, and run the flow again.',
  };
}
