import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename } from 'node:path';
import { PrefectAnswerError, PrefectApiError, PrefectUnreachableError } from '@slipway/prefect/client';
import { SettingsError, withSettingsFiles } from '@slipway/prefect/settings';
import { install } from 'undici';
import { CommandError, type CommandWorld } from './commands/command.ts';
import { type Invocation, parseCommandLine, type StartFlags } from './config/command-line.ts';
import { compileConfig } from './config/config.ts';
import { ConfigError } from './config/config-error.ts';
import { unknownVariables } from './config/known-variables.ts';
import { plainCredentials } from './config/plain-credentials.ts';
import { openLog } from './ops/log.ts';
import { openLogOutput } from './ops/log-output.ts';
import { WORKER_VERSION } from './version.ts';
import { runWorker } from './worker.ts';
import type { Clock } from './world.ts';

// Headers and the like of the undici that connects: naming Node's own loads the same code a second time.
install();

/** The exit code after a second signal, as a shell tells it: 128 and the signal's number. */
const SIGNAL_CODES = { SIGTERM: 143, SIGINT: 130 } as const;

/** How long the end of the log may take to be read. */
const LAST_LINES_MS = 1_000;

const clock: Clock = {
  now: () => Date.now(),
  // Not node:timers/promises: most sleeps here are ended early, and each would make an error that nobody reads.
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const wake = (): void => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', wake);
        resolve();
      }, ms);
      signal.addEventListener('abort', wake, { once: true });
    }),
};

/** Starts the worker and stays until it has ended. @returns the exit code. */
async function start(flags: StartFlags, env: NodeJS.ProcessEnv): Promise<number> {
  const places = { home: homedir(), directory: process.cwd(), writtenBy: 'operator' } as const;
  const layered = await withSettingsFiles(env, places, (path) => readFile(path, 'utf8'));
  const config = compileConfig(flags, env, (path) => readFileSync(path, 'utf8'), layered.variables);
  const plain = plainCredentials(config);
  const warnings = [...layered.warnings, ...config.prefect.warnings, ...(plain === undefined ? [] : [plain])];
  const output = openLogOutput(process.stdout);
  const log = openLog(config.debug, config.prefect.secrets, output);
  for (const warning of warnings) log.warning(warning);
  for (const name of unknownVariables(env))
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
  const state = await runWorker(config, { env, clock, random, log }, drain.signal).finally(() =>
    output.flushed(LAST_LINES_MS),
  );
  return state === 'STOPPED' ? 0 : 1;
}

const random = () => randomInt(2 ** 32) / 2 ** 32;

/** Runs a command. @returns the exit code. */
async function run(invocation: Exclude<Invocation, { kind: 'print' | 'refuse' }>): Promise<number> {
  const env = invocation.profile === undefined ? process.env : { ...process.env, PREFECT_PROFILE: invocation.profile };
  try {
    if (invocation.kind === 'start') return await start(invocation.flags, env);
    const world = commandWorld(env);
    // Loaded when asked for: a worker that runs needs none of them.
    switch (invocation.kind) {
      case 'render':
        return await (await import('./commands/render.ts')).renderCommand(invocation.flags, world);
      case 'doctor':
        return await (await import('./commands/doctor.ts')).doctorCommand(invocation.flags, world);
      case 'work-pool':
        return await (await import('./commands/work-pool.ts')).workPoolCommand(invocation.flags, world);
    }
  } catch (error) {
    const text = sentenceOf(error);
    if (text === undefined) throw error;
    console.error(text);
    return 1;
  }
}

function commandWorld(env: NodeJS.ProcessEnv): CommandWorld {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort(new CommandError('interrupted')));
  return {
    env,
    home: homedir(),
    directory: process.cwd(),
    clock,
    random,
    readText: (path) => readFile(path, 'utf8'),
    print: (text) => process.stdout.write(`${text}\n`),
    complain: (text) => process.stderr.write(`${text}\n`),
    signal: interrupted.signal,
  };
}

/** What to tell a person of an error that is no defect. */
function sentenceOf(error: unknown): string | undefined {
  if (error instanceof ConfigError || error instanceof SettingsError) {
    const { message, remedy } = error;
    return `${message.charAt(0).toUpperCase()}${message.slice(1).replace(/\.$/, '')}. ${remedy}`;
  }
  const known =
    error instanceof CommandError ||
    error instanceof PrefectApiError ||
    error instanceof PrefectUnreachableError ||
    error instanceof PrefectAnswerError;
  return known ? error.message : undefined;
}

const program = basename(process.argv[1] ?? 'slipway-worker').replace(/^main\.(js|ts)$/, 'slipway-worker');
const invocation = parseCommandLine(process.argv.slice(2), program, WORKER_VERSION);
switch (invocation.kind) {
  case 'print':
    console.log(invocation.text);
    break;
  case 'refuse':
    console.error(invocation.text);
    process.exitCode = 2;
    break;
  default:
    // Nothing that is still open (a slow DNS answer, say) may keep an ended worker alive.
    process.exit(await run(invocation));
}
