import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createExec } from '../exec.ts';
import type { Clock, Files, Log, World } from '../world.ts';

/** A World for tests: real processes and files in one temporary directory, a clock that does not wait, a log that is kept. */
export interface TestWorld extends World {
  readonly directory: string;
  /** What was logged, `level: text` each; groups are `group: title`. */
  readonly logged: string[];
  readonly masked: string[];
  /** Milliseconds of every sleep, in order. */
  readonly slept: number[];
  close(): Promise<void>;
}

/** @param env the processes' environment besides PATH and a HOME of their own. */
export async function openTestWorld(env: Readonly<Record<string, string>> = {}): Promise<TestWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-test-'));
  const home = join(directory, 'home');
  await mkdir(home);
  const logged: string[] = [];
  const masked: string[] = [];
  const slept: number[] = [];
  return {
    directory,
    logged,
    masked,
    slept,
    env: { PATH: process.env.PATH ?? '', HOME: home, GIT_CONFIG_NOSYSTEM: '1', ...env },
    exec: createExec(),
    files: realFiles(directory),
    log: keepingLog(logged, masked),
    clock: instantClock(slept),
    random: () => 0.5,
    signal: new AbortController().signal,
    close: () => rm(directory, { recursive: true, force: true }),
  };
}

function realFiles(directory: string): Files {
  return {
    readText: (path) => readFile(path, 'utf8'),
    exists: (path) =>
      lstat(path).then(
        () => true,
        () => false,
      ),
    makeTemporaryDirectory: (prefix) => mkdtemp(join(directory, prefix)),
    writeNew: (path, text, mode = 0o600) => writeFile(path, text, { flag: 'wx', mode }),
    symlink: (target, path) => symlink(target, path),
    list: (path) => readdir(path),
    remove: (path) => rm(path, { recursive: true, force: true }),
  };
}

function keepingLog(logged: string[], masked: string[]): Log {
  return {
    info: (text) => void logged.push(`info: ${text}`),
    debug: (text) => void logged.push(`debug: ${text}`),
    warning: (text) => void logged.push(`warning: ${text}`),
    group: (title, body) => {
      logged.push(`group: ${title}`);
      return body();
    },
    mask: (secret) => void masked.push(secret),
    redact: (text) => masked.reduce((shown, secret) => shown.replaceAll(secret, '***'), text),
  };
}

function instantClock(slept: number[]): Clock {
  return {
    now: () => 1_700_000_000_000 + slept.reduce((sum, ms) => sum + ms, 0),
    sleep: (ms, signal) => {
      signal.throwIfAborted();
      slept.push(ms);
      return Promise.resolve();
    },
  };
}
