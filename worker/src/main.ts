import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { SettingsError, withSettingsFiles } from '@slipway/prefect/settings';
import { parseCommandLine, type StartFlags } from './config/command-line.ts';
import { compileConfig, type WorkerConfig } from './config/config.ts';
import { ConfigError } from './config/config-error.ts';
import { unknownVariables } from './config/known-variables.ts';
import { openLog } from './ops/log.ts';
import { WORKER_VERSION } from './version.ts';
import { runWorker } from './worker.ts';
import type { Clock } from './world.ts';

/** The exit code after a second signal, as a shell tells it: 128 and the signal's number. */
const SIGNAL_CODES = { SIGTERM: 143, SIGINT: 130 } as const;

const clock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    try {
      await wait(ms, undefined, { signal });
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    }
  },
};

/** Starts the worker and stays until it has ended. @returns the exit code. */
async function start(flags: StartFlags): Promise<number> {
  let config: WorkerConfig;
  let warnings: readonly string[];
  try {
    const places = { home: homedir(), directory: process.cwd(), writtenBy: 'operator' } as const;
    const layered = await withSettingsFiles(process.env, places, (path) => readFile(path, 'utf8'));
    config = compileConfig(flags, process.env, (path) => readFileSync(path, 'utf8'), layered.variables);
    warnings = [...layered.warnings, ...config.prefect.warnings];
  } catch (error) {
    if (!(error instanceof ConfigError) && !(error instanceof SettingsError)) throw error;
    console.error(`${error.message} ${error.remedy}`);
    return 1;
  }
  const log = openLog(config.debug, config.prefect.secrets);
  for (const warning of warnings) log.warning(warning);
  for (const name of unknownVariables(process.env))
    log.warning(`The environment variable ${name} is no setting of this worker.`);
  const drain = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      // The second one is from somebody who does not want to wait.
      if (drain.signal.aborted) process.exit(SIGNAL_CODES[signal]);
      log.info(`Received ${signal}.`);
      drain.abort(new Error(`received ${signal}`));
    });
  }
  try {
    const state = await runWorker(
      config,
      { env: process.env, clock, random: () => randomInt(2 ** 32) / 2 ** 32, log },
      drain.signal,
    );
    return state === 'STOPPED' ? 0 : 1;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(`${error.message} ${error.remedy}`);
    return 1;
  }
}

const program = basename(process.argv[1] ?? 'slipway-worker').replace(/^main\.(js|ts)$/, 'slipway-worker');
const invocation = parseCommandLine(process.argv.slice(2), program, WORKER_VERSION);
switch (invocation.kind) {
  case 'print':
    console.log(invocation.text);
    break;
  case 'refuse':
    console.error(invocation.text);
    process.exitCode = invocation.exitCode;
    break;
  case 'start':
    // Nothing that is still open (a slow DNS answer, say) may keep an ended worker alive.
    process.exit(await start(invocation.flags));
}
