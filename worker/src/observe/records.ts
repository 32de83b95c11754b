import { z } from 'zod';
import { type FlowRunId, flowRunId } from '../ids.ts';
import { FLOW_RUN_LABEL, WORK_POOL_LABEL } from '../render/labels.ts';

/** What is kept of a Job: about half a kilobyte of what can be ten. */
export interface JobRecord {
  readonly kind: 'job';
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly run: FlowRunId;
  readonly pool: string | undefined;
  /** Milliseconds since the epoch; Kubernetes says whole seconds. */
  readonly createdAt: number;
  readonly deleting: boolean;
  readonly active: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly backoffLimit: number;
  /** Conditions that hold. */
  readonly conditions: readonly { readonly type: string; readonly reason: string; readonly message: string }[];
}

export interface ContainerRecord {
  readonly name: string;
  readonly image: string;
  readonly waiting: { readonly reason: string; readonly message: string } | undefined;
  readonly terminated: Termination | undefined;
}

export interface Termination {
  readonly exitCode: number;
  readonly signal: number | undefined;
  readonly reason: string;
  readonly message: string;
}

/** What is kept of a pod. */
export interface PodRecord {
  readonly kind: 'pod';
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly run: FlowRunId;
  /** The Job it belongs to. */
  readonly jobUid: string | undefined;
  readonly phase: string;
  readonly reason: string;
  readonly message: string;
  /** When the kubelet, or before that Kubernetes, took it on; milliseconds since the epoch. */
  readonly startedAt: number;
  readonly deleting: boolean;
  /** Init containers first. */
  readonly containers: readonly ContainerRecord[];
}

const text = z.string().nullish();
const Metadata = z.object({
  namespace: z.string(),
  name: z.string(),
  uid: z.string(),
  resourceVersion: z.string(),
  creationTimestamp: text,
  deletionTimestamp: text,
  labels: z.record(z.string(), z.string()).nullish(),
  ownerReferences: z.array(z.object({ kind: text, uid: text })).nullish(),
});
const Condition = z.object({ type: z.string(), status: z.string(), reason: text, message: text });
const Job = z.object({
  metadata: Metadata,
  spec: z.object({ backoffLimit: z.number().nullish() }).nullish(),
  status: z
    .object({
      active: z.number().nullish(),
      succeeded: z.number().nullish(),
      failed: z.number().nullish(),
      conditions: z.array(Condition).nullish(),
    })
    .nullish(),
});
const Terminated = z.object({ exitCode: z.number(), signal: z.number().nullish(), reason: text, message: text });
const ContainerStatus = z.object({
  name: z.string(),
  image: text,
  state: z
    .object({
      waiting: z.object({ reason: text, message: text }).nullish(),
      terminated: Terminated.nullish(),
    })
    .nullish(),
  lastState: z.object({ terminated: Terminated.nullish() }).nullish(),
});
const Pod = z.object({
  metadata: Metadata,
  status: z
    .object({
      phase: text,
      reason: text,
      message: text,
      startTime: text,
      initContainerStatuses: z.array(ContainerStatus).nullish(),
      containerStatuses: z.array(ContainerStatus).nullish(),
    })
    .nullish(),
});

/** Reads a Job as the API gives it; undefined when it belongs to no flow run. @throws ZodError for what is no Job. */
export function readJobRecord(object: unknown): JobRecord | undefined {
  const { metadata, spec, status } = Job.parse(object);
  const run = metadata.labels?.[FLOW_RUN_LABEL];
  if (run === undefined) return undefined;
  return {
    kind: 'job',
    ...identityOf(metadata, run),
    pool: metadata.labels?.[WORK_POOL_LABEL],
    createdAt: time(metadata.creationTimestamp),
    active: status?.active ?? 0,
    succeeded: status?.succeeded ?? 0,
    failed: status?.failed ?? 0,
    // Kubernetes' own default, for objects that lack it.
    backoffLimit: spec?.backoffLimit ?? 6,
    conditions: (status?.conditions ?? [])
      .filter((condition) => condition.status === 'True')
      .map(({ type, reason, message }) => ({ type, reason: reason ?? '', message: message ?? '' })),
  };
}

/** Reads a pod as the API gives it; undefined when it belongs to no flow run. @throws ZodError for what is no pod. */
export function readPodRecord(object: unknown): PodRecord | undefined {
  const { metadata, status } = Pod.parse(object);
  const run = metadata.labels?.[FLOW_RUN_LABEL];
  if (run === undefined) return undefined;
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return {
    kind: 'pod',
    ...identityOf(metadata, run),
    jobUid: metadata.ownerReferences?.find((owner) => owner.kind === 'Job')?.uid ?? undefined,
    phase: status?.phase ?? 'Unknown',
    reason: status?.reason ?? '',
    message: status?.message ?? '',
    startedAt: time(status?.startTime ?? metadata.creationTimestamp),
    containers: containers.map(({ name, image, state, lastState }) => ({
      name,
      image: image ?? '',
      waiting: state?.waiting
        ? { reason: state.waiting.reason ?? '', message: state.waiting.message ?? '' }
        : undefined,
      terminated: termination(state?.terminated ?? lastState?.terminated),
    })),
  };
}

function identityOf(metadata: z.infer<typeof Metadata>, run: string) {
  const { namespace, name, uid, resourceVersion } = metadata;
  return { namespace, name, uid, resourceVersion, run: flowRunId(run), deleting: Boolean(metadata.deletionTimestamp) };
}

function termination(state: z.infer<typeof Terminated> | null | undefined): Termination | undefined {
  if (!state) return undefined;
  const { exitCode, signal, reason, message } = state;
  return { exitCode, signal: signal || undefined, reason: reason ?? '', message: message ?? '' };
}

function time(text: string | null | undefined): number {
  const parsed = Date.parse(text ?? '');
  return Number.isNaN(parsed) ? 0 : parsed;
}
