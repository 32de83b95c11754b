import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { type PrefectEnvironment, pythonBuildEnv } from '../../rig/builds/prefect-environment.ts';

const PROGRAM = join(import.meta.dirname, 'prefect_cli.py');
const Answer = z.object({ code: z.number() });
const LONGEST_CALL_MS = 300_000;

/** The locked Prefect's CLI. */
export interface PrefectCli {
  /** @param env the whole environment. One call at a time. @throws when the process has ended or takes too long. */
  call(
    args: readonly string[],
    cwd: string,
    env: Readonly<Record<string, string>>,
  ): Promise<{ code: number; log: string }>;
  stop(): Promise<void>;
}

/** Starts the program that imports Prefect once and forks for each call (prefect_cli.py says how). */
export async function startPrefectCli(environment: PrefectEnvironment, signal: AbortSignal): Promise<PrefectCli> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-prefect-cli-'));
  const child = spawn(environment.python, [PROGRAM], {
    cwd: folder,
    env: { ...pythonBuildEnv(), HOME: folder, PREFECT_HOME: join(folder, 'home'), PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
    signal,
  });
  const ended = new Promise<void>((done) => {
    child.once('error', () => done());
    child.once('exit', () => done());
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let calls = 0;
  return {
    async call(args, cwd, env) {
      calls += 1;
      const log = join(folder, `${calls}.log`);
      child.stdin.write(`${JSON.stringify({ args, cwd, env, log })}\n`);
      const killer = setTimeout(() => child.kill(), LONGEST_CALL_MS);
      const answer = await answers.next().finally(() => clearTimeout(killer));
      if (answer.done) throw new Error(`Prefect’s CLI has ended, or took longer than ${LONGEST_CALL_MS / 1000} s`);
      const { code } = Answer.parse(JSON.parse(answer.value));
      return { code, log: await readFile(log, 'utf8') };
    },
    async stop() {
      child.stdin.end();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
