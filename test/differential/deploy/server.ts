import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Json, parseJson } from '@slipway/prefect/json';
import type { PrefectEnvironment } from '../../rig/builds/prefect-environment.ts';
import { prefectServer } from '../../rig/parts/prefect-server.ts';
import { pickPorts } from '../../rig/ports.ts';

/** A Prefect server as the differential run asks it. */
export interface Server {
  readonly apiUrl: string;
  /** One request; 503, which SQLite's writers bring about, is asked again. @throws on any other error's status. */
  ask(method: string, path: string, body?: unknown): Promise<Json>;
}

export function serverAt(apiUrl: string, signal: AbortSignal): Server {
  return {
    apiUrl,
    async ask(method, path, body) {
      for (let pauseMs = 250; ; pauseMs *= 2) {
        const answer = await fetch(`${apiUrl}${path}`, {
          method,
          signal: AbortSignal.any([signal, AbortSignal.timeout(60_000)]),
          ...(body === undefined
            ? {}
            : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
        });
        const text = await answer.text();
        if (answer.ok) return text === '' ? null : parseJson(text);
        if (answer.status !== 503 || pauseMs > 16_000) {
          throw new Error(`${method} ${path}: ${answer.status} ${text}`);
        }
        await sleep(pauseMs, undefined, { signal });
      }
    },
  };
}

/**
 * Starts a server of the run's own. Nothing may happen on it by itself, so it neither schedules runs nor fires
 * automations.
 *
 * @param folder for its data; the caller removes it.
 * @param settings more of the server's settings.
 */
export async function startOwnServer(
  environment: PrefectEnvironment,
  folder: string,
  signal: AbortSignal,
  settings: Readonly<Record<string, string>> = {},
): Promise<Server & { stop(): Promise<void> }> {
  await mkdir(folder, { recursive: true });
  const { ports, release } = await pickPorts(1);
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    LANG: 'C.UTF-8',
    PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED: 'false',
    PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED: 'false',
    PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED: 'false',
    ...settings,
  };
  try {
    const running = await prefectServer(ports[0] ?? 0, environment).start({
      folder,
      logFile: `${folder}/server.log`,
      env,
      log: () => undefined,
      signal,
    });
    const stop = async (): Promise<void> => {
      await running.stop();
      release();
    };
    return { ...serverAt(`${running.address}/api`, signal), stop };
  } catch (error) {
    release();
    throw error;
  }
}
