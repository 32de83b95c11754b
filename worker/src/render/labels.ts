import { PREFECT_VERSION } from '../version.ts';
import type { RunContext } from './run-context.ts';
import { isLabelValue, slugLabelKey, slugLabelValue } from './slug.ts';

/** The label by which a Job and its pods are found again. */
export const FLOW_RUN_LABEL = 'prefect.io/flow-run-id';
export const WORK_POOL_LABEL = 'prefect.io/work-pool-id';

/**
 * The labels Prefect puts on a Job and its pods, in its order (contracts/worker.md §4.7), not yet slugged. The name of
 * the deployment takes the place of the flow's in `app.kubernetes.io/name`.
 */
export function prefectLabels({ run, flow, deployment, pool, workerName }: RunContext): Record<string, string> {
  return {
    [FLOW_RUN_LABEL]: run.id,
    'prefect.io/flow-run-name': run.name,
    'prefect.io/version': PREFECT_VERSION,
    'app.kubernetes.io/managed-by': 'prefect',
    'app.kubernetes.io/part-of': 'prefect',
    'app.kubernetes.io/version': PREFECT_VERSION,
    'prefect.io/work-pool-name': pool.name,
    [WORK_POOL_LABEL]: pool.id,
    'prefect.io/worker-name': workerName,
    'prefect.io/flow-id': flow.id,
    'prefect.io/flow-name': flow.name,
    'app.kubernetes.io/name': deployment?.name ?? flow.name,
    ...(deployment === undefined
      ? {}
      : {
          'prefect.io/deployment-id': deployment.id,
          'prefect.io/deployment-name': deployment.name,
          ...(deployment.updated ? { 'prefect.io/deployment-updated': pythonIsoFormat(deployment.updated) } : {}),
        }),
  };
}

/**
 * Slugs keys and values; of keys that become equal the last value counts, at the place of the first. A value that this
 * worker built and of which nothing valid is left (a flow called "???") becomes `unnamed`, where Python's Job is refused;
 * labels that a user wrote stay, and Kubernetes says what is wrong with them.
 *
 * @param built the labels from prefectLabels that no user label overrides.
 * @param note told of each value replaced.
 */
export function sluggedLabels(
  labels: Readonly<Record<string, string>>,
  built: Readonly<Record<string, string>>,
  note: (text: string) => void,
): Record<string, string> {
  const slugged = new Map<string, string>();
  for (const [key, value] of Object.entries(labels)) {
    const slug = slugLabelValue(value);
    const replaced = built[key] === value && !isLabelValue(slug);
    if (replaced) note(`label ${key} cannot hold "${value}"; it says "unnamed" instead`);
    slugged.set(slugLabelKey(key), replaced ? 'unnamed' : slug);
  }
  return Object.fromEntries(slugged);
}

/** A time of the API as Python's `isoformat()` writes it in UTC: microseconds left out when there are none. */
export function pythonIsoFormat(time: string): string {
  const parts = /^(.*?)(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)$/.exec(time);
  if (parts === null) return time;
  const [, seconds = '', fraction = '', zone = 'Z'] = parts;
  const moment = new Date(`${seconds}${zone}`);
  if (Number.isNaN(moment.getTime())) return time;
  const microseconds = fraction.padEnd(6, '0').slice(0, 6);
  const text = moment.toISOString().slice(0, 19);
  return `${text}${microseconds === '000000' ? '' : `.${microseconds}`}+00:00`;
}
