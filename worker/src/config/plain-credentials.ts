import type { WorkerConfig } from './config.ts';

/**
 * A warning when Jobs will show the auth string to everybody who may read Jobs; Prefect's worker gives it for every Job
 * (contracts/worker.md §4.9), this one at its start. Undefined when there is nothing to warn of.
 */
export function plainCredentials({ render }: Pick<WorkerConfig, 'render'>): string | undefined {
  const { prefectEnv, authStringSecret, envSecret } = render;
  if (!prefectEnv.PREFECT_API_AUTH_STRING || authStringSecret !== undefined || envSecret) return undefined;
  return (
    'PREFECT_API_AUTH_STRING will stand in every Job, where whoever may read Jobs reads it. Keep it in a Secret of the ' +
    'Jobs’ namespace and name it in PREFECT_INTEGRATIONS_KUBERNETES_WORKER_API_AUTH_STRING_SECRET_NAME and …_KEY.'
  );
}
