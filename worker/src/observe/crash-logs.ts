/**
 * The last lines that the containers of a crashed run wrote: why a run crashed before its flow could say so itself.
 *
 * Failure model. Nothing waits for it long and nothing fails by it: each read has a deadline, all of a run together have
 * another, and what cannot be read is left out. That the worker may not read logs is said once. What is read is bounded:
 * lines and bytes a container, pods a run, reads at a time.
 */
import { masked } from '@slipway/prefect/settings';
import pLimit from 'p-limit';
import { pathOf } from '../k8s/api.ts';
import type { KubernetesConnection } from '../k8s/connection.ts';
import { KubernetesApiError } from '../k8s/errors.ts';
import type { World } from '../world.ts';
import type { ContainerFact, PodFact } from './facts.ts';

export interface CrashLogPolicy {
  readonly enabled: boolean;
  /** Lines of a container at most. */
  readonly tailLines: number;
  /** Never told, wherever they stand. */
  readonly secrets: readonly string[];
}

/** The container that runs the flow in Prefect's default template. */
const FLOW_CONTAINER = 'prefect-job';
const MOST_PODS = 5;
const AT_A_TIME = 4;
const MOST_BYTES = 1024 * 1024;
/** Prefect's default for a line that is sent to the API. */
const LONGEST_LINE = 1_000_000;
const CUT = '... [truncated]';
const READ_MS = 5_000;
const RUN_MS = 15_000;

export class CrashLogs {
  readonly #kubernetes: Pick<KubernetesConnection, 'call'>;
  readonly #policy: CrashLogPolicy;
  readonly #log: World['log'];
  readonly #place = pLimit(AT_A_TIME);
  #refusalTold = false;

  constructor(kubernetes: Pick<KubernetesConnection, 'call'>, policy: CrashLogPolicy, log: World['log']) {
    this.#kubernetes = kubernetes;
    this.#policy = policy;
    this.#log = log;
  }

  /**
   * @param pods the pods of a run; those of its newest Job are read, the newest first.
   * @returns lines, a heading before those of each container; none when there is nothing to tell. Never rejects.
   */
  async read(pods: readonly PodFact[], signal: AbortSignal): Promise<readonly string[]> {
    if (!this.#policy.enabled) return [];
    const enough = AbortSignal.any([signal, AbortSignal.timeout(RUN_MS)]);
    const lines: string[] = [];
    for (const pod of podsToRead(pods)) lines.push(...(await this.#readPod(pod, enough)));
    return lines;
  }

  async #readPod(pod: PodFact, signal: AbortSignal): Promise<string[]> {
    const { first, others } = containersToRead(pod);
    if (first !== undefined) {
      const lines = await this.#readContainer(pod, first, signal);
      if (lines.length > 0) return lines;
    }
    const all: string[] = [];
    for (const container of others) all.push(...(await this.#readContainer(pod, container, signal)));
    return all;
  }

  /** What the instance that ended before wrote, else the one that is there now. */
  async #readContainer(pod: PodFact, container: ContainerFact, signal: AbortSignal): Promise<string[]> {
    for (const previous of [true, false]) {
      const text = await this.#place(() => this.#readLog(pod, container, previous, signal));
      const lines = text.split(/\r\n|[\n\r]/).filter((line) => line.trim() !== '');
      if (lines.length === 0) continue;
      const kind = container.init ? 'init container' : 'container';
      return [
        `Container logs from ${kind} '${container.name}' in pod '${pod.name}':`,
        ...lines.map((line) => shortened(masked(line, this.#policy.secrets))),
      ];
    }
    return [];
  }

  /** @returns the end of a log, or nothing. */
  async #readLog(pod: PodFact, container: ContainerFact, previous: boolean, signal: AbortSignal): Promise<string> {
    try {
      // The limit of bytes drops what is newest: when it is met, fewer lines are asked for.
      for (let lines = this.#policy.tailLines; ; lines = Math.ceil(lines / 10)) {
        const text = await this.#kubernetes.call({
          method: 'GET',
          path: `${pathOf('pods', pod.namespace, pod.name)}/log`,
          query: {
            container: container.name,
            tailLines: String(lines),
            limitBytes: String(MOST_BYTES),
            previous: previous ? 'true' : undefined,
          },
          signal: AbortSignal.any([signal, AbortSignal.timeout(READ_MS)]),
        });
        if (lines === 1 || Buffer.byteLength(text) < MOST_BYTES) return text;
      }
    } catch (error) {
      if (error instanceof KubernetesApiError && error.status === 403 && !this.#refusalTold) {
        this.#refusalTold = true;
        this.#log.warning(
          `The logs of crashed pods cannot be told: the worker’s Role needs the verb get on pods/log in namespace ${pod.namespace}`,
        );
      }
      // An instance before this one there is seldom.
      if (!previous) this.#log.debug(`Log of ${container.name} in ${pod.name}: ${String(error)}`);
      return '';
    }
  }
}

/** Pods of the newest Job that did not succeed, the newest first. */
export function podsToRead(pods: readonly PodFact[]): readonly PodFact[] {
  const byAge = pods.toSorted((a, b) => b.createdAt - a.createdAt);
  return byAge
    .filter(({ jobName, phase }) => jobName === byAge[0]?.jobName && phase !== 'Succeeded')
    .slice(0, MOST_PODS);
}

/**
 * The container that runs the flow, when it can be told: the only one, or the one of that name. The others, init
 * containers first, are read when it has nothing to say.
 */
export function containersToRead({ containers }: Pick<PodFact, 'containers'>): {
  readonly first: ContainerFact | undefined;
  readonly others: readonly ContainerFact[];
} {
  const own = containers.filter(({ init }) => !init);
  const first = own.length === 1 ? own[0] : own.find(({ name }) => name === FLOW_CONTAINER);
  return { first, others: containers.filter((one) => one !== first) };
}

function shortened(line: string): string {
  return line.length <= LONGEST_LINE ? line : line.slice(0, LONGEST_LINE - CUT.length) + CUT;
}
