/**
 * The work queues that runs are taken from: all of the pool, named ones, and those that patterns find.
 *
 * A poll names its queues, and the server answers 404 when one of them is not there. So a name goes out as it was given,
 * and of a pattern the queues that match it now. With patterns the pool's queues are read once a minute and after such a
 * 404, without patterns never.
 *
 * Failure model. When the queues cannot be read, the poll that needs them fails and is tried again, by the queues that
 * were read last if there are any.
 */
import type { World } from '../world.ts';

export interface ServedQueuesOptions {
  /** Names, and patterns in which `*` stands for any characters; none: every queue. */
  readonly wanted: readonly string[];
  readonly readQueues: (signal: AbortSignal) => Promise<readonly { readonly name: string }[]>;
  readonly world: Pick<World, 'clock' | 'log'>;
}

const FRESH_MS = 60_000;

export class ServedQueues {
  readonly #options: ServedQueuesOptions;
  readonly #names: readonly string[];
  readonly #patterns: readonly string[];
  #matching: { readonly names: readonly string[]; readonly readAt: number } | undefined;

  constructor(options: ServedQueuesOptions) {
    this.#options = options;
    this.#names = options.wanted.filter((each) => !isPattern(each));
    this.#patterns = options.wanted.filter(isPattern);
  }

  /** Whether runs of a queue of this name are taken. */
  serves(name: string): boolean {
    return isServed(this.#options.wanted, name);
  }

  /** The names to poll with, none for every queue; `nothing` when no queue is wanted that there is. */
  async toPoll(signal: AbortSignal): Promise<readonly string[] | 'nothing'> {
    if (this.#patterns.length === 0) return this.#names;
    const names = [...new Set([...this.#names, ...(await this.#find(signal))])].sort();
    return names.length === 0 ? 'nothing' : names;
  }

  /** A queue that was polled is not there: queues found by patterns are looked up anew. @returns whether there are any. */
  missing(): boolean {
    const matching = this.#matching?.names ?? [];
    this.#matching = undefined;
    return matching.length > 0;
  }

  async #find(signal: AbortSignal): Promise<readonly string[]> {
    const { readQueues, world } = this.#options;
    const now = world.clock.now();
    const before = this.#matching;
    if (before !== undefined && now - before.readAt < FRESH_MS) return before.names;
    try {
      const found = await readQueues(signal);
      const names = found.map(({ name }) => name).filter((name) => isServed(this.#patterns, name));
      this.#matching = { names: names.sort(), readAt: now };
    } catch (error) {
      if (before === undefined) throw error;
      this.#matching = { ...before, readAt: now };
    }
    const { names } = this.#matching;
    if (before === undefined || before.names.join('\n') !== names.join('\n')) {
      const list = names.length === 0 ? 'no queue; it is looked again every minute' : names.join(', ');
      world.log.info(`Work queues that match ${this.#patterns.join(', ')}: ${list}`);
    }
    return names;
  }
}

/** Whether it stands for other queues than the one that is called so. */
export function isPattern(wanted: string): boolean {
  return wanted.includes('*');
}

/** @param wanted names and patterns; none: every queue. */
export function isServed(wanted: readonly string[], name: string): boolean {
  return wanted.length === 0 || wanted.some((each) => each === name || (isPattern(each) && matches(each, name)));
}

/** @param pattern with at least one `*`. */
function matches(pattern: string, name: string): boolean {
  const [begin = '', ...rest] = pattern.split('*');
  const end = rest.pop() ?? '';
  let at = begin.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.startsWith(begin) && name.endsWith(end) && name.length - end.length >= at;
}
