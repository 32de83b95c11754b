/**
 * What the worker knows of the Jobs and pods of flow runs, by run.
 *
 * Failure model. Level-triggered: a change only says "look at this run again", what is looked at is the state of now, so
 * a change that comes twice, late or together with others does no harm. A Job that disappears without having succeeded is
 * kept until somebody has decided about it. Numbers (live Jobs) are counted from what is there, never kept by adding.
 */
import type { FlowRunId } from '../ids.ts';
import { isFinished, isSucceeded } from './job-state.ts';
import type { JobRecord, PodRecord } from './records.ts';

/** All that is known of one run's objects. */
export interface RunRecord {
  readonly run: FlowRunId;
  readonly jobs: readonly JobRecord[];
  readonly pods: readonly PodRecord[];
  /** Jobs that were deleted before they had succeeded. */
  readonly gone: readonly JobRecord[];
}

type Kept = JobRecord | PodRecord;

/** Deleted Jobs kept at most, oldest first out: they wait for a decision, usually for less than a second. */
const GONE_KEPT = 5000;

export class RunStore {
  readonly #objects = new Map<string, Kept>();
  readonly #byRun = new Map<FlowRunId, Map<string, Kept>>();
  readonly #gone = new Map<string, JobRecord>();
  readonly #changed = new Set<FlowRunId>();
  #wake: (() => void) | undefined;

  get size(): number {
    return this.#objects.size;
  }

  record(run: FlowRunId): RunRecord {
    const objects = [...(this.#byRun.get(run)?.values() ?? [])];
    return {
      run,
      jobs: objects.filter((each) => each.kind === 'job'),
      pods: objects.filter((each) => each.kind === 'pod'),
      gone: [...this.#gone.values()].filter((each) => each.run === run),
    };
  }

  /** Jobs of a pool that are neither finished nor deleted. */
  liveJobs(pool: string): number {
    let count = 0;
    for (const each of this.#objects.values()) {
      if (each.kind === 'job' && each.pool === pool && !isFinished(each)) count += 1;
    }
    return count;
  }

  /** Takes an object as it is now; an older version of one that is known is passed over. */
  put(object: Kept): void {
    const key = keyOf(object);
    const known = this.#objects.get(key);
    if (known !== undefined && known.uid === object.uid && isOlder(object, known)) return;
    // Another object under the same name: the one before was deleted, unseen.
    if (known !== undefined && known.uid !== object.uid) this.remove(known);
    this.#objects.set(key, object);
    const ofRun = this.#byRun.get(object.run) ?? new Map<string, Kept>();
    ofRun.set(key, object);
    this.#byRun.set(object.run, ofRun);
    this.enqueue(object.run);
  }

  /** Takes note that an object was deleted; `object` is its last state. */
  remove(object: Kept): void {
    const key = keyOf(object);
    const known = this.#objects.get(key);
    if (known !== undefined && known.uid === object.uid) {
      this.#objects.delete(key);
      const ofRun = this.#byRun.get(object.run);
      ofRun?.delete(key);
      if (ofRun?.size === 0) this.#byRun.delete(object.run);
    }
    if (object.kind === 'job' && !isSucceeded(object)) {
      this.#gone.set(object.uid, object);
      for (const [oldest] of this.#gone) {
        if (this.#gone.size <= GONE_KEPT) break;
        this.#gone.delete(oldest);
      }
    }
    this.enqueue(object.run);
  }

  /**
   * Takes a whole list: what is known of that kind and place and not in the list has been deleted meanwhile.
   *
   * @param namespace undefined for a list of the whole cluster.
   */
  replace(kind: Kept['kind'], namespace: string | undefined, objects: readonly Kept[]): void {
    const listed = new Set(objects.map(keyOf));
    for (const known of [...this.#objects.values()]) {
      const inScope = known.kind === kind && (namespace === undefined || known.namespace === namespace);
      if (inScope && !listed.has(keyOf(known))) this.remove(known);
    }
    for (const object of objects) this.put(object);
  }

  /** A decision about a deleted Job was made. */
  forget(job: JobRecord): void {
    this.#gone.delete(job.uid);
  }

  /** Asks for this run to be looked at again. */
  enqueue(run: FlowRunId): void {
    this.#changed.add(run);
    this.#wake?.();
  }

  /** Runs to look at, each once however often it changed; ends when the signal is aborted. One reader at a time. */
  async *changedRuns(signal: AbortSignal): AsyncGenerator<FlowRunId> {
    const wake = () => this.#wake?.();
    signal.addEventListener('abort', wake, { once: true });
    try {
      while (!signal.aborted) {
        const [run] = this.#changed;
        if (run === undefined) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
          this.#wake = undefined;
        } else {
          this.#changed.delete(run);
          yield run;
        }
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }
}

function keyOf(object: Kept): string {
  return `${object.kind} ${object.namespace}/${object.name}`;
}

/** Versions of one object grow; they are opaque by contract, and numbers in every API server there is. */
function isOlder(object: Kept, than: Kept): boolean {
  const [a, b] = [Number(object.resourceVersion), Number(than.resourceVersion)];
  return Number.isFinite(a) && Number.isFinite(b) && a < b;
}
