import { hasFailed, hasSucceeded, type RunRecord } from '../decide/decide.ts';
import { stuckReason } from '../decide/diagnosis.ts';
import type { Fact, JobFact, PodFact } from './facts.ts';
import type { Change } from './reflector.ts';

/** Runs with deleted Jobs that are remembered, oldest out first: they wait for a decision, for a second as a rule. */
const DELETED_KEPT = 1_000;

/**
 * What the cluster shows of flow runs, put together from the reflectors. It holds nothing that a new list would not bring
 * back, except which Jobs were seen to be deleted, and since when a Pod is stuck.
 */
export class RunStore {
  readonly #jobs = new Map<string, Map<string, JobFact>>();
  readonly #pods = new Map<string, Map<string, PodFact>>();
  readonly #deleted = new Map<string, JobFact[]>();
  /** By uid of the Pod: since when, in milliseconds, it has not come any further. */
  readonly #stuckSince = new Map<string, number>();
  readonly #now: () => number;
  readonly #changed: (flowRunId: string) => void;

  /** @param changed told of a run each time something about it has changed. */
  constructor(now: () => number, changed: (flowRunId: string) => void) {
    this.#now = now;
    this.#changed = changed;
  }

  apply({ kind, fact }: Change<Fact>): void {
    if (fact.kind === 'job') this.#applyJob(kind, fact);
    else this.#applyPod(kind, fact);
    this.#changed(fact.flowRunId);
  }

  record(flowRunId: string): RunRecord {
    const pods = [...(this.#pods.get(flowRunId)?.values() ?? [])];
    return {
      jobs: [...(this.#jobs.get(flowRunId)?.values() ?? [])],
      pods,
      deletedJobs: this.#deleted.get(flowRunId) ?? [],
      stuckSince: new Map(
        pods.flatMap(({ uid }) => {
          const since = this.#stuckSince.get(uid);
          return since === undefined ? [] : [[uid, since] as const];
        }),
      ),
    };
  }

  /** The run has been dealt with: its deleted Jobs say nothing any more. */
  forgetDeleted(flowRunId: string): void {
    this.#deleted.delete(flowRunId);
  }

  /** Jobs of a pool that have neither failed nor succeeded. */
  liveJobs(pool: string): number {
    let live = 0;
    for (const jobs of this.#jobs.values()) {
      for (const job of jobs.values()) if (job.pool === pool && !hasFailed(job) && !hasSucceeded(job)) live += 1;
    }
    return live;
  }

  /** True while a Job may still do something and no pod of it has started. */
  anyWaiting(): boolean {
    for (const [flowRunId, jobs] of this.#jobs) {
      for (const job of jobs.values()) {
        if (hasFailed(job) || hasSucceeded(job)) continue;
        const pods = [...(this.#pods.get(flowRunId)?.values() ?? [])].filter(({ jobName }) => jobName === job.name);
        if (pods.every(({ phase }) => phase === 'Pending')) return true;
      }
    }
    return false;
  }

  #applyJob(kind: Change<Fact>['kind'], job: JobFact): void {
    const ofRun = this.#jobs.get(job.flowRunId) ?? new Map<string, JobFact>();
    if (kind === 'set') this.#jobs.set(job.flowRunId, ofRun.set(job.uid, job));
    else {
      ofRun.delete(job.uid);
      if (ofRun.size === 0) this.#jobs.delete(job.flowRunId);
      if (!hasSucceeded(job)) this.#rememberDeleted(job);
    }
  }

  #applyPod(kind: Change<Fact>['kind'], pod: PodFact): void {
    const ofRun = this.#pods.get(pod.flowRunId) ?? new Map<string, PodFact>();
    if (kind === 'set') {
      this.#pods.set(pod.flowRunId, ofRun.set(pod.uid, pod));
      if (stuckReason(pod) === undefined) this.#stuckSince.delete(pod.uid);
      else if (!this.#stuckSince.has(pod.uid)) this.#stuckSince.set(pod.uid, this.#now());
    } else {
      ofRun.delete(pod.uid);
      this.#stuckSince.delete(pod.uid);
      if (ofRun.size === 0) this.#pods.delete(pod.flowRunId);
    }
  }

  #rememberDeleted(job: JobFact): void {
    this.#deleted.set(job.flowRunId, [...(this.#deleted.get(job.flowRunId) ?? []), job]);
    for (const [oldest] of this.#deleted) {
      if (this.#deleted.size <= DELETED_KEPT) break;
      this.#deleted.delete(oldest);
    }
  }
}
