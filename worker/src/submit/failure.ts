import { KubernetesApiError, KubernetesUnreachableError } from '../k8s/errors.ts';
import { STATUS_CODES } from '../node-http.ts';

/** What becomes of a try to create a Job that did not succeed. */
export type Failure =
  /** May pass by itself, and must not cost the run: tried again for as long as the worker runs. */
  | { readonly kind: 'passing'; readonly afterMs: number; readonly reason: string }
  /**
   * The cluster's word on this very Job. Tried again `soon`, a few times, when somebody may make room; `long`, for a
   * minute, when it may be the cluster's own trouble after all.
   */
  | { readonly kind: 'refused'; readonly again: 'never' | 'soon' | 'long'; readonly message: string };

/** What was to be created. */
export type Created = 'job' | 'secret';

/**
 * Reads why a Job, or a Secret for it, was not created (contracts/worker.md §4.9). Throttling, servers that are unavailable and lost answers
 * pass; all else is about this Job. The messages begin as Python's do (HTTP reason, the server's message) and say what to
 * do.
 *
 * @throws the error itself when it is neither an answer nor the lack of one.
 */
export function readFailure(error: unknown, namespace: string, what: Created = 'job'): Failure {
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
  if (status === 429 || status === 408 || status > 500 || isConflict(error) || isWebhookDown(error)) {
    return { kind: 'passing', afterMs: error.retryAfterMs, reason: `${status} ${reason}: ${detail}` };
  }
  const said = [STATUS_CODES[status] ?? String(status), detail].filter((part) => part !== '').join(': ');
  return {
    kind: 'refused',
    again: status === 500 ? 'long' : isQuota(error) ? 'soon' : 'never',
    message: `Unable to create Kubernetes ${what}: ${said.replace(/[.\s]+$/, '')}. Hint: ${hint(error, namespace, what)}`,
  };
}

/** Two writers met, at a quota's counter for one: the next try succeeds. */
function isConflict({ status, reason }: KubernetesApiError): boolean {
  return status === 409 && reason === 'Conflict';
}

/** An admission webhook that cannot be reached is a fault of the cluster, not of the Job. */
function isWebhookDown({ status, detail }: KubernetesApiError): boolean {
  return status === 500 && /failed calling webhook/i.test(detail);
}

function isQuota({ status, detail }: KubernetesApiError): boolean {
  return status === 403 && /exceeded quota|failed quota/i.test(detail);
}

function hint(error: KubernetesApiError, namespace: string, what: Created): string {
  const { status, detail } = error;
  if (isQuota(error)) {
    return `namespace ${namespace} is at its resource quota, or the quota asks for requests and limits: make room, raise the quota, or set them.`;
  }
  if (/denied the request/i.test(detail))
    return 'an admission webhook of the cluster refuses this Job; its message says why.';
  if (/is being terminated/i.test(detail))
    return `namespace ${namespace} is being deleted: use another, or wait and create it again.`;
  if (status === 403 && what === 'secret') {
    return (
      `check the Role of the worker’s service account: it needs the verbs get, create, update and delete on secrets in ` +
      `namespace ${namespace} (in the official chart: jobApiKeyPropagation: autoSecret).`
    );
  }
  if (status === 403) {
    return `check the Role of the worker’s service account: it needs the verb create on jobs (API group batch) in namespace ${namespace}.`;
  }
  if (status === 404) return `namespace ${namespace} does not exist: create it, or correct the job variable namespace.`;
  if (/namespace of the provided object does not match/i.test(detail)) {
    return 'the job manifest names a namespace of its own: write {{ namespace }} there, as the default template does.';
  }
  if (status === 422 || status === 400) {
    return 'correct these fields in the work pool’s base job template or in the job variables of the deployment or run.';
  }
  return 'look at the API server’s log, then run the flow again.';
}
