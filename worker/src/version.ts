import manifest from '../package.json' with { type: 'json' };

/** This worker's own version. */
export const WORKER_VERSION = manifest.version;

/** The Prefect whose behaviour the worker follows; it stands in the labels of Jobs, as Python's version does there. */
export const PREFECT_VERSION = '3.8.8';

/** What a Job runs when its template names no image (contracts/worker.md §4.7); `SLIPWAY_WORKER_DEFAULT_IMAGE` overrides it. */
export const DEFAULT_IMAGE = `prefecthq/prefect:${PREFECT_VERSION}-python3.11`;

/** What the worker takes the place of: Prefect shows which integrations a worker brings, and knows its own. */
export const WORKER_METADATA = { integrations: [{ name: 'prefect-kubernetes', version: '0.8.0' }] };
