import { Stopped } from '../image/builder.ts';
import type { BuiltImage, ImagePlan } from '../image/model.ts';
import type { PushCredentials } from './model.ts';

/** An image that is built, or will be when the queue runs. */
export interface Building {
  readonly plan: ImagePlan;
  /** Settles when the queue has run. */
  readonly made: Promise<BuiltImage>;
}

type Build = (plan: ImagePlan, credentials: PushCredentials | undefined) => Promise<BuiltImage>;

interface Waiting {
  readonly plan: ImagePlan;
  readonly credentials: PushCredentials | undefined;
  readonly result: PromiseWithResolvers<BuiltImage>;
}

/**
 * Builds that steps have asked for and nobody needs yet: they wait for one another, so that those of several deployments
 * run at the same time. Whoever runs a step that could tell the difference runs the queue first (prepare.ts).
 */
export class BuildQueue {
  readonly #build: Build;
  #waiting: Waiting[] = [];

  constructor(build: Build) {
    this.#build = build;
  }

  add(plan: ImagePlan, credentials: PushCredentials | undefined): Building {
    const result = Promise.withResolvers<BuiltImage>();
    // A failure is thrown by `run`; nobody may be waiting for the promise itself.
    result.promise.catch(() => undefined);
    this.#waiting.push({ plan, credentials, result });
    return { plan, made: result.promise };
  }

  /**
   * Builds all that wait, together, and returns when every one has ended. Those that share a name are built one after the
   * other, so that the last one asked for has the name, as with Prefect, and each finds its own image under it.
   *
   * @throws the failure of the first of them that failed by itself.
   */
  async run(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    const lastOf = new Map<string, Promise<BuiltImage>>();
    const builds = waiting.map(({ plan, credentials }) => {
      const names = plan.tags.map((tag) => `${plan.repository}:${tag}`);
      const before = names.flatMap((name) => lastOf.get(name) ?? []);
      const build =
        before.length === 0
          ? this.#build(plan, credentials)
          : Promise.all(before).then(() => this.#build(plan, credentials));
      for (const name of names) lastOf.set(name, build);
      return build;
    });
    const ends = await Promise.allSettled(builds);
    ends.forEach((end, index) => {
      if (end.status === 'fulfilled') waiting[index]?.result.resolve(end.value);
      else waiting[index]?.result.reject(end.reason);
    });
    const failures = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
    if (failures.length > 0) throw failures.find((failure) => !(failure instanceof Stopped)) ?? failures[0];
  }
}

/** An image that is there already. */
export function alreadyBuilt(image: BuiltImage): Building {
  return { plan: image.plan, made: Promise.resolve(image) };
}
