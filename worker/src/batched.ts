interface Reading<T> {
  readonly askedAt: number;
  readonly found: Promise<ReadonlyMap<string, T>>;
}

export interface BatchOptions {
  readonly clock: { now(): number };
  /** At most this many ids in one request. */
  readonly batch: number;
  /** Answers kept at most; what falls out is asked for again. */
  readonly kept: number;
}

/**
 * Collects the ids asked for in one turn of the event loop into one request.
 *
 * @param read things by id, in any order; ids of things that do not exist are left out.
 * @returns a reader of one thing, undefined when there is no such thing, from a request sent after `since`. A request
 *   that fails fails for those who waited for it; the next one asks anew.
 */
export function batched<T extends { readonly id: string }>(
  read: (ids: readonly string[]) => Promise<readonly T[]>,
  options: BatchOptions,
): (id: string, since: number) => Promise<T | undefined> {
  const readings = new Map<string, Reading<T>>();
  let collecting: { readonly ids: Set<string>; readonly sent: Promise<Reading<T>> } | undefined;

  function ask(id: string): Promise<Reading<T>> {
    if (collecting === undefined || collecting.ids.size >= options.batch) {
      const ids = new Set<string>();
      const sent = new Promise<Reading<T>>((resolve) => {
        setImmediate(() => {
          if (collecting?.ids === ids) collecting = undefined;
          const found = read([...ids]).then((things) => new Map(things.map((each) => [each.id, each])));
          // Who waits for it gets the error; that nobody waits any more is no error.
          found.catch(() => undefined);
          resolve({ askedAt: options.clock.now(), found });
        });
      });
      collecting = { ids, sent };
    }
    collecting.ids.add(id);
    return collecting.sent;
  }

  return async (id, since) => {
    let reading = readings.get(id);
    if (reading === undefined || reading.askedAt < since) {
      reading = await ask(id);
      readings.delete(id);
      readings.set(id, reading);
      for (const [oldest] of readings) {
        if (readings.size <= options.kept) break;
        readings.delete(oldest);
      }
    }
    try {
      return (await reading.found).get(id);
    } catch (error) {
      if (readings.get(id) === reading) readings.delete(id);
      throw error;
    }
  };
}
