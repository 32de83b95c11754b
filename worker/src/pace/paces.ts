import type { KubernetesConnection } from '../k8s/connection.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { World } from '../world.ts';
import { Pace } from './pace.ts';
import { heardFromKubernetes, heardFromPrefect } from './verdict.ts';
import type { Verdict } from './window.ts';

/** The two servers a run has to pass, each with its pace. */
export interface Paces {
  /** Claims towards the Prefect API. */
  readonly claims: Pace;
  /** Objects created in the worker's own cluster. */
  readonly creates: Pace;
  /** Runs that may be in hand: the slower server's window. */
  readonly window: number;
}

/** Few claims at a time, so that the first run of a burst is done before the last is claimed. */
const RUNS_PER_CLAIM = 8;
const CLAIM_PATIENCE_MS = 2_000;
/** Most runs in hand are not being created at the moment. */
const RUNS_PER_CREATE = 2;
/** As many as there are connections for calls. */
const MOST_CREATES = 16;
const CREATE_PATIENCE_MS = 10_000;

/**
 * @param used runs in hand now.
 * @param signal aborted when nothing more may be sent.
 */
export function openPaces(
  used: () => number,
  metrics: Pick<Metrics, 'paceCuts'>,
  { clock, random, log }: World,
  signal: AbortSignal,
): Paces {
  const cut = (server: 'prefect' | 'kubernetes') => (reason: Verdict, window: number) => {
    metrics.paceCuts.inc({ server, reason });
    log.debug(`The pace towards ${server} is ${window} runs at a time: its last answer was ${reason}`);
  };
  const common = { used, clock, random, signal };
  const claims = new Pace({
    ...common,
    places: (window) => Math.ceil(window / RUNS_PER_CLAIM),
    patienceMs: CLAIM_PATIENCE_MS,
    heard: heardFromPrefect,
    onCut: cut('prefect'),
  });
  const creates = new Pace({
    ...common,
    places: (window) => Math.min(MOST_CREATES, window / RUNS_PER_CREATE),
    patienceMs: CREATE_PATIENCE_MS,
    heard: heardFromKubernetes,
    onCut: cut('kubernetes'),
  });
  return {
    claims,
    creates,
    get window() {
      return Math.min(claims.window, creates.window);
    },
  };
}

/** The connection with its creates in the lane of a pace; all other calls go as they come. */
export function paced(kubernetes: KubernetesConnection, pace: Pace): Pick<KubernetesConnection, 'call' | 'server'> {
  return {
    server: kubernetes.server,
    call: (call) => (call.method === 'POST' ? pace.pass(() => kubernetes.call(call)) : kubernetes.call(call)),
  };
}
