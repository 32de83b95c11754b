import { KubernetesApiError, KubernetesUnreachableError } from '../k8s/errors.ts';

/** What becomes of a try to create a Job that did not succeed. */
export type Failure =
  /** May pass by itself, and must not cost the run: tried again for as long as the worker runs. */
  | { readonly kind: 'passing'; readonly afterMs: number; readonly reason: string }
  /** May pass when somebody else makes room; tried a few times. */
  | { readonly kind: 'refused'; readonly again: boolean; readonly message: string };

/**
 * Reads why a Job was not created (contracts/worker.md §4.9): throttling, server faults and lost answers pass, all else
 * is the cluster's word on this very Job. The messages begin as Python's do and say what to do.
 */
export function readFailure(error: unknown, namespace: string): Failure {
  if (error instanceof KubernetesUnreachableError) return { kind: 'passing', afterMs: 0, reason: error.message };
  if (!(error instanceof KubernetesApiError)) throw error;
  const { status, reason, detail } = error;
  if (status === 401) {
    return {
      kind: 'passing',
      afterMs: 5_000,
      reason: 'the Kubernetes API does not accept the worker’s credentials (401)',
    };
  }
  if (status === 429 || status === 408 || (status >= 500 && reason !== 'InternalError') || isWebhookDown(error)) {
    return { kind: 'passing', afterMs: error.retryAfterMs, reason: `${status} ${reason}: ${detail}` };
  }
  const quota = /exceeded quota|quota/i.test(detail);
  return {
    kind: 'refused',
    again: quota || status >= 500,
    message: `Unable to create Kubernetes job: ${reason || status}: ${detail} Hint: ${hint(error, namespace, quota)}`,
  };
}

/** An admission webhook that cannot be reached is a fault of the cluster, not of the Job. */
function isWebhookDown({ status, detail }: KubernetesApiError): boolean {
  return status === 500 && /failed calling webhook/i.test(detail);
}

function hint({ status, reason, detail }: KubernetesApiError, namespace: string, quota: boolean): string {
  if (quota) return `namespace ${namespace} is at its resource quota: free some of it, or raise the quota.`;
  if (status === 403 || reason === 'Forbidden') {
    return `check the Role of the worker’s service account: it needs the verb create on jobs (batch) in namespace ${namespace}.`;
  }
  if (status === 404 && detail.includes(namespace))
    return `namespace ${namespace} does not exist: create it, or correct the job variable namespace.`;
  if (/denied the request/i.test(detail)) return 'an admission webhook refuses this Job: its message says why.';
  if (status === 422 || status === 400)
    return 'correct the work pool’s base job template or the deployment’s job variables.';
  return 'look at the events of the namespace.';
}
