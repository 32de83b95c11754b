import type { PrefectApi } from '@slipway/prefect/client';
import { openPrefectSocket } from '@slipway/prefect/socket';
import { defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import { CleanupExecutor } from '../cleanup/executor.ts';
import { tearDown } from '../cleanup/teardown.ts';
import type { WorkerConfig } from '../config/config.ts';
import { uuid7 } from '../ids.ts';
import type { WorkPool } from '../intake/pool.ts';
import { isPattern } from '../intake/served-queues.ts';
import type { Clusters } from '../k8s/clusters.ts';
import { WORKER_METADATA } from '../version.ts';
import type { World } from '../world.ts';
import { WorkerChannel } from './worker-channel.ts';

export interface ChannelServices {
  readonly config: WorkerConfig;
  readonly api: PrefectApi;
  readonly clusters: Clusters;
  /** Told of every change that comes over the channel. */
  readonly pool: WorkPool;
  /** Told when the pool or the channel's health has changed. */
  readonly changed: () => void;
  /** Who speaks, as in the User-Agent of the HTTP client. */
  readonly product: string;
  readonly world: World;
}

/** The worker's channel, not yet open: `run` keeps it open, with what is handed out over it worked on, until its signal. */
export function openChannel({ config, api, clusters, pool, changed, product, world }: ChannelServices) {
  const { name, createIfNotFound, baseJobTemplate } = config.pool;
  const path = `/work_pools/${encodeURIComponent(name)}/workers/connect`;
  const channel = new WorkerChannel({
    open: (signal) => openPrefectSocket({ settings: config.prefect, path, product, signal }),
    hello: {
      consumerId: uuid7(world.clock.now()),
      workerName: config.workerName,
      heartbeatIntervalSeconds: config.heartbeatIntervalSeconds,
      // The server ends a channel that names a queue that is not there, and knows no patterns.
      queueNames: config.queueNames.some(isPattern) ? [] : config.queueNames,
      createPool: createIfNotFound,
      template: baseJobTemplate ?? defaultKubernetesTemplate,
      metadata: WORKER_METADATA,
    },
    poolIs(found) {
      pool.told(found);
      changed();
    },
    changed,
    world,
  });
  const services = { api, clusters, pool: () => pool.current, templateEnv: config.render.env, world };
  return {
    get healthy() {
      return channel.healthy;
    },
    get tried() {
      return channel.tried;
    },
    /** Resolves when the signal is aborted and nothing of it is left; never rejects. */
    async run(signal: AbortSignal): Promise<void> {
      const cleanup = new CleanupExecutor({
        send: (frame, waiting) => channel.send(frame, waiting),
        work: (message, lost) => tearDown(message, services, lost),
        world,
      });
      await channel.run(cleanup, signal);
      await cleanup.close();
    },
  };
}
