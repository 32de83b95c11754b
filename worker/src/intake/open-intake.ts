import { type PrefectApi, readWorkQueues } from '@slipway/prefect/client';
import type { DueRun } from '../claim/model.ts';
import type { WorkerConfig } from '../config/config.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { World } from '../world.ts';
import { Hinted } from './hinted.ts';
import { listenForHints } from './hints.ts';
import { intake } from './intake.ts';
import type { WorkPool } from './pool.ts';
import { ServedQueues } from './served-queues.ts';
import { QueueShares } from './shares.ts';
import type { Slots } from './slots.ts';

export interface Intake {
  /** Due runs until the signal is aborted, or of one poll with --run-once. */
  runs(signal: AbortSignal): AsyncGenerator<DueRun>;
  /** Hears of new runs until the signal is aborted; never rejects. */
  listen(signal: AbortSignal): Promise<void>;
}

export interface IntakeServices {
  readonly config: WorkerConfig;
  readonly api: PrefectApi;
  readonly pool: WorkPool;
  readonly slots: Slots;
  readonly metrics: Metrics;
  /** Told after every poll that was answered. */
  readonly polled: () => void;
  /** Who speaks, as in the User-Agent of the HTTP client. */
  readonly product: string;
  readonly world: World;
}

/** The intake of a worker, not yet listening: both of its ways run until their signals. */
export function openIntake(services: IntakeServices): Intake {
  const { config, api, pool, slots, metrics, polled, product, world } = services;
  const hinted = new Hinted(world);
  const readQueues = (signal: AbortSignal) => readWorkQueues(api, config.pool.name, signal);
  const queues = new ServedQueues({ wanted: config.queueNames, readQueues, world });
  const serves = (queue: string) => queues.serves(queue);
  const shares = new QueueShares({ serves, readQueues, clock: world.clock });
  const poolIsLimited = () => typeof pool.current.concurrency_limit === 'number';
  const poolId = () => pool.current.id;
  return {
    runs: (signal) =>
      intake({ config, api, slots, queues, hinted, shares, poolIsLimited, metrics, world, polled }, signal),
    listen: (signal) => listenForHints({ settings: config.prefect, product, poolId, serves, hinted, world }, signal),
  };
}
