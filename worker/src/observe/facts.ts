import * as z from 'zod';
import { FLOW_RUN_LABEL, WORK_POOL_LABEL } from '../render/labels.ts';

/** What the worker knows of one Job: a few hundred bytes of what can be ten thousand. */
export interface JobFact {
  readonly kind: 'job';
  readonly uid: string;
  readonly version: string;
  readonly name: string;
  readonly namespace: string;
  readonly flowRunId: string;
  /** The id of the work pool its run came from. */
  readonly pool: string | undefined;
  /** Milliseconds since the epoch; Kubernetes says whole seconds. */
  readonly createdAt: number;
  readonly backoffLimit: number;
  readonly active: number;
  readonly failed: number;
  readonly succeeded: number;
  /** The condition Complete or Failed, once there is one. */
  readonly ended:
    | { readonly type: 'Complete' | 'Failed'; readonly reason: string; readonly message: string }
    | undefined;
  readonly deleting: boolean;
}

/** What the worker knows of one Pod of a flow run. */
export interface PodFact {
  readonly kind: 'pod';
  readonly uid: string;
  readonly version: string;
  readonly name: string;
  readonly namespace: string;
  readonly flowRunId: string;
  readonly jobName: string;
  readonly createdAt: number;
  readonly phase: string;
  readonly reason: string;
  readonly message: string;
  /** Init containers first. */
  readonly containers: readonly ContainerFact[];
}

export interface ContainerFact {
  readonly name: string;
  readonly init: boolean;
  readonly waiting: { readonly reason: string; readonly message: string } | undefined;
  readonly terminated: { readonly reason: string; readonly message: string; readonly exitCode: number } | undefined;
}

export type Fact = JobFact | PodFact;

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const count = z
  .number()
  .nullish()
  .transform((value) => value ?? 0);
const Metadata = z.object({
  uid: z.string(),
  name: z.string(),
  namespace: z.string(),
  resourceVersion: z.string().default(''),
  creationTimestamp: text,
  deletionTimestamp: z.string().nullish(),
  labels: z.record(z.string(), z.string()).nullish(),
});
const Condition = z.object({ type: z.string(), status: z.string(), reason: text, message: text });

const Job = z.object({
  metadata: Metadata,
  spec: z.object({ backoffLimit: z.number().nullish() }).nullish(),
  status: z
    .object({ active: count, failed: count, succeeded: count, conditions: z.array(Condition).nullish() })
    .nullish(),
});

const ContainerStatus = z.object({
  name: z.string(),
  state: z
    .object({
      waiting: z.object({ reason: text, message: text }).nullish(),
      terminated: z.object({ reason: text, message: text, exitCode: count }).nullish(),
    })
    .nullish(),
});

const Pod = z.object({
  metadata: Metadata,
  status: z
    .object({
      phase: text,
      reason: text,
      message: text,
      initContainerStatuses: z.array(ContainerStatus).nullish(),
      containerStatuses: z.array(ContainerStatus).nullish(),
    })
    .nullish(),
});

/** Takes from a Job what decisions need; undefined when it belongs to no flow run. @throws ZodError for what is no Job. */
export function readJob(object: unknown): JobFact | undefined {
  const { metadata, spec, status } = Job.parse(object);
  const flowRunId = metadata.labels?.[FLOW_RUN_LABEL];
  if (flowRunId === undefined) return undefined;
  const ended = status?.conditions?.find(
    ({ type, status: is }) => is === 'True' && (type === 'Complete' || type === 'Failed'),
  );
  return {
    kind: 'job',
    ...identityOf(metadata, flowRunId),
    pool: metadata.labels?.[WORK_POOL_LABEL],
    // Kubernetes' own default, for an object that lacks it.
    backoffLimit: spec?.backoffLimit ?? 6,
    active: status?.active ?? 0,
    failed: status?.failed ?? 0,
    succeeded: status?.succeeded ?? 0,
    ended: ended && {
      type: ended.type === 'Failed' ? 'Failed' : 'Complete',
      reason: ended.reason,
      message: ended.message,
    },
    deleting: typeof metadata.deletionTimestamp === 'string',
  };
}

/** Takes from a Pod what decisions need; undefined when it belongs to no flow run. @throws ZodError for what is no Pod. */
export function readPod(object: unknown): PodFact | undefined {
  const { metadata, status } = Pod.parse(object);
  const flowRunId = metadata.labels?.[FLOW_RUN_LABEL];
  if (flowRunId === undefined) return undefined;
  const containers = [
    ...(status?.initContainerStatuses ?? []).map((one) => ({ ...one, init: true })),
    ...(status?.containerStatuses ?? []).map((one) => ({ ...one, init: false })),
  ];
  return {
    kind: 'pod',
    ...identityOf(metadata, flowRunId),
    jobName: metadata.labels?.['batch.kubernetes.io/job-name'] ?? metadata.labels?.['job-name'] ?? '',
    phase: status?.phase ?? '',
    reason: status?.reason ?? '',
    message: status?.message ?? '',
    containers: containers.map(({ name, init, state }) => ({
      name,
      init,
      waiting: state?.waiting ?? undefined,
      terminated: state?.terminated ?? undefined,
    })),
  };
}

function identityOf(metadata: z.infer<typeof Metadata>, flowRunId: string) {
  const { uid, resourceVersion: version, name, namespace, creationTimestamp } = metadata;
  return { uid, version, name, namespace, flowRunId, createdAt: Date.parse(creationTimestamp) || 0 };
}
