import { randomInt } from 'node:crypto';
import { lstat, mkdtemp, open, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import * as core from '@actions/core';
import { Annotations } from './annotations.ts';
import { createExec } from './exec.ts';
import type { Position } from './project/model.ts';
import { useProxies } from './proxies.ts';
import { Secrets } from './secrets.ts';
import type { Clock, Files, Log, World } from './world.ts';

/** The world of one step, and what only its entry does with it. */
export interface RunnerWorld extends World {
  /** Shows why the step fails, at its place in the user's files when there is one. */
  error(text: string, where?: Position): void;
  /** Gives the annotations that were held back; to be called once, last of all. */
  close(): void;
}

/**
 * The real effects, on a GitHub runner: the process's environment, its disk and clock, the runner's log. The signal
 * is aborted when the runner cancels the job (SIGINT, 7.5 s later SIGTERM); the process then has until it is killed.
 */
export function openRunnerWorld(): RunnerWorld {
  const cancelled = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => cancelled.abort(new Cancelled(name)));
  }
  const env = Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  useProxies(env);
  const { log, annotations } = runnerLog();
  return {
    env,
    exec: createExec(),
    files: nodeFiles(env.RUNNER_TEMP ?? tmpdir()),
    log,
    error: (text, where) => annotations.add({ level: 'error', text: log.redact(text), where }),
    close: () => annotations.close(),
    clock: nodeClock,
    random: () => randomInt(2 ** 32) / 2 ** 32,
    signal: cancelled.signal,
  };
}

/** The job was cancelled. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';

  constructor(signal: string) {
    super(`cancelled (${signal})`);
  }
}

export const nodeClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    try {
      await wait(ms, undefined, { signal });
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    }
  },
};

function nodeFiles(temporary: string): Files {
  return {
    readText: (path) => readFile(path, 'utf8'),
    async exists(path) {
      try {
        await lstat(path);
        return true;
      } catch (error) {
        if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
          return false;
        throw error;
      }
    },
    makeTemporaryDirectory: (prefix) => mkdtemp(join(temporary, prefix)),
    async writeNew(path, text, mode = 0o600) {
      const file = await open(path, 'wx', mode);
      try {
        await file.writeFile(text, 'utf8');
      } finally {
        await file.close();
      }
    },
    symlink: (target, path) => symlink(target, path),
    list: (path) => readdir(path),
    remove: (path) => rm(path, { recursive: true, force: true }),
  };
}

/**
 * The runner's log. What is logged may come from a flow, a build or a server: a line that the runner would take for a
 * workflow command is spelled so that it is not one, and secrets are replaced here already, not by the runner alone.
 */
function runnerLog(): { log: Log; annotations: Annotations } {
  const secrets = new Secrets();
  let inGroup = false;
  const redact = (text: string): string => secrets.redact(text);
  const plain = (text: string): string =>
    redact(text)
      .replace(/^(\s*):(?=:)/gm, '$1:\u200b')
      .replaceAll('##[', '##\u200b[');
  const annotations = new Annotations({
    annotate({ level, text, where }) {
      const place = where && { file: where.file, startLine: where.line, startColumn: where.column };
      if (level === 'error') core.error(text, { title: 'Slipway', ...place });
      else core.warning(text, place);
    },
    log: (line) => core.info(plain(line)),
  });
  const log: Log = {
    info: (text) => core.info(plain(text)),
    debug: (text) => core.debug(plain(text)),
    warning: (text, where) => annotations.add({ level: 'warning', text: redact(text), where }),
    async group(title, body) {
      // GitHub knows no group inside a group: an inner one is a line of the outer.
      if (inGroup) {
        core.info(plain(title));
        return await body();
      }
      inGroup = true;
      try {
        return await core.group(plain(title), body);
      } finally {
        inGroup = false;
      }
    },
    mask(secret) {
      for (const spelling of secrets.add(secret)) core.setSecret(spelling);
    },
    redact,
  };
  return { log, annotations };
}
