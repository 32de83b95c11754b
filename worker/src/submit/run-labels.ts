/** Marks runs that were submitted by this kind of worker; its repair sweep leaves other workers' runs alone. */
export const WORKER_LABEL = 'slipway.worker.version';
/** On runs whose Job is in another cluster: the context by which. Nobody looks there. */
export const CLUSTER_LABEL = 'slipway.worker.cluster';
