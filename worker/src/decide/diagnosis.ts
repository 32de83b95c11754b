import type { ContainerFact, JobFact, PodFact } from '../observe/facts.ts';

/** Reasons of waiting containers that do not pass while the Pod stays as it is (contracts/worker.md §5.5 and beyond). */
const STUCK = new Set([
  'ImagePullBackOff',
  'ErrImagePull',
  'InvalidImageName',
  'ImageInspectError',
  'ErrImageNeverPull',
  'RegistryUnavailable',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'CrashLoopBackOff',
]);

/** Of these, those that no waiting helps: the image's name itself is wrong, or must not be pulled. */
const FINAL = new Set(['InvalidImageName', 'ErrImageNeverPull']);

const REMEDY: Readonly<Record<string, string>> = {
  ImagePullBackOff: 'Check the image’s name and tag, and that the cluster may pull it (imagePullSecrets).',
  ErrImagePull: 'Check the image’s name and tag, and that the cluster may pull it (imagePullSecrets).',
  InvalidImageName: 'Correct the job variable image.',
  CreateContainerConfigError: 'Create the Secret or ConfigMap it names, or correct the name.',
  OOMKilled: 'Raise the memory limit, or let the flow use less.',
  DeadlineExceeded: 'Raise activeDeadlineSeconds of the Job, or let the flow run shorter.',
  Evicted: 'Look at the node’s pressure, and at the requests of the Job.',
};

/** Why a Pod does not start, in the kubelet's words; undefined while it may still start. */
export function stuckReason(pod: PodFact): string | undefined {
  for (const { name, waiting } of pod.containers) {
    if (waiting === undefined || !STUCK.has(waiting.reason)) continue;
    return sentence(`container ${name} of pod ${pod.name}: ${waiting.reason}`, waiting.message, waiting.reason);
  }
  return undefined;
}

/** True for a Pod that stays stuck whatever happens around it. */
export function neverPasses(pod: PodFact): boolean {
  return pod.containers.some(({ waiting }) => waiting !== undefined && FINAL.has(waiting.reason));
}

/**
 * Why a Job has failed, from its own condition and from the last of its Pods that says something: OOMKilled, an exit
 * code, eviction, a deadline. Never empty.
 */
export function failureReason(job: JobFact, pods: readonly PodFact[]): string {
  const own = pods.filter((pod) => pod.jobName === job.name).sort((a, b) => b.createdAt - a.createdAt);
  const fromPods = own.flatMap((pod) => podReason(pod) ?? []);
  const condition = job.ended?.type === 'Failed' ? job.ended : undefined;
  // BackoffLimitExceeded only says that a pod failed: what the pod says is better.
  const fromJob =
    condition === undefined || (condition.reason === 'BackoffLimitExceeded' && fromPods.length > 0)
      ? undefined
      : sentence(condition.reason || 'Failed', condition.message, condition.reason);
  return [fromJob, fromPods[0]].filter((text) => text !== undefined).join(' ') || 'its pod failed and is gone.';
}

function podReason(pod: PodFact): string | undefined {
  if (pod.reason !== '') return sentence(`pod ${pod.name}: ${pod.reason}`, pod.message, pod.reason);
  const ended = pod.containers.find(({ terminated }) => terminated !== undefined && terminated.exitCode !== 0);
  if (ended?.terminated !== undefined) return containerEnd(pod, ended, ended.terminated);
  return stuckReason(pod);
}

function containerEnd(pod: PodFact, { name }: ContainerFact, end: NonNullable<ContainerFact['terminated']>): string {
  const what = end.reason === '' || end.reason === 'Error' ? 'ended' : `was ended (${end.reason})`;
  return sentence(
    `container ${name} of pod ${pod.name} ${what} with exit code ${end.exitCode}`,
    end.message,
    end.reason,
  );
}

function sentence(what: string, detail: string, reason: string): string {
  const said = detail === '' ? '' : `: ${detail}`;
  const text = `${what}${said}`.replace(/[.\s]+$/, '');
  const remedy = REMEDY[reason];
  return remedy === undefined ? `${text}.` : `${text}. ${remedy}`;
}
