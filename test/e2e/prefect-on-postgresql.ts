import { startRig } from '../rig/rig.ts';

export interface OwnPrefect {
  /** `http://127.0.0.1:PORT/api` */
  readonly prefectApiUrl: string;
  stop(): Promise<void>;
}

/**
 * Starts a Prefect server of a test file's own with its data in PostgreSQL, for hundreds of runs that are due at one time:
 * on SQLite the server's own marking of late runs refuses, and is refused by, all others who write, for minutes on a slow
 * machine.
 */
export async function startPrefectOnPostgresql(): Promise<OwnPrefect> {
  const rig = await startRig({
    log: console.log,
    signal: new AbortController().signal,
    parts: ['prefect', 'postgresql'],
  });
  return { prefectApiUrl: rig.prefectApiUrl, stop: () => rig.stop() };
}
