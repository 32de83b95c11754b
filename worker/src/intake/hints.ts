/**
 * Hears of runs that become ready, from the server's events, so that a run that somebody starts by hand does not wait for
 * the next poll.
 *
 * Failure model. Hints are a gift: no run depends on them. The server may not have them, may refuse them to this worker's
 * key, may drop some (it keeps 256 for a slow reader), may end at any time. What was missed the next poll finds. A refusal
 * is said once and asked again seldom, a lost connection is opened again with growing, jittered pauses, and nothing of it
 * ends the worker.
 */
import type { PrefectSettings } from '@slipway/prefect/settings';
import { openPrefectSocket, type PrefectSocket, type SocketEnd, SocketEndedError } from '@slipway/prefect/socket';
import { fullJitter } from '../backoff.ts';
import type { World } from '../world.ts';
import { filterFor, readHint } from './hint.ts';
import type { Hinted } from './hinted.ts';

export interface HintOptions {
  readonly settings: PrefectSettings;
  /** Who speaks: `slipway-worker/0.1.0`. */
  readonly product: string;
  /** The id of the pool as it is now: a pool that was made anew has another one. */
  readonly poolId: () => string;
  /** Whether runs of a queue of this name are taken. */
  readonly serves: (queueName: string) => boolean;
  readonly hinted: Pick<Hinted, 'listening' | 'ready' | 'taken'>;
  readonly world: World;
}

const PATH = '/events/out';
const RETRY = { firstMs: 1_000, mostMs: 60_000 };
/** A key may be given the right to read events while the worker lives, a server may be updated. */
const REFUSED_MS = 1_800_000;
/** A subscription that lasted so long was a good one; so often is looked whether the pool is still the same. */
const SETTLED_MS = 60_000;

/** Listens until the signal is aborted; never rejects. */
export async function listenForHints(options: HintOptions, signal: AbortSignal): Promise<void> {
  const { clock, log, random } = options.world;
  let failures = 0;
  let toldOf: SocketEnd['kind'] | 'error' | undefined;
  while (!signal.aborted) {
    const begin = clock.now();
    try {
      await listen(options, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (clock.now() - begin > SETTLED_MS) {
        failures = 0;
        toldOf = undefined;
      }
      failures += 1;
      const reason = error instanceof Error ? error.message : String(error);
      const end = error instanceof SocketEndedError ? error.end : undefined;
      const refused = end !== undefined && isRefusal(end);
      const kind = end?.kind ?? 'error';
      if (kind !== toldOf) {
        const when = refused ? 'asked again every half hour' : 'opened again';
        log.info(`No hints of new runs: ${reason}. Runs are found by polling alone; it is ${when}.`);
      }
      toldOf = kind;
      const ms = refused ? REFUSED_MS * (0.9 + 0.2 * random()) : fullJitter(failures, RETRY, random);
      await clock.sleep(ms, signal).catch(() => undefined);
    }
  }
}

/** Whether it will be answered the same way again: an API without events, a key without the right, a filter not known. */
export function isRefusal(end: SocketEnd): boolean {
  switch (end.kind) {
    case 'denied':
      return true;
    case 'refused':
      return end.status < 500 && end.status !== 408 && end.status !== 429;
    case 'closed':
      return end.code === 1002 || end.code === 1003 || end.code === 1008;
    case 'lost':
      return false;
  }
}

/** One subscription, until the pool is another one. @throws SocketEndedError when it ended before. */
async function listen(options: HintOptions, signal: AbortSignal): Promise<void> {
  const { settings, product, poolId, hinted, world } = options;
  const socket = await openPrefectSocket({ settings, path: PATH, product, signal });
  const ended = new AbortController();
  try {
    const pool = poolId();
    await socket.send(JSON.stringify(filterFor(pool)));
    hinted.listening();
    const another = async () => {
      const watching = AbortSignal.any([signal, ended.signal]);
      while (poolId() === pool) await world.clock.sleep(SETTLED_MS, watching);
    };
    await Promise.race([hear(socket, options), another()]);
  } finally {
    ended.abort(new Error('the subscription has ended'));
    await socket.close();
  }
}

async function hear(socket: PrefectSocket, { serves, hinted }: HintOptions): Promise<never> {
  for (;;) {
    const hint = readHint(await socket.receive(), serves);
    if (hint?.kind === 'ready') hinted.ready(hint.flowRunId);
    if (hint?.kind === 'taken') hinted.taken(hint.flowRunId);
  }
}
