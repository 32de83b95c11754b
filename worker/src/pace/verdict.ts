import { PrefectApiError, PrefectUnreachableError } from '@slipway/prefect/client';
import { KubernetesApiError, KubernetesUnreachableError } from '../k8s/errors.ts';
import type { Answer } from './window.ts';

export type Heard = Pick<Answer, 'verdict' | 'retryAfterMs'>;

const GOOD: Heard = { verdict: 'good', retryAfterMs: 0 };
const UNANSWERED: Heard = { verdict: 'unanswered', retryAfterMs: 0 };

/** What a failed write to the Prefect API says of the server. @returns undefined when it says nothing of it. */
export function heardFromPrefect(error: unknown): Heard | undefined {
  if (error instanceof PrefectUnreachableError) return UNANSWERED;
  if (!(error instanceof PrefectApiError)) return undefined;
  const { status, retryAfterMs = 0 } = error;
  if (status === 408 || status === 504) return UNANSWERED;
  if (status === 429 || (status >= 500 && retryAfterMs > 0)) return { verdict: 'throttled', retryAfterMs };
  return status >= 500 ? { verdict: 'busy', retryAfterMs: 0 } : GOOD;
}

/** What a failed create says of the Kubernetes API. @returns undefined when it says nothing of it. */
export function heardFromKubernetes(error: unknown): Heard | undefined {
  if (error instanceof KubernetesUnreachableError) return UNANSWERED;
  if (!(error instanceof KubernetesApiError)) return undefined;
  const { status, retryAfterMs } = error;
  if (status === 408 || status === 504) return UNANSWERED;
  if (status === 429 || status === 503) return { verdict: 'throttled', retryAfterMs };
  return status >= 500 ? { verdict: 'busy', retryAfterMs: 0 } : GOOD;
}
