import { Counter, Gauge, Registry } from 'prom-client';

/** The worker's own numbers, for /metrics. */
export interface Metrics {
  readonly registry: Registry;
  readonly polls: Counter;
  readonly claims: Counter<'outcome'>;
  readonly jobs: Counter<'outcome'>;
  readonly crashed: Counter;
  readonly repaired: Counter;
  readonly paceCuts: Counter<'server' | 'reason'>;
}

/** @param read numbers that are looked up when they are asked for. */
export function openMetrics(read: {
  readonly inHand: () => number;
  readonly liveJobs: () => number;
  readonly channelOpen: () => boolean;
  /** Runs at a time that each server can take. */
  readonly windows: () => { readonly prefect: number; readonly kubernetes: number };
}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  gauge('slipway_runs_in_hand', 'Runs being claimed or submitted', read.inHand);
  gauge('slipway_live_jobs', 'Jobs of flow runs that have not ended', read.liveJobs);
  gauge('slipway_worker_channel_open', '1 while heartbeats and the work pool go over the worker channel', () =>
    Number(read.channelOpen()),
  );
  new Gauge({
    name: 'slipway_pace_window',
    help: 'Runs at a time that the server can take, by its answers',
    labelNames: ['server'],
    registers,
    collect() {
      for (const [server, window] of Object.entries(read.windows())) this.set({ server }, window);
    },
  });
  return {
    registry,
    polls: new Counter({ name: 'slipway_polls_total', help: 'Polls answered', registers }),
    claims: new Counter({
      name: 'slipway_claims_total',
      help: 'Claims by outcome',
      labelNames: ['outcome'],
      registers,
    }),
    jobs: new Counter({ name: 'slipway_jobs_total', help: 'Jobs by outcome', labelNames: ['outcome'], registers }),
    crashed: new Counter({ name: 'slipway_crashed_total', help: 'Runs reported as Crashed', registers }),
    repaired: new Counter({
      name: 'slipway_repaired_total',
      help: 'Interrupted submissions taken up again',
      registers,
    }),
    paceCuts: new Counter({
      name: 'slipway_pace_cuts_total',
      help: 'Times the pace towards a server was cut, by what its answer was',
      labelNames: ['server', 'reason'],
      registers,
    }),
  };
}
