/**
 * Deployments and flows of the runs in hand, read in batches.
 *
 * Failure model. A run must be made with its deployment as it is now, not as it was for the run before: an answer is
 * good for a run only if the question was asked after that run was polled. Runs of one poll therefore share one request,
 * and nothing is kept longer than the next poll. A read that fails fails for those who waited for it; the next asks anew.
 */
import type { DeploymentRecord, FlowRecord } from '@slipway/prefect/client';

export interface Catalog {
  /** The deployment as it was after `since`, or undefined when it is gone. */
  deployment(id: string, since: number): Promise<DeploymentRecord | undefined>;
  /** The flow; its name never changes. */
  flow(id: string): Promise<FlowRecord | undefined>;
}

export interface CatalogReaders {
  readonly readDeployments: (ids: readonly string[]) => Promise<readonly DeploymentRecord[]>;
  readonly readFlows: (ids: readonly string[]) => Promise<readonly FlowRecord[]>;
  readonly clock: { now(): number };
}

/** At most this many ids in one request: the server gives no more in a page. */
const BATCH = 200;
/** Flows kept at most; a pool with more of them asks again now and then. */
const FLOWS_KEPT = 2000;

export function openCatalog(readers: CatalogReaders): Catalog {
  const deployments = batched(readers.readDeployments, readers.clock, BATCH);
  const flows = batched(readers.readFlows, readers.clock, FLOWS_KEPT);
  return { deployment: (id, since) => deployments(id, since), flow: (id) => flows(id, 0) };
}

interface Reading<T> {
  readonly askedAt: number;
  readonly found: Promise<ReadonlyMap<string, T>>;
}

/** Collects what is asked for in one turn of the event loop into one request. */
function batched<T extends { readonly id: string }>(
  read: (ids: readonly string[]) => Promise<readonly T[]>,
  clock: { now(): number },
  kept: number,
): (id: string, since: number) => Promise<T | undefined> {
  const readings = new Map<string, Reading<T>>();
  let waiting: Set<string> | undefined;
  let next: Promise<Reading<T>> | undefined;

  function ask(id: string): Promise<Reading<T>> {
    if (waiting === undefined || next === undefined || waiting.size >= BATCH) {
      const ids = new Set<string>();
      waiting = ids;
      next = new Promise((resolve) => {
        setImmediate(() => {
          if (waiting === ids) waiting = undefined;
          resolve({
            askedAt: clock.now(),
            found: read([...ids]).then((items) => new Map(items.map((each) => [each.id, each]))),
          });
        });
      });
    }
    waiting.add(id);
    return next;
  }

  return async (id, since) => {
    const known = readings.get(id);
    if (known !== undefined && known.askedAt >= since) return (await known.found).get(id);
    const reading = await ask(id);
    readings.delete(id);
    readings.set(id, reading);
    for (const [oldest] of readings) {
      if (readings.size <= kept) break;
      readings.delete(oldest);
    }
    try {
      return (await reading.found).get(id);
    } catch (error) {
      if (readings.get(id) === reading) readings.delete(id);
      throw error;
    }
  };
}
