export { openPrefectApi, type PrefectApi } from './api.ts';
export * from './deployments.ts';
export { codeOf, PrefectAnswerError, PrefectApiError, PrefectUnreachableError } from './errors.ts';
export * from './flow-runs.ts';
export * from './flows.ts';
export * from './logs.ts';
export { referenceReaders } from './references.ts';
export type { TransportWorld } from './transport.ts';
export * from './work-pools.ts';
