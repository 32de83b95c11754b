import type { Log } from '../world.ts';
import type { RegistryWorld } from './request.ts';

/** The effects a provider has: requests of our own, the job's environment, the log. */
export interface ProviderWorld extends RegistryWorld {
  readonly env: Readonly<Record<string, string>>;
  readonly log: Log;
}

/** Milliseconds a cloud may take for one sign-in, all its own retries and probes included. */
export const SIGN_IN_MS = 60_000;
