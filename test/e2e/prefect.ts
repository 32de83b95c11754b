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

/** A signal that gives a test's request half a minute. */
export function soon(): AbortSignal {
  return AbortSignal.timeout(30_000);
}
