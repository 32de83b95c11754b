import { hasSucceeded, type RunRecord } from '../decide/decide.ts';
import type { Fact, JobFact, PodFact } from './facts.ts';
import type { Change } from './reflector.ts';

/** Runs whose Jobs are gone are remembered this long: their Pods' last events may still come. */
const DELETED_KEPT = 1_000;

/**
 * What the cluster shows of flow runs, put together from the reflectors, with a list of runs that changed. It holds
 * nothing that a new list would not bring back, except Jobs that were seen to be deleted.
 */
export class RunStore {
  readonly #jobs = new Map<string, Map<string, JobFact>>();
  readonly #pods = new Map<string, Map<string, PodFact>>();
  readonly #deleted = new Map<string, JobFact[]>();
  readonly #changed: (flowRunId: string) => void;

  /** @param changed told of a run each time something about it has changed. */
  constructor(changed: (flowRunId: string) => void) {
    this.#changed = changed;
  }

  apply({ kind, fact }: Change<Fact>): void {
    const facts = fact.kind === 'job' ? this.#jobs : this.#pods;
    const ofRun = facts.get(fact.flowRunId) ?? new Map();
    if (kind === 'set') facts.set(fact.flowRunId, ofRun.set(fact.uid, fact));
    else {
      ofRun.delete(fact.uid);
      if (ofRun.size === 0) facts.delete(fact.flowRunId);
      if (fact.kind === 'job' && !hasSucceeded(fact)) this.#rememberDeleted(fact);
    }
    this.#changed(fact.flowRunId);
  }

  record(flowRunId: string): RunRecord {
    return {
      jobs: [...(this.#jobs.get(flowRunId)?.values() ?? [])],
      pods: [...(this.#pods.get(flowRunId)?.values() ?? [])],
      deletedJobs: this.#deleted.get(flowRunId) ?? [],
    };
  }

  /** The run has been dealt with: its deleted Jobs say nothing any more. */
  forgetDeleted(flowRunId: string): void {
    this.#deleted.delete(flowRunId);
  }

  /** Jobs that have neither failed nor succeeded. */
  liveJobs(isLive: (job: JobFact) => boolean): number {
    let count = 0;
    for (const jobs of this.#jobs.values()) for (const job of jobs.values()) if (isLive(job)) count += 1;
    return count;
  }

  #rememberDeleted(job: JobFact): void {
    this.#deleted.set(job.flowRunId, [...(this.#deleted.get(job.flowRunId) ?? []), job]);
    for (const [oldest] of this.#deleted) {
      if (this.#deleted.size <= DELETED_KEPT) break;
      this.#deleted.delete(oldest);
    }
  }
}
