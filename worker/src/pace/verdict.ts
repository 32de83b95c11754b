import { PrefectApiError, PrefectUnreachableError } from '@slipway/prefect/client';
import { KubernetesApiError, KubernetesUnreachableError } from '../k8s/errors.ts';
import type { Answer } from './window.ts';

export type Heard = Pick<Answer, 'verdict' | 'retryAfterMs'>;

const GOOD: Heard = { verdict: 'good', retryAfterMs: 0 };
const UNANSWERED: Heard = { verdict: 'unanswered', retryAfterMs: 0 };
const BUSY: Heard = { verdict: 'busy', retryAfterMs: 0 };
/** A deadline has passed. Other failures of a connection come at once: a server closes one that was idle, or restarts. */
const TIMED_OUT = /TIMEOUT|TIMEDOUT|no answer in time/;

/** What a failed write to the Prefect API says of the server. @returns undefined when it says nothing of it. */
export function heardFromPrefect(error: unknown): Heard | undefined {
  if (error instanceof PrefectUnreachableError) return TIMED_OUT.test(error.code ?? '') ? UNANSWERED : BUSY;
  if (!(error instanceof PrefectApiError)) return undefined;
  const { status, retryAfterMs = 0 } = error;
  if (status === 408 || status === 504) return UNANSWERED;
  if (status === 429 || (status >= 500 && retryAfterMs > 0)) return { verdict: 'throttled', retryAfterMs };
  return status >= 500 ? BUSY : GOOD;
}

/** What a failed create says of the Kubernetes API. @returns undefined when it says nothing of it. */
export function heardFromKubernetes(error: unknown): Heard | undefined {
  if (error instanceof KubernetesUnreachableError) return TIMED_OUT.test(error.code ?? '') ? UNANSWERED : BUSY;
  if (!(error instanceof KubernetesApiError)) return undefined;
  const { status, retryAfterMs } = error;
  if (status === 408 || status === 504) return UNANSWERED;
  if (status === 429 || status === 503) return { verdict: 'throttled', retryAfterMs };
  return status >= 500 ? BUSY : GOOD;
}
