import { setTimeout as wait } from 'node:timers/promises';
import { openPrefectApi, type PrefectApi } from '@slipway/prefect/client';
import { readSettings } from '@slipway/prefect/settings';

/** The rig's Prefect server as tests ask it. The caller closes it. */
export function openRigPrefect(apiUrl: string): PrefectApi {
  return openPrefectApi(readSettings({ PREFECT_API_URL: apiUrl }), {
    clock: { now: Date.now, sleep: (ms, signal) => wait(ms, undefined, { signal }) },
    random: Math.random,
    log: { debug: () => undefined, warning: (text) => console.warn(text) },
    product: 'slipway-test',
  });
}

/**
 * A signal that gives a test's request two minutes: a SQLite server answers 503 when writers meet, the client's pauses
 * double, and whether a test passes must not hang on how often that happens.
 */
export function soon(): AbortSignal {
  return AbortSignal.timeout(120_000);
}
