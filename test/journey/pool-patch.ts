/**
 * What the rig needs of the work pool beyond what a user writes: pods on the host's network reach the Prefect server on
 * its loopback address, and all traffic stays there.
 */
export const POOL_PATCH = [
  { op: 'add', path: '/job_configuration/job_manifest/spec/template/spec/hostNetwork', value: true },
] as const;
