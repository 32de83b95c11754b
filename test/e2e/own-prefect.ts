import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../journey/cluster.ts';
import { freePort } from './free-port.ts';

/** A Prefect server of a test's own: to be stopped, started again, and set otherwise than the rig's. */
export interface OwnPrefect {
  readonly apiUrl: string;
  /** The last of what it has said. */
  log(): string;
  /** Starts it where it was, with what it knew. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Stops it and forgets all. */
  remove(): Promise<void>;
}

/** Starts one. @param environment of Python, that has Prefect. @param env what is set otherwise. */
export async function startOwnPrefect(environment: string, env: Readonly<Record<string, string>>): Promise<OwnPrefect> {
  const home = mkdtempSync(join(tmpdir(), 'slipway-prefect-'));
  const port = await freePort();
  const apiUrl = `http://127.0.0.1:${port}/api`;
  let stop = async (): Promise<void> => undefined;
  const logFile = join(home, 'server.log');
  const start = async (): Promise<void> => {
    const log = openSync(logFile, 'a');
    const server = spawn(
      join(environment, 'bin/prefect'),
      ['server', 'start', '--host', '127.0.0.1', '--port', String(port)],
      {
        env: {
          PATH: process.env.PATH,
          HOME: home,
          PREFECT_HOME: home,
          PREFECT_SERVER_ANALYTICS_ENABLED: 'false',
          PREFECT_SERVER_UI_STATIC_DIRECTORY: join(home, 'ui'),
          ...env,
        },
        stdio: ['ignore', log, log],
      },
    );
    closeSync(log);
    const ended = new Promise<void>((done) => server.once('exit', () => done()));
    stop = async () => {
      server.kill('SIGTERM');
      await ended;
    };
    const health = async () => ((await fetch(`${apiUrl}/health`)).ok ? true : undefined);
    await until('the server is there', () => health().catch(() => undefined), { timeoutMs: 150_000 });
  };
  await start();
  return {
    apiUrl,
    log: () => readFileSync(logFile, 'utf8').slice(-10_000),
    start,
    stop: () => stop(),
    async remove() {
      await stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
