import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { balance } from '../chaos/accounts.ts';
import type { Decide } from '../chaos/chaos-proxy.ts';
import type { Asked, Side } from '../chaos/faults.ts';
import { type ChaosPlace, openScene, type Scene } from '../chaos/scene.ts';
import { until } from '../journey/cluster.ts';
import type { WorkerProcess } from './worker-process.ts';

/** A request on the way from a due run to its Job, in the order they come. */
interface Step {
  readonly what: string;
  readonly side: Side;
  readonly method: string;
  readonly path: RegExp;
  /** Not until this one has been asked: a request that is made at the worker's start too. */
  readonly after?: RegExp;
  /** It changes nothing, so it is all the same whether the server has heard of it. */
  readonly reads?: true;
  /** Not what decides who has the run: one way to end in it shows as much as three. */
  readonly aside?: true;
  /** How many runs there are; one, when it is not said. */
  readonly runs?: number;
}

const CLAIM = /\/set_state$/;
/** Of a burst the first goes alone and the others together. */
const BURST = 4;
const STEPS: readonly Step[] = [
  { what: 'the poll', side: 'prefect', method: 'POST', path: /\/get_scheduled_flow_runs$/, reads: true },
  { what: 'the claim', side: 'prefect', method: 'POST', path: CLAIM },
  { what: 'the claim of several', side: 'prefect', method: 'POST', path: /\/bulk_set_state$/, runs: BURST },
  { what: 'the deployment', side: 'prefect', method: 'POST', path: /\/deployments\/filter$/, reads: true },
  { what: 'the flow', side: 'prefect', method: 'POST', path: /\/flows\/filter$/, reads: true },
  { what: 'the work pool', side: 'prefect', method: 'GET', path: /\/work_pools\/[^/]+$/, after: CLAIM, reads: true },
  { what: 'the pid', side: 'prefect', method: 'PATCH', path: /\/flow_runs\/[^/]+$/ },
  { what: 'the labels', side: 'prefect', method: 'PATCH', path: /\/flow_runs\/[^/]+\/labels$/, aside: true },
  { what: 'the Secret', side: 'kubernetes', method: 'POST', path: /\/secrets$/, aside: true },
  { what: 'the Job', side: 'kubernetes', method: 'POST', path: /\/jobs$/ },
  { what: 'the owner of the Secret', side: 'kubernetes', method: 'PATCH', path: /\/secrets\/[^/]+$/, aside: true },
];
const BEFORE = 'before the server hears of';
const AFTER = 'after the server has answered';
const ENDINGS = [
  'killed, and started again',
  'killed beside another replica',
  'stalled until another has its Job',
] as const;
const momentsOf = ({ reads }: Step) => (reads ? [BEFORE] : [BEFORE, AFTER]);
const endingsOf = ({ reads, aside }: Step) => (reads || aside ? ENDINGS.slice(0, 1) : ENDINGS);

/** What is interrupted is taken up within two seconds. */
const AT_ONCE = { SLIPWAY_WORKER_REPAIR_SECONDS: '1', SLIPWAY_WORKER_ORPHAN_AFTER_SECONDS: '1' };
/** With it each Job needs a Secret of its own. */
const SECRETS = { PREFECT_INTEGRATIONS_KUBERNETES_WORKER_STORE_ENV_AS_SECRET: 'true' };
/** A sweep comes at least this often. */
const SWEEP_MS = 1_250;
const TIMEOUT_MS = 240_000;

/** Holds up one request, once. */
function holdUp(step: Step, moment: string) {
  let reached = false;
  const reach = () => {
    reached = true;
  };
  const released = Promise.withResolvers<void>();
  let armed = true;
  let mayCome = step.after === undefined;
  const isIt = ({ side, method, url }: Asked): boolean => {
    const [path = ''] = url.split('?');
    const found = armed && mayCome && side === step.side && method === step.method && step.path.test(path);
    mayCome ||= step.after?.test(path) ?? false;
    return found;
  };
  const decide: Decide = async (asked) => {
    if (!isIt(asked)) return { kind: 'pass' };
    armed = false;
    if (moment === AFTER) return { kind: 'withheld', done: reach, until: released.promise };
    reach();
    await released.promise;
    return { kind: 'pass' };
  };
  return { decide, isReached: () => reached, release: () => released.resolve() };
}

describe('a worker', () => {
  let place: ChaosPlace;
  beforeAll(() => {
    const { prefectApiUrl, kubeconfigPath } = inject('rig');
    place = { prefectApiUrl, kubeconfigPath, folder: mkdtempSync(join(tmpdir(), 'slipway-killed-')) };
  });
  afterAll(() => rmSync(place.folder, { recursive: true, force: true }));

  /** Until each run has its one Job and says where it is. */
  const inPlace = (scene: Scene, count: number, worker: WorkerProcess, signal: AbortSignal) =>
    until(
      'each run has its Job and says where it is',
      async () => {
        const [runs, jobs] = [await scene.runs(), await scene.jobs()];
        const places = new Map(jobs.map(({ flowRunId, name }) => [flowRunId, `${scene.name}:${name}`]));
        const areInPlace = runs.every(({ id, pid }) => pid !== undefined && pid === places.get(id));
        return balance(runs, jobs).right === count && areInPlace ? true : undefined;
      },
      {
        timeoutMs: TIMEOUT_MS,
        signal,
        describe: async () =>
          JSON.stringify([await scene.runs(), await scene.jobs(), worker.log().slice(-3_000)], undefined, 1),
      },
    );

  const cases = STEPS.flatMap((step) =>
    momentsOf(step).flatMap((moment) => endingsOf(step).map((ending) => ({ step, moment, ending, what: step.what }))),
  ).map((one, index) => ({ ...one, index }));
  describe.concurrent('makes one Job of each run', () => {
    it.for(cases)(
      'when it is $ending, $moment $what',
      { timeout: 2 * TIMEOUT_MS },
      async ({ step, moment, ending, index }, { signal, expect }) => {
        const hold = holdUp(step, moment);
        const scene = await openScene(`killed-${index}-${Date.now().toString(36)}`, place, hold.decide);
        const says = async (one: WorkerProcess) => (one.count('started!') > 0 ? true : undefined);
        const soon = { timeoutMs: TIMEOUT_MS, signal };
        try {
          const { runs = 1 } = step;
          await scene.addRuns(runs);
          const env = { ...AT_ONCE, ...SECRETS };
          const first = scene.startWorker(env);
          const isReached = async () => (hold.isReached() ? true : undefined);
          await until(`${step.what} is held up`, isReached, {
            ...soon,
            describe: async () => first.log().slice(-3_000),
          });
          if (ending === 'killed, and started again') await killed(first);
          const second = scene.startWorker(env);
          await until('the other has started', () => says(second), soon);
          if (ending === 'killed beside another replica') await killed(first);
          if (ending !== 'stalled until another has its Job') hold.release();
          await inPlace(scene, runs, second, signal);
          hold.release();
          if (ending === 'stalled until another has its Job') {
            first.kill('SIGTERM');
            expect(await first.ended, first.log()).toBe(0);
          }
          await wait(SWEEP_MS, undefined, { signal });
          second.kill('SIGTERM');
          expect(await second.ended, second.log()).toBe(0);
          const accounts = balance(await scene.runs(), await scene.jobs());
          expect(accounts).toEqual({ right: runs, lost: [], double: [], strange: [] });
        } finally {
          hold.release();
          await scene.close();
        }
      },
    );
  });
});

async function killed(worker: WorkerProcess): Promise<void> {
  worker.kill('SIGKILL');
  await worker.ended;
}
