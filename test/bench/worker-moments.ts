import type { Passing } from './counting-proxy.ts';

/** What was seen of a worker through the proxies; times in milliseconds by performance.now(). */
export class WorkerMoments {
  /** Of the first poll: when it was asked for, and what the worker had used until then. */
  firstPoll: { readonly at: number; readonly cpuSeconds: number } | undefined;
  /** When each Job was created. */
  readonly jobs: number[] = [];
  /** When it last asked for something of which a run is the cause. */
  workedAt = 0;
  /** When it had asked for a watch of pods, which comes after their list. */
  watchesPodsAt: number | undefined;
  readonly #cpuSeconds: () => number;

  /** @param cpuSeconds what the worker has used until now. */
  constructor(cpuSeconds: () => number) {
    this.#cpuSeconds = cpuSeconds;
  }

  note({ kind, status }: Passing): void {
    const at = performance.now();
    if (kind === POLL && status === undefined) this.firstPoll ??= { at, cpuSeconds: this.#cpuSeconds() };
    if (kind === CREATE_JOB && status === 201) this.jobs.push(at);
    if (WATCH_PODS.test(kind) && status === 200) this.watchesPodsAt ??= at;
    if (!BY_THE_CLOCK.test(kind)) this.workedAt = at;
  }
}

const POLL = 'POST /work_pools/:name/get_scheduled_flow_runs';
const CREATE_JOB = 'POST /apis/batch/v1/namespaces/:namespace/jobs';
const WATCH_PODS = /^WATCH .*\/pods$/;
const BY_THE_CLOCK = /^(GET|WATCH|WS) |\/filter$|\/get_scheduled_flow_runs$|\/heartbeat$|\/logs\/$/;
