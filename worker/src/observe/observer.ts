/**
 * Watches the Jobs and Pods of flow runs, and has each run looked at whose objects change.
 *
 * Failure model. The reflectors keep their copies true by themselves; what they miss meanwhile, their next list brings
 * out. A namespace that nobody named, and where Jobs turn out to be made, is watched from its first Job on; after a
 * restart of the worker, from the next.
 */
import { Judge, type JudgeOptions } from '../decide/judge.ts';
import { FLOW_RUN_LABEL } from '../render/labels.ts';
import { type CrashLogPolicy, CrashLogs } from './crash-logs.ts';
import { type Fact, type JobFact, type PodFact, readJob, readPod } from './facts.ts';
import type { Namespaces } from './live.ts';
import { type Change, Reflector } from './reflector.ts';
import { RunStore } from './store.ts';

export interface ObserverOptions extends Omit<JudgeOptions, 'namespaces' | 'record' | 'settled' | 'crashLogs'> {
  readonly namespaces: Namespaces;
  /** More labels that the Jobs and Pods must have. */
  readonly labelFilters: Readonly<Record<string, string>>;
  readonly crashLogs: CrashLogPolicy;
  /** Told when a Job has appeared, changed or gone: there may be room for another. */
  readonly jobsChanged: () => void;
}

/** One namespace, or with undefined all of them. */
interface Watched {
  readonly namespace: string | undefined;
  readonly jobs: Reflector<JobFact>;
  readonly pods: Reflector<PodFact>;
}

export class Observer {
  readonly store: RunStore;
  readonly #options: ObserverOptions;
  readonly #labelSelector: string;
  readonly #judge: Judge;
  readonly #watched: Watched[];
  /** Set while run() is running. */
  #running: { readonly signal: AbortSignal; readonly fail: (error: unknown) => void } | undefined;

  constructor(options: ObserverOptions) {
    this.#options = options;
    const filters = Object.entries(options.labelFilters).map(([key, value]) => `${key}=${value}`);
    this.#labelSelector = [FLOW_RUN_LABEL, ...filters].join(',');
    this.#judge = new Judge({
      ...options,
      crashLogs: new CrashLogs(options.kubernetes, options.crashLogs, options.world.log),
      namespaces: () => this.namespaces,
      record: (flowRunId) => this.store.record(flowRunId),
      settled: (flowRunId) => this.store.forgetDeleted(flowRunId),
    });
    const { clock } = options.world;
    this.store = new RunStore(
      () => clock.now(),
      (flowRunId) => this.#judge.lookAt(flowRunId),
    );
    this.#watched = options.namespaces.map((namespace) => this.#watch(namespace));
  }

  /** Where Jobs are looked for; undefined in it stands for everywhere. */
  get namespaces(): Namespaces {
    return this.#watched.map(({ namespace }) => namespace);
  }

  /** True once every copy has been filled. */
  get synced(): boolean {
    return this.#watched.every(({ jobs, pods }) => jobs.synced && pods.synced);
  }

  /** When the most silent watch last brought something, in milliseconds; 0 before. */
  get heardAt(): number {
    return Math.min(...this.#watched.flatMap(({ jobs, pods }) => [jobs.heardAt, pods.heardAt]));
  }

  /**
   * The Jobs of a run in one namespace by the copy held here; undefined where it says nothing: it is not filled yet, does
   * not look there, or is told to look at some Jobs only and has none of the run.
   */
  jobsOf(flowRunId: string, namespace: string): readonly JobFact[] | undefined {
    const watched = this.#watchedIn(namespace);
    if (watched?.jobs.synced !== true) return undefined;
    const jobs = this.store.record(flowRunId).jobs.filter((job) => job.namespace === namespace);
    const isPartial = Object.keys(this.#options.labelFilters).length > 0;
    return isPartial && jobs.length === 0 ? undefined : jobs;
  }

  /** Watches and judges until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { promise: failed, reject: fail } = Promise.withResolvers<never>();
    this.#running = { signal, fail };
    const watches = this.#watched.flatMap(({ jobs, pods }) => [jobs.run(signal), pods.run(signal)]);
    await Promise.race([Promise.all([...watches, this.#judge.run(signal)]), failed]);
  }

  /** Takes note of a Job that was just created, as Kubernetes answered: the watch would tell a little later. */
  created(namespace: string, job: unknown): void {
    const running = this.#running;
    if (running === undefined) return;
    let watched = this.#watchedIn(namespace);
    if (watched === undefined) {
      this.#options.world.log.info(`Jobs are made in namespace ${namespace}: it is watched from now on`);
      watched = this.#watch(namespace);
      this.#watched.push(watched);
      for (const reflector of [watched.jobs, watched.pods]) reflector.run(running.signal).catch(running.fail);
    }
    // With more labels asked for, only the API server knows whether this Job is one to watch.
    if (Object.keys(this.#options.labelFilters).length === 0) watched.jobs.learn(job);
  }

  #watchedIn(namespace: string): Watched | undefined {
    return this.#watched.find((one) => one.namespace === undefined || one.namespace === namespace);
  }

  #watch(namespace: string | undefined): Watched {
    const { kubernetes, world, jobsChanged } = this.#options;
    // Until both copies are filled nobody knows how many Jobs there are, and no change may ever come to an empty cluster.
    const common = { kubernetes, namespace, labelSelector: this.#labelSelector, world, onListed: jobsChanged };
    const apply = (change: Change<Fact>) => this.store.apply(change);
    const applyJob = (change: Change<Fact>) => {
      apply(change);
      jobsChanged();
    };
    return {
      namespace,
      jobs: new Reflector({ ...common, resource: 'jobs', read: readJob, onChange: applyJob }),
      pods: new Reflector({ ...common, resource: 'pods', read: readPod, onChange: apply }),
    };
  }
}
