const PREFIXES = ['PREFECT_WORKER_', 'PREFECT_INTEGRATIONS_KUBERNETES_', 'PREFECT_KUBERNETES_', 'SLIPWAY_WORKER_'];

/** What the worker reads, or knows and need not read (contracts/worker.md §1.2, §1.3). */
const KNOWN: ReadonlySet<string> = new Set([
  ...[
    'DEBUG_MODE',
    'HEARTBEAT_SECONDS',
    'QUERY_SECONDS',
    'PREFETCH_SECONDS',
    'ENABLE_CANCELLATION',
    'CANCELLATION_POLL_SECONDS',
    'WEBSERVER_HOST',
    'WEBSERVER_PORT',
  ].map((name) => `PREFECT_WORKER_${name}`),
  ...[
    'CLUSTER_UID',
    'WORKER_API_KEY_SECRET_NAME',
    'WORKER_API_KEY_SECRET_KEY',
    'WORKER_API_AUTH_STRING_SECRET_NAME',
    'WORKER_API_AUTH_STRING_SECRET_KEY',
    'WORKER_CREATE_SECRET_FOR_API_KEY',
    'WORKER_STORE_ENV_AS_SECRET',
    'WORKER_ADD_TCP_KEEPALIVE',
    'WORKER_CREATE_JOB_RETRY_MAX_RETRIES',
    'WORKER_CREATE_JOB_RETRY_DELAY_SECONDS',
    'WORKER_CREATE_JOB_RETRY_JITTER_MIN_SECONDS',
    'WORKER_CREATE_JOB_RETRY_JITTER_MAX_SECONDS',
    'OBSERVER_ENABLED',
    'OBSERVER_REPLICATE_POD_EVENTS',
    'OBSERVER_NAMESPACES',
    'OBSERVER_ADDITIONAL_LABEL_FILTERS',
    'OBSERVER_STARTUP_EVENT_CONCURRENCY',
    'OBSERVER_FORWARD_CRASHED_RUN_LOGS',
    'OBSERVER_FORWARD_CRASHED_RUN_LOGS_TAIL_LINES',
  ].map((name) => `PREFECT_INTEGRATIONS_KUBERNETES_${name}`),
  'PREFECT_KUBERNETES_CLUSTER_UID',
  'PREFECT_KUBERNETES_WORKER_STORE_PREFECT_API_IN_SECRET',
  'PREFECT_KUBERNETES_WORKER_ADD_TCP_KEEPALIVE',
  ...['DEFAULT_IMAGE', 'IMAGE_PULL_GRACE_SECONDS', 'REPAIR_SECONDS', 'ORPHAN_AFTER_SECONDS'].map(
    (name) => `SLIPWAY_WORKER_${name}`,
  ),
]);

/**
 * Environment variables that look like settings of the worker and are none: a misspelled setting would otherwise be
 * silently without effect. Kubernetes' own service variables (`PREFECT_WORKER_SERVICE_HOST`, `…_PORT_8080_TCP`) pass.
 */
export function unknownVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.keys(env)
    .filter((name) => PREFIXES.some((prefix) => name.startsWith(prefix)) && !KNOWN.has(name))
    .filter((name) => !/_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_\d+_(TCP|UDP|SCTP)(_.*)?)?)$/.test(name))
    .sort();
}
