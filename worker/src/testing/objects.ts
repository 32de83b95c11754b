/** Objects as the API server gives them, with what a test says and the rest as it usually is. */
export interface JobOptions {
  readonly uid?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly version?: string;
  readonly run?: string;
  readonly pool?: string;
  readonly createdAt?: string;
  readonly status?: object;
  readonly deleting?: boolean;
}

export function jobObject(options: JobOptions = {}): object {
  const { uid = 'u1', name = 'job', namespace = 'default', version = '1', run = 'run', pool = 'pool' } = options;
  return {
    metadata: {
      uid,
      name,
      namespace,
      resourceVersion: version,
      creationTimestamp: options.createdAt ?? '2026-11-24T12:00:00Z',
      ...(options.deleting ? { deletionTimestamp: '2026-11-24T12:01:00Z' } : {}),
      labels: { 'prefect.io/flow-run-id': run, 'prefect.io/work-pool-id': pool },
    },
    spec: { backoffLimit: 0 },
    status: options.status ?? { active: 1 },
  };
}

export interface PodOptions {
  readonly uid?: string;
  readonly job?: string;
  readonly run?: string;
  readonly version?: string;
  readonly status?: object;
}

export function podObject({ uid = 'p1', job = 'job', run = 'run', version = '1', status }: PodOptions = {}): object {
  return {
    metadata: {
      uid,
      name: `${job}-${uid}`,
      namespace: 'default',
      resourceVersion: version,
      creationTimestamp: '2026-11-24T12:00:01Z',
      labels: { 'prefect.io/flow-run-id': run, 'batch.kubernetes.io/job-name': job },
    },
    status: status ?? { phase: 'Pending' },
  };
}

/** The status of a pod whose first container waits for a reason. */
export function waitingStatus(reason: string, message = 'the kubelet’s words'): object {
  const state = { waiting: { reason, message } };
  return { phase: 'Pending', containerStatuses: [{ name: 'prefect-job', image: 'i', state }] };
}

/** The status of a pod whose first container has ended. */
export function terminatedStatus(exitCode: number, reason = 'Error', message = ''): object {
  const state = { terminated: { exitCode, reason, message } };
  return { phase: 'Failed', containerStatuses: [{ name: 'prefect-job', image: 'i', state }] };
}
